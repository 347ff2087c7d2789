"""Input sets of a workload: drawing them, and making fresh ones at memory-copy speed.

A timed batch must never see inputs that an earlier call saw, or a kernel could answer from a cache
keyed by content. Drawing random numbers for every batch would take longer than the batch, so two
*base* sets are drawn once and `refresh_inputs` writes mixtures of them: floating tensors are
shifted cyclically by random offsets, one is multiplied by a random factor and added to the other,
in one pass over memory. A kernel may know both bases; to find out how they were mixed it would have
to look at every element, which takes longer than the work it wants to save. (One base alone,
shifted and scaled, can be recognised from a dozen elements, and the results of many problems follow
from the base's by a shift and a factor.)
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from evaluator import distributions
from evaluator.errors import ProblemError
from evaluator.problem import FLOATING, Problem, Tensor, Tensors, Workload, call_by_name

if TYPE_CHECKING:
    import torch

_SCALE_LOW, _SCALE_HIGH = 0.75, 1.25
_SHARE_LOW, _SHARE_HIGH = 0.25, 0.75


def draw_inputs(
    problem: Problem, workload: Workload, generator: torch.Generator
) -> dict[str, torch.Tensor]:
    """Draw one input set: what `problem.generate` returns, the rest from the distribution.

    Returns:
        A contiguous CPU tensor per input, in parameter order.

    Raises:
        ProblemError: `generate` returned a wrong name, shape or dtype, or the distribution is
            unknown.
    """
    drawn = dict(problem.generate(workload, generator)) if problem.generate else {}
    if strange := set(drawn) - {t.name for t in problem.inputs}:
        raise ProblemError(
            f"problem {problem.name!r}: generate() returned {min(strange)!r}, which is no input"
        )
    result = {}
    for tensor in problem.inputs:
        shape = tensor.extents(workload.dims)
        if tensor.name in drawn:
            _require(problem, workload, tensor, drawn[tensor.name])
            result[tensor.name] = drawn[tensor.name]
        else:
            name = workload.distribution
            result[tensor.name] = distributions.draw(name, shape, tensor.dtype, generator)
    return result


def refresh_inputs(
    problem: Problem,
    base: Tensors,
    generator: torch.Generator,
    out: Mapping[str, torch.Tensor],
    second: Tensors | None = None,
) -> None:
    """Write a fresh variant of the input set `base` into the preallocated tensors `out`.

    Per input: the problem's `refresh` rule if it has one (bound by name to `base`, `generator` and
    the dimensions of the inputs); else floating tensors are mixed with those of `second`, or where
    it has none shifted and scaled, so that infinities and NaN stay what they are; else each integer
    is drawn anew from the base tensor's own values.

    Args:
        problem: Gives the inputs and their rules.
        base: A drawn input set; not changed.
        generator: CPU generator.
        out: Contiguous tensors of the same shapes and dtypes, e.g. views of shared memory.
        second: Tensors of another input set to mix in; all their values finite.

    Raises:
        ProblemError: A rule returned another shape or dtype.
    """
    import torch

    dims = _input_dims(problem, base)
    for tensor in problem.inputs:
        old, new = base[tensor.name], out[tensor.name]
        if rule := problem.refresh.get(tensor.name):
            fresh = call_by_name(rule, {**dims, "base": old, "generator": generator})
            if fresh.shape != old.shape or fresh.dtype != old.dtype:
                raise ProblemError(
                    f"problem {problem.name!r}: the refresh rule of {tensor.name!r} returned "
                    f"{_form(fresh)}, not {_form(old)}"
                )
            new.copy_(fresh)
        elif tensor.dtype in FLOATING and second is not None and tensor.name in second:
            _mix(old, second[tensor.name], generator, new)
        elif tensor.dtype in FLOATING:
            _shift_and_scale(old, generator, new)
        elif old.numel():
            pick = torch.randint(old.numel(), (old.numel(),), generator=generator)
            new.view(-1).copy_(old.reshape(-1)[pick])


def bind(problem: Problem, workload: Workload, tensors: Tensors) -> dict[str, Any]:
    """Everything a problem's callables may name: tensors, dimensions and scalars."""
    return {**problem.received(workload), **tensors}


def _shift_and_scale(old: torch.Tensor, generator: torch.Generator, new: torch.Tensor) -> None:
    """new[i + shift mod n] = scale * old[i] with a random shift and a random scale near 1."""
    import torch

    source, target = old.reshape(-1), new.view(-1)
    count = source.numel()
    if count == 0:
        return
    shift = int(torch.randint(count, (), generator=generator))
    random = float(torch.rand((), generator=generator, dtype=torch.float64))
    scale = _SCALE_LOW + (_SCALE_HIGH - _SCALE_LOW) * random
    torch.mul(source[: count - shift], scale, out=target[shift:])
    if shift:
        torch.mul(source[count - shift :], scale, out=target[:shift])


def _mix(
    first: torch.Tensor, second: torch.Tensor, generator: torch.Generator, new: torch.Tensor
) -> None:
    """new[i] = first[i - k] + share * second[i - l], indices modulo n, k, l and share random."""
    import torch

    one, two, target = first.reshape(-1), second.reshape(-1), new.view(-1)
    count = one.numel()
    if count == 0:
        return
    k, l_ = (int(torch.randint(count, (), generator=generator)) for _ in range(2))
    random = float(torch.rand((), generator=generator, dtype=torch.float64))
    share = _SHARE_LOW + (_SHARE_HIGH - _SHARE_LOW) * random
    cuts = sorted({0, k, l_, count})
    for start, end in itertools.pairwise(cuts):
        at, beside, size = (start - k) % count, (start - l_) % count, end - start
        parts = one[at : at + size], two[beside : beside + size]
        torch.add(*parts, alpha=share, out=target[start:end])


def _input_dims(problem: Problem, base: Tensors) -> dict[str, int]:
    pairs = (
        (a, n) for t in problem.inputs for a, n in zip(t.axes, base[t.name].shape, strict=True)
    )
    return {axis: extent for axis, extent in pairs if not axis.isdecimal()}


def _require(problem: Problem, workload: Workload, tensor: Tensor, got: torch.Tensor) -> None:
    import torch

    shape = tensor.extents(workload.dims)
    wanted: torch.dtype = getattr(torch, tensor.dtype)
    if tuple(got.shape) != shape or got.dtype != wanted or not got.is_contiguous():
        raise ProblemError(
            f"problem {problem.name!r}, workload {workload.name!r}: generate() returned "
            f"{tensor.name!r} as {_form(got)}; make it contiguous {tensor.dtype}{list(shape)} "
            f"({math.prod(shape)} elements)"
        )


def _form(tensor: torch.Tensor) -> str:
    layout = "" if tensor.is_contiguous() else "non-contiguous "
    return f"{layout}{str(tensor.dtype).removeprefix('torch.')}{list(tensor.shape)}"
