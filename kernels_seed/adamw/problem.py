"""A fused AdamW step (Loshchilov and Hutter, "Decoupled Weight Decay Regularization")."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from evaluator.problem import (
    Law,
    NumericPolicy,
    Problem,
    Role,
    Scalar,
    Tensor,
    Tensors,
    Variant,
    Workload,
)

if TYPE_CHECKING:
    import torch

UNIT = 2.0**-24


def reference(
    p: torch.Tensor,
    g: torch.Tensor,
    m: torch.Tensor,
    v: torch.Tensor,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    step: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """One step; the bias corrections are those of float scalars, computed in double."""
    m_new = beta1 * m + (1.0 - beta1) * g
    v_new = beta2 * v + (1.0 - beta2) * g * g
    first, second = 1.0 - beta1**step, 1.0 - beta2**step
    change = (m_new / first) / (v_new.sqrt() / math.sqrt(second) + eps)
    return p * (1.0 - lr * decay) - lr * change, m_new, v_new


def generate(workload: Workload, generator: torch.Generator) -> Tensors:
    """Second moments are not negative, and of the size that the gradients' squares have: 0 for
    denormal gradients, so that they are divided by eps alone and weights show who flushes them."""
    import torch

    n = workload.dims["n"]
    size = {"wide": 8.0, "large_offset": 1e4}.get(workload.distribution, 1.0)
    if workload.distribution == "zeros":
        return {}
    if workload.distribution == "denormal":
        return {"v": torch.zeros(n)}
    noise = torch.randn(n, generator=generator)
    return {"v": (size * noise).square() + 1e-8}


def magnitude(
    p: torch.Tensor,
    g: torch.Tensor,
    m: torch.Tensor,
    v: torch.Tensor,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    step: int,
) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Sums of absolute terms; the quotient passes on the errors of both moments."""
    m_size = (beta1 * m).abs() + ((1.0 - beta1) * g).abs()
    v_new = beta2 * v + (1.0 - beta2) * g * g
    first, second = 1.0 - beta1**step, 1.0 - beta2**step
    change = (m_size / first) / (v_new.sqrt() / math.sqrt(second) + eps)
    return p.abs() + 4.0 * lr * change, m_size, v_new


def negated(p: torch.Tensor, g: torch.Tensor, m: torch.Tensor) -> Tensors:
    """Weights, gradients and first moments with the opposite sign."""
    return {"p": -p, "g": -g, "m": -m}


def odd(
    p_new: torch.Tensor,
    p_new_t: torch.Tensor,
    v_new: torch.Tensor,
    v_new_t: torch.Tensor,
    p: torch.Tensor,
    g: torch.Tensor,
    m: torch.Tensor,
    v: torch.Tensor,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    step: int,
) -> float:
    """Weights change sign, second moments do not, in units of the rounding of two evaluations."""
    exact = (p.double(), g.double(), m.double(), v.double())
    size, _, second = magnitude(*exact, lr, beta1, beta2, eps, decay, step)
    weights = (p_new_t.double() + p_new).abs() / (32 * UNIT * size + 2.0**-118)
    moments = (v_new_t.double() - v_new).abs() / (16 * UNIT * second + 2.0**-118)
    return float(max(weights.max(), moments.max()))


def in_place(
    p: torch.Tensor,
    g: torch.Tensor,
    m: torch.Tensor,
    v: torch.Tensor,
    p_new: torch.Tensor,
    m_new: torch.Tensor,
    v_new: torch.Tensor,
    lr: float,
    beta1: float,
    beta2: float,
    eps: float,
    decay: float,
    step: int,
) -> None:
    """The operations of torch.optim.AdamW, into recycled memory."""
    import torch

    torch.lerp(m, g, 1.0 - beta1, out=m_new)
    torch.mul(v, beta2, out=v_new).addcmul_(g, g, value=1.0 - beta2)
    first, second = 1.0 - beta1**step, 1.0 - beta2**step
    scale = v_new.sqrt().div_(math.sqrt(second)).add_(eps)
    torch.mul(p, 1.0 - lr * decay, out=p_new).addcdiv_(m_new, scale, value=-lr / first)


def _workload(
    n: int,
    distribution: str = "normal",
    lr: float = 1e-3,
    step: int = 10,
    decay: float = 0.01,
    eps: float = 1e-8,
    role: Role = Role.CHECK,
) -> Workload:
    suffix = "" if distribution == "normal" else f"-{distribution}"
    scalars: dict[str, float | int] = {
        "lr": lr, "beta1": 0.9, "beta2": 0.999, "eps": eps, "decay": decay, "step": step,
    }  # fmt: skip
    return Workload(f"{n}-{step}{suffix}", {"n": n}, scalars, distribution, role)


problem = Problem(
    name="adamw",
    summary="one AdamW step: new weights and moments (workloads: n - step)",
    inputs=(Tensor("p", "n"), Tensor("g", "n"), Tensor("m", "n"), Tensor("v", "n")),
    outputs=(Tensor("p_new", "n"), Tensor("m_new", "n"), Tensor("v_new", "n")),
    scalars=(
        Scalar("lr"),
        Scalar("beta1"),
        Scalar("beta2"),
        Scalar("eps"),
        Scalar("decay"),
        Scalar("step", "int64"),
    ),
    reference=reference,
    workloads=(
        _workload(1048576, role=Role.TIME),
        _workload(2097152, step=1000, role=Role.TIME),
        _workload(65536, step=3, role=Role.TIME),
        _workload(1),
        _workload(13, step=1),
        _workload(1021, "uniform", lr=0.1),
        _workload(4099, step=100000),
        _workload(515, "wide"),
        _workload(263, "large_offset", decay=0.3),
        _workload(67, "constant", step=2),
        _workload(250, "sorted", decay=0.0),
        _workload(65, "denormal", lr=0.01),
        _workload(127, "alternating", eps=1e-3),
        _workload(33, "zeros"),
    ),
    flops=lambda n: 14 * n,
    bytes=lambda n: 28 * n,
    policy=NumericPolicy(magnitude=magnitude),
    laws=(Law("changing all signs changes the sign of the weights", odd, negated),),
    generate=generate,
    variants=(Variant("adamw-out", in_place),),
    description=(
        "m_new = beta1 m + (1 - beta1) g; v_new = beta2 v + (1 - beta2) g^2; p_new = p (1 - lr "
        "decay) - lr (m_new / (1 - beta1^step)) / (sqrt(v_new) / sqrt(1 - beta2^step) + eps). "
        "1 - beta^step cancels: compute it in double. v is never negative, step at least 1."
    ),
)
