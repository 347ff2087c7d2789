"""Inner product of two vectors."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evaluator.problem import Law, NumericPolicy, Problem, Role, Tensor, Tensors, Variant, Workload

if TYPE_CHECKING:
    import torch

UNIT = 2.0**-24


def reference(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """sum of x_i y_i, as a vector of one element."""
    import torch

    return torch.dot(x, y).reshape(1)


def magnitude(x: torch.Tensor, y: torch.Tensor, n: int) -> torch.Tensor:
    """Sum of absolute products, times the growth of a sequential sum."""
    return (x * y).abs().sum().reshape(1) * max(1.0, math.sqrt(n) / 4)


def exchanged(x: torch.Tensor, y: torch.Tensor) -> Tensors:
    """x and y exchanged."""
    return {"x": y, "y": x}


def symmetric(
    x: torch.Tensor, y: torch.Tensor, out: torch.Tensor, out_t: torch.Tensor, n: int
) -> float:
    """|out_t - out| in units of the rounding of two evaluations."""
    owed = 16 * UNIT * magnitude(x.double(), y.double(), n) + 2.0**-119
    return float((out_t.double() - out).abs() / owed)


def dot_out(x: torch.Tensor, y: torch.Tensor, out: torch.Tensor) -> None:
    """Into recycled memory."""
    import torch

    torch.dot(x, y, out=out.view(()))


def vecdot(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """torch.linalg.vecdot."""
    import torch

    result: torch.Tensor = torch.linalg.vecdot(x, y).reshape(1)
    return result


def einsum(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    """Products first, then their sum."""
    return (x * y).sum().reshape(1)


def _workload(n: int, distribution: str = "normal", role: Role = Role.CHECK) -> Workload:
    suffix = "" if distribution == "normal" else f"-{distribution}"
    return Workload(f"n{n}{suffix}", {"n": n}, distribution=distribution, role=role)


problem = Problem(
    name="dot",
    summary="out[0] = sum of x[i] y[i]",
    inputs=(Tensor("x", "n"), Tensor("y", "n")),
    outputs=(Tensor("out", "1"),),
    reference=reference,
    workloads=(
        _workload(4194304, role=Role.TIME),
        _workload(524288, role=Role.TIME),
        _workload(1),
        _workload(2),
        _workload(13),
        _workload(67, "uniform"),
        _workload(129, "wide"),
        _workload(33, "large_offset"),
        _workload(48, "constant"),
        _workload(40, "sorted"),
        _workload(65, "denormal"),
        _workload(36, "alternating"),
        _workload(1021),
    ),
    flops=lambda n: 2 * n,
    bytes=lambda n: 8 * n + 4,
    policy=NumericPolicy(magnitude=magnitude),
    laws=(Law("x and y may be exchanged", symmetric, exchanged),),
    variants=(
        Variant("dot-out", dot_out),
        Variant("vecdot", vecdot),
        Variant("mul-sum", einsum),
        Variant("mul-sum-compiled", einsum, compiled=True),
    ),
    description="Products may be summed in any order. Bound by memory beyond the caches.",
)
