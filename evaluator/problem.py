"""The problem format: what to compute, said once, for every backend.

A problem is a folder with a `problem.py` that defines `problem = Problem(...)` and seed kernels
(`seed.cpp`, ...). Everything a kernel sees follows from the signature: parameter order is inputs,
outputs, then dimensions (`int64_t`) in order of first appearance in the tensor declarations, then
scalars in declared order.

All callables of a problem are bound *by parameter name*: a function receives exactly those of the
inputs, outputs, dimensions and scalars that its parameter list names. So a softmax reference is
`def reference(x): return torch.softmax(x, dim=1)`.
"""

from __future__ import annotations

import enum
import inspect
import math
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from evaluator.errors import ProblemError

if TYPE_CHECKING:
    import torch

DType = Literal[
    "float32", "float64", "bfloat16", "float16", "int8", "uint8", "int32", "uint32", "int64"
]
ITEMSIZE: Mapping[str, int] = {
    "float32": 4, "float64": 8, "bfloat16": 2, "float16": 2, "int8": 1, "uint8": 1,
    "int32": 4, "uint32": 4, "int64": 8,
}  # fmt: skip
FLOATING = frozenset({"float32", "float64", "bfloat16", "float16"})
Tensors = Mapping[str, "torch.Tensor"]


class Role(enum.StrEnum):
    """What a workload is for."""

    CHECK = "check"
    """Correctness only; never shown in a prompt."""
    TIME = "time"
    """Correctness and timing."""


class Precision(enum.StrEnum):
    """How much arithmetic freedom a kernel has."""

    EXACT = "exact"
    """Outputs must be equal bit for bit (integers; permutations)."""
    STRICT = "strict"
    """Arithmetic must be as good as the problem's own dtype: fp32 stays fp32."""
    MIXED = "mixed"
    """Products of bf16/tf32-rounded inputs are allowed, accumulation stays fp32."""


@dataclass(frozen=True)
class Tensor:
    """A contiguous, 64-byte aligned tensor of the signature.

    Attributes:
        name: C identifier.
        shape: Dimension names, separated by spaces in the constructor's short form
            (`Tensor("x", "rows cols")`); an integer literal is a fixed extent.
        dtype: Element type.
    """

    name: str
    shape: str
    dtype: DType = "float32"

    @property
    def axes(self) -> tuple[str, ...]:
        """The axis names (or literal extents) in order."""
        return tuple(self.shape.split())

    def extents(self, dims: Mapping[str, int]) -> tuple[int, ...]:
        """The concrete shape for a binding of dimensions."""
        return tuple(int(a) if a.isdecimal() else dims[a] for a in self.axes)

    def nbytes(self, dims: Mapping[str, int]) -> int:
        """Size in bytes for a binding of dimensions."""
        return math.prod(self.extents(dims)) * ITEMSIZE[self.dtype]


@dataclass(frozen=True)
class Scalar:
    """A scalar argument: `float` (passed as C `float`) or `int64` (C `int64_t`)."""

    name: str
    dtype: Literal["float", "int64"] = "float"


@dataclass(frozen=True)
class Workload:
    """One binding of dimensions and scalars with an input distribution.

    Attributes:
        name: Unique within the problem, e.g. `1024x4096`.
        dims: Extent of every dimension of the signature.
        scalars: Value of every scalar of the signature.
        distribution: A name of `evaluator.distributions` or one the problem's `generate` knows.
        role: `check` or `time`.
    """

    name: str
    dims: Mapping[str, int]
    scalars: Mapping[str, float | int] = field(default_factory=dict)
    distribution: str = "normal"
    role: Role = Role.CHECK


@dataclass(frozen=True)
class NumericPolicy:
    """How errors are judged. See `evaluator.numeric` for the arithmetic.

    Attributes:
        precision: The freedom class.
        factor: A candidate's error may be this many times the error of a plain evaluation in the
            problem's own dtype (or of the unit round-off bound, whichever is larger).
        magnitude: Bound by name; returns per output (tensor or tuple, float64) the natural scale
            of the error of that element: for a sum, the sum of absolute terms. Default: the
            largest absolute reference value along the last axis.
        plain: The error of the plain evaluation counts as owed too. Off where `magnitude` says it
            all, so that a reference that is poor in its own dtype grants no freedom.
    """

    precision: Precision = Precision.STRICT
    factor: float = 8.0
    magnitude: Callable[..., Any] | None = None
    plain: bool = True


@dataclass(frozen=True)
class Law:
    """A property every correct output has, checked on the candidate's own outputs.

    Attributes:
        name: Said in evidence when broken, e.g. "rows sum to 1".
        violation: Bound by name over inputs, outputs, dims, scalars; returns a float that is at
            most 1.0 when the law holds (a violation in units of what is tolerable). For a law with
            `transform`, outputs of the transformed call are bound as `<output>_t`.
        transform: Optional; bound by name; returns replaced inputs `{name: tensor}` for a second
            call with the same shapes (permutation equivariance, linearity).
    """

    name: str
    violation: Callable[..., Any]
    transform: Callable[..., Tensors] | None = None


@dataclass(frozen=True)
class Variant:
    """A way a PyTorch user would compute the problem; a baseline.

    `run` is bound by name. If it names outputs it must write into them (`out=` style); otherwise
    it returns the outputs. `compiled`: it is meant for torch.compile, which need not find it from
    the reference.
    """

    name: str
    run: Callable[..., Any]
    compiled: bool = False


@dataclass(frozen=True)
class Problem:
    """What to compute. See the module docstring for how callables are bound.

    Attributes:
        name: Public name; equals the folder name.
        summary: One line.
        inputs, outputs: The tensors, in parameter order.
        scalars: In parameter order, after the dimensions.
        reference: Dtype-generic PyTorch code; called with float64 inputs for expected values and
            with the problem's own dtypes for the plain evaluation. Returns a tensor, or a tuple
            in output order.
        workloads: At least two `time` and six `check` workloads.
        flops: Bound by name over dims and scalars (and inputs never); arithmetic operations.
        bytes: Likewise; compulsory memory traffic in bytes (each input read once, each output
            written once) unless the algorithm owes more.
        policy: Numeric policy.
        laws: Properties of outputs.
        generate: Optional `(workload, generator) -> {input: tensor}` for structured inputs;
            tensors it leaves out are drawn from the workload's distribution.
        refresh: Optional per-input `(base, generator) -> tensor` that makes a fresh input set
            cheaply out of a drawn one without changing its structure; the default for floating
            inputs adds two drawn ones, cyclically shifted and one of them scaled (a positive
            factor); integer inputs without a rule are drawn anew.
        variants: PyTorch formulations beside the reference itself (`out=`, fused forms).
        owed: `flops` and `bytes` are what every kernel must do, so that a time below them is
            impossible. Off where they were counted from a reference that may do more than it must.
        description: Longer text for kernel authors.
        path: Folder it was loaded from; set by the loader.
    """

    name: str
    summary: str
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    reference: Callable[..., Any]
    workloads: tuple[Workload, ...]
    flops: Callable[..., int]
    bytes: Callable[..., int]
    scalars: tuple[Scalar, ...] = ()
    policy: NumericPolicy = field(default_factory=NumericPolicy)
    laws: tuple[Law, ...] = ()
    generate: Callable[[Workload, torch.Generator], Tensors] | None = None
    refresh: Mapping[str, Callable[[torch.Tensor, torch.Generator], torch.Tensor]] = field(
        default_factory=dict
    )
    variants: tuple[Variant, ...] = ()
    owed: bool = True
    description: str = ""
    path: Path | None = None

    def __post_init__(self) -> None:
        self._validate()

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """Inputs then outputs."""
        return self.inputs + self.outputs

    @property
    def dims(self) -> tuple[str, ...]:
        """Dimension names in order of first appearance."""
        axes = (a for t in self.tensors for a in t.axes if not a.isdecimal())
        return tuple(dict.fromkeys(axes))

    @property
    def time_workloads(self) -> tuple[Workload, ...]:
        """The workloads that are timed (and checked)."""
        return tuple(w for w in self.workloads if w.role is Role.TIME)

    @property
    def check_workloads(self) -> tuple[Workload, ...]:
        """The workloads that are only checked."""
        return tuple(w for w in self.workloads if w.role is Role.CHECK)

    def workload(self, name: str) -> Workload:
        """The workload of that name; KeyError if there is none."""
        return {w.name: w for w in self.workloads}[name]

    def received(self, workload: Workload) -> dict[str, float | int]:
        """A workload's dimensions and scalars as every implementation receives them, the reference
        included: `float` ones are rounded to C `float`."""
        scalars = {
            s.name: _as_float32(workload.scalars[s.name])
            if s.dtype == "float"
            else int(workload.scalars[s.name])
            for s in self.scalars
        }
        return {**workload.dims, **scalars}

    def footprint(self, workload: Workload) -> int:
        """Bytes of all tensors of a workload together."""
        return sum(t.nbytes(workload.dims) for t in self.tensors)

    def work(self, workload: Workload) -> tuple[int, int]:
        """(flops, bytes) of one call on a workload."""
        values = {**workload.dims, **workload.scalars}
        return int(call_by_name(self.flops, values)), int(call_by_name(self.bytes, values))

    def _validate(self) -> None:
        where = f"problem {self.name!r}"
        names = [*(t.name for t in self.tensors), *self.dims, *(s.name for s in self.scalars)]
        if doubled := {n for n in names if names.count(n) > 1}:
            raise ProblemError(f"{where}: the name {min(doubled)!r} is used twice in the signature")
        if bad := [n for n in names if not n.isidentifier()]:
            raise ProblemError(f"{where}: {bad[0]!r} is not a C identifier")
        for tensor in self.tensors:
            if tensor.dtype not in ITEMSIZE:
                raise ProblemError(f"{where}: {tensor.name!r} has unknown dtype {tensor.dtype!r}")
        if not self.inputs or not self.outputs:
            raise ProblemError(f"{where}: needs at least one input and one output")
        if not self.time_workloads:
            raise ProblemError(f"{where}: needs at least one workload with role=Role.TIME")
        seen: set[str] = set()
        for w in self.workloads:
            if w.name in seen:
                raise ProblemError(f"{where}: two workloads are called {w.name!r}")
            seen.add(w.name)
            if set(w.dims) != set(self.dims):
                raise ProblemError(
                    f"{where}: workload {w.name!r} must bind exactly the dimensions "
                    f"{', '.join(self.dims)}; it binds {', '.join(w.dims)}"
                )
            if set(w.scalars) != {s.name for s in self.scalars}:
                raise ProblemError(
                    f"{where}: workload {w.name!r} must bind exactly the scalars "
                    f"{', '.join(s.name for s in self.scalars) or '(none)'}"
                )
            if any(extent < 0 for extent in w.dims.values()):
                raise ProblemError(f"{where}: workload {w.name!r} has a negative dimension")


def _as_float32(value: float) -> float:
    return float(struct.unpack("f", struct.pack("f", value))[0])


def call_by_name(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """Call `function` with those of `values` that its parameters name.

    Raises:
        ProblemError: A required parameter names nothing that is available.
    """
    return function(**arguments_by_name(function, values))


def arguments_by_name(function: Callable[..., Any], values: Mapping[str, Any]) -> dict[str, Any]:
    """Those of `values` that the parameters of `function` name. Looking at a signature takes 9 us:
    what is timed does it beforehand.

    Raises:
        ProblemError: A required parameter names nothing that is available.
    """
    parameters = inspect.signature(function).parameters.values()
    missing = [p.name for p in parameters if p.default is p.empty and p.name not in values]
    if missing:
        raise ProblemError(
            f"{getattr(function, '__name__', function)!r} asks for {missing[0]!r}; "
            f"available names: {', '.join(values)}"
        )
    return {p.name: values[p.name] for p in parameters if p.name in values}


def as_outputs(problem: Problem, result: Any) -> dict[str, torch.Tensor]:
    """Name the result of a reference: a tensor, or a tuple in output order."""
    parts = result if isinstance(result, tuple) else (result,)
    if len(parts) != len(problem.outputs):
        raise ProblemError(
            f"problem {problem.name!r}: the reference returned {len(parts)} outputs, "
            f"the signature declares {len(problem.outputs)}"
        )
    return {t.name: part for t, part in zip(problem.outputs, parts, strict=True)}
