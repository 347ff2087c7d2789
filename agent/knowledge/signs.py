"""What a kernel and its problem show, in single words: the way from a profile to technique cards.

Signs choose advice and nothing else, so a wrong one costs a few lines of a prompt.
"""

from __future__ import annotations

import inspect
import re
import textwrap
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

from evaluator.evaluation import Evaluation
from evaluator.problem import ITEMSIZE, Problem
from evaluator.target import Target

SIGNS: Mapping[str, str] = {
    "serial": "no parallel region",
    "scalar": "no vector arithmetic, or xmm only",
    "narrow": "vectors narrower than the machine's",
    "calls": "calls other than those of OpenMP",
    "gather": "gathering loads, or indices among the inputs",
    "memory-bound": "more than half of the roofline, or little arithmetic per byte",
    "compute-bound": "much arithmetic per byte",
    "far": "less than a quarter of the roofline",
    "tiny": "a call takes less than 50 us somewhere",
    "large": "tensors of more than 8 MB somewhere",
    "unbalanced": "one timed workload is much further from its roofline than another",
    "rows": "independent rows",
    "sums": "sums or maxima over an axis",
    "scan": "prefix sums or another recurrence",
    "exp": "exponentials or functions made of them",
    "matrix": "products of matrices, convolutions",
    "sparse": "compressed rows or bitmaps",
    "steps": "repeated sweeps",
    "scatter": "writes to places that depend on data",
    "integer": "integer results",
    "narrow-types": "inputs narrower than 32 bits",
}
"""Every sign, with what it says."""
LITTLE, MUCH = 4.0, 16.0
"""Operations per byte."""
_WORDS: Mapping[str, str] = {
    "sums": r"sum|mean|norm|softmax|max|logsumexp|cross_entropy|var",
    "scan": r"cumsum|decay|\bscan\b|for step in",
    "exp": r"softmax|exp|sigmoid|silu|gelu|erf|tanh|cross_entropy",
    "matrix": r" @ |\bmm\b|matmul|einsum|conv|bmm",
    "scatter": r"bincount|scatter|index_add|histc",
}


def signs(
    problem: Problem, evaluation: Evaluation | None, isa: Collection[str] = ()
) -> frozenset[str]:
    """What a kernel shows.

    Args:
        problem: What it computes.
        evaluation: What is known of it; None for nothing.
        isa: Vector extensions of the target.
    """
    found = _of_problem(problem)
    if evaluation is not None and evaluation.profile:
        found |= _of_profile(evaluation, isa)
    if evaluation is not None and evaluation.comparisons:
        found |= _of_times(evaluation)
    return frozenset(found)


def isa_of(target: Target) -> tuple[str, ...]:
    """Vector extensions of a target, as far as they are known."""
    known = target.facts.get("isa")
    return tuple(map(str, known)) if isinstance(known, list | tuple) else ()


def _of_problem(problem: Problem) -> set[str]:
    source = source_of(problem.reference)
    found = {sign for sign, words in _WORDS.items() if re.search(words, source)}
    work = [problem.work(w) for w in problem.time_workloads]
    intensity = max(flops / max(1, nbytes) for flops, nbytes in work)
    tests: Mapping[str, bool] = {
        "memory-bound": intensity < LITTLE,
        "compute-bound": intensity > MUCH,
        "large": max(nbytes for _, nbytes in work) > 8 << 20,
        "rows": bool({"rows", "heads", "batch", "channels", "tokens"} & set(problem.dims)),
        "sparse": any("ptr" in t.name or t.name == "bitmap" for t in problem.inputs),
        "gather": any(t.dtype in ("int32", "int64") for t in problem.inputs),
        "steps": any(s.name in ("steps", "iterations") for s in problem.scalars),
        "integer": any("int" in t.dtype for t in problem.outputs),
        "narrow-types": any(ITEMSIZE[t.dtype] < 4 for t in problem.inputs),
    }
    return found | {sign for sign, holds in tests.items() if holds}


def _of_profile(evaluation: Evaluation, isa: Collection[str]) -> set[str]:
    profile = evaluation.profile
    if "registers" in profile:  # code for a GPU; the signs below are a CPU's
        return set()
    widest = str(profile.get("vector", "scalar"))
    best = next((v for v in ("avx512", "avx2") if v in isa), "sse")
    tests: Mapping[str, bool] = {
        "serial": not profile.get("parallel_regions"),
        "scalar": widest in ("scalar", "sse"),
        "narrow": widest != best and widest not in ("amx", "scalar"),
        "calls": _number(profile, "calls") > _number(profile, "parallel_regions")
        + _number(profile, "libmvec_calls"),
        "gather": _number(profile, "gather") > 0,
    }  # fmt: skip
    return {sign for sign, holds in tests.items() if holds}


def _of_times(evaluation: Evaluation) -> set[str]:
    shares = [c.roofline for c in evaluation.comparisons if c.roofline]
    found = {"tiny"} if min(c.seconds for c in evaluation.comparisons) < 50e-6 else set()
    if shares:
        found |= {"far"} if min(shares) < 0.25 else set()
        found |= {"memory-bound"} if max(shares) > 0.5 else set()
        found |= {"unbalanced"} if max(shares) > 2 * min(shares) else set()
    return found


def _number(profile: Mapping[str, float | int | str], key: str) -> float:
    value = profile.get(key, 0)
    return float(value) if isinstance(value, int | float) else 0.0


@lru_cache(maxsize=64)
def source_of(function: Callable[..., object]) -> str:
    """The function's own lines; "" where they cannot be had."""
    try:
        return textwrap.dedent(inspect.getsource(function)).strip()
    except (OSError, TypeError):
        return ""
