"""Dense matrix times vector."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evaluator.problem import Law, NumericPolicy, Problem, Role, Tensor, Tensors, Variant, Workload

if TYPE_CHECKING:
    import torch

UNIT = 2.0**-24
SAME_FOR_BOTH = ("uniform", "wide", "constant")


def reference(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """y = a @ x."""
    return a @ x


def generate(workload: Workload, generator: torch.Generator) -> Tensors:
    """A normal x where drawing it like `a` would leave nothing but zeros to multiply; a positive
    one where sums of denormals shall not cancel."""
    import torch

    if workload.distribution in SAME_FOR_BOTH:
        return {}
    draw = torch.rand if workload.distribution == "denormal_positive" else torch.randn
    return {"x": draw(workload.dims["cols"], generator=generator)}


def magnitude(a: torch.Tensor, x: torch.Tensor, cols: int) -> torch.Tensor:
    """Sum of absolute products, times the growth of a sequential sum."""
    return (a.abs() @ x.abs()) * max(1.0, math.sqrt(cols) / 4)


def reversed_columns(a: torch.Tensor, x: torch.Tensor) -> Tensors:
    """The same sums in the opposite order."""
    return {"a": a.flip(1), "x": x.flip(0)}


def order_changes_rounding_only(
    a: torch.Tensor, x: torch.Tensor, y: torch.Tensor, y_t: torch.Tensor, cols: int
) -> float:
    """|y_t - y| in units of the rounding of two evaluations."""
    owed = 16 * UNIT * magnitude(a.double(), x.double(), cols) + 2.0**-119
    return float(((y_t.double() - y).abs() / owed).max())


def doubled(x: torch.Tensor) -> Tensors:
    """x times -2."""
    return {"x": -2.0 * x}


def linear(
    a: torch.Tensor, x: torch.Tensor, y: torch.Tensor, y_t: torch.Tensor, cols: int
) -> float:
    """|y_t + 2 y| in units of the rounding of two evaluations."""
    owed = 32 * UNIT * magnitude(a.double(), x.double(), cols) + 2.0**-118
    return float(((y_t.double() + 2.0 * y.double()).abs() / owed).max())


def mv_out(a: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> None:
    """Into recycled memory."""
    import torch

    torch.mv(a, x, out=y)


def addmv_out(a: torch.Tensor, x: torch.Tensor, y: torch.Tensor) -> None:
    """The BLAS form, beta = 0."""
    import torch

    torch.addmv(y, a, x, beta=0.0, out=y)


def linear_layer(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """As a layer with one token."""
    import torch

    return torch.nn.functional.linear(x, a)


def products(a: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    """Sums of products: compiled, every thread has its rows, also where the library's product of
    matrix and vector keeps to one thread."""
    return (a * x).sum(1)


def _workload(
    rows: int, cols: int, distribution: str = "normal", role: Role = Role.CHECK
) -> Workload:
    suffix = "" if distribution == "normal" else f"-{distribution}"
    dims = {"rows": rows, "cols": cols}
    return Workload(f"{rows}x{cols}{suffix}", dims, distribution=distribution, role=role)


problem = Problem(
    name="gemv",
    summary="y = A x for a dense row-major matrix",
    inputs=(Tensor("a", "rows cols"), Tensor("x", "cols")),
    outputs=(Tensor("y", "rows"),),
    reference=reference,
    workloads=(
        _workload(2048, 2048, role=Role.TIME),  # one decoded token, 1B language model
        _workload(1000, 2048, role=Role.TIME),  # classifier head of ResNet-50
        _workload(512, 8192, role=Role.TIME),  # down projection, long rows
        _workload(1, 1),
        _workload(7, 13),
        _workload(31, 127, "uniform"),
        _workload(257, 1),
        _workload(1, 4099),
        _workload(37, 300, "wide"),
        _workload(19, 263, "large_offset"),
        _workload(19, 67, "constant"),
        _workload(41, 33, "one_hot"),
        _workload(6, 250, "sorted"),
        _workload(4, 65, "denormal"),
        _workload(11, 36, "alternating"),
        _workload(6, 64, "zeros"),
        _workload(19, 1216),
        _workload(3, 2000, "denormal_positive"),
        _workload(1, 70001, "uniform"),
        _workload(70001, 1),
    ),
    flops=lambda rows, cols: 2 * rows * cols,
    bytes=lambda rows, cols: 4 * (rows * cols + rows + cols),
    policy=NumericPolicy(magnitude=magnitude),
    laws=(
        Law(
            "reversing the columns changes only rounding",
            order_changes_rounding_only,
            reversed_columns,
        ),
        Law("y is linear in x", linear, doubled),
    ),
    generate=generate,
    variants=(
        Variant("mv-out", mv_out),
        Variant("addmv-out", addmv_out),
        Variant("linear", linear_layer),
        Variant("mul-sum-compiled", products, compiled=True),
    ),
    description="Products may be summed in any order, in float32.",
)
