"""Inputs for telling mutants from their originals: many shapes and distributions drawn at random,
independent of the check workloads that a verdict rests on.

Ten problems say here what shapes they have; those of the others keep to what their own workloads
have in common (`evaluator.domain`).
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping

import torch

from evaluator import distributions
from evaluator.domain import Domain
from evaluator.inputs import draw_inputs
from evaluator.numeric import magnitudes, reference_outputs
from evaluator.problem import Problem, Role, Workload

Dims = dict[str, int]
Scalars = dict[str, float | int]
_LENGTHS = (1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 33, 48, 63, 64, 65, 97, 100, 127, 129, 255, 256,
            500, 511, 1000, 1025, 2047, 4096, 5003, 9999, 20011)  # fmt: skip
_EXTREMES = (40009, 70001)
_SHORT = (1, 2, 3, 4)
_LARGEST = 300_000
_USUAL = tuple(n for n in distributions.names() if n != "special")
_SPECIAL: Mapping[str, tuple[str, ...]] = {
    "softmax": ("spike", "masked"),
    "cumsum": ("special",),
    "histogram": ("special", "edges"),
    "spmv_csr": ("stencil", "banded", "power_law", "one_long_row"),
}
_KINDS: Mapping[str, tuple[str, ...]] = {
    "ntt": ("normal", "small", "largest", "impulse", "one_hot", "zeros"),
}
"""Problems that know no others."""
_BOUNDS = ((-4.0, 4.0), (0.0, 1.0), (-0.7, 1.9), (-100.0, 1000.0), (9997.0, 10003.0))
_EPSILONS = (1e-12, 1e-6, 1e-5, 0.1)
_NO_EXTREMES = frozenset({"linear_attention"})
"""Their references need memory by the square of a dimension."""
_TRIES = 400
"""So many shapes are drawn before an extreme one is given up."""


def broad(problem: Problem, seed: int, count: int) -> tuple[Workload, ...]:
    """`count` workloads with role `check`, then the problem's timed ones.

    In every sixth a dimension does not fit in 16 bits, where the problem has such shapes.
    """
    rng = random.Random(seed)
    if problem.name not in _SHAPES:
        return (*_similar(problem, rng, count), *problem.time_workloads)
    kinds = _KINDS.get(problem.name) or (*_USUAL, *_SPECIAL.get(problem.name, ()))
    drawn = []
    for number in range(count):
        dims, scalars = _shape(problem, rng, extreme=number % 6 == 5)
        name = f"broad-{number}"
        kind = kinds[number % len(kinds)]
        drawn.append(Workload(name, dims, scalars, kind, Role.CHECK))
    return (*drawn, *problem.time_workloads)


def _similar(problem: Problem, rng: random.Random, count: int) -> list[Workload]:
    """Workloads whose dimensions are bound together as those of the problem's own."""
    domain = Domain(problem)
    names = list(domain.values_of(domain.base))
    drawn: list[Workload] = []
    tries = 0
    while len(drawn) < count:
        tries += 1
        changed = rng.sample(names, rng.randint(1, len(names)))
        changes = {n: rng.choice(_LENGTHS) for n in changed}
        extreme = len(drawn) % 6 == 5 and problem.name not in _NO_EXTREMES
        if extreme and tries < _TRIES:
            changes = dict.fromkeys(changed, 1) | {changed[0]: rng.choice(_EXTREMES)}
        shaped = domain.workload(changes)
        like = rng.choice(problem.workloads)
        if shaped is None or not _small(problem, shaped.dims):
            continue
        whole = domain.values_of(shaped)
        scalars = {n: whole.get(n, value) for n, value in like.scalars.items()}
        found = Workload(f"broad-{len(drawn)}", shaped.dims, scalars, like.distribution, Role.CHECK)
        if _makes_sense(problem, found):
            drawn.append(found)
            tries = 0
    return drawn


def _small(problem: Problem, dims: Mapping[str, int]) -> bool:
    return all(math.prod(t.extents(dims)) <= _LARGEST for t in problem.tensors)


def _makes_sense(problem: Problem, workload: Workload) -> bool:
    """The problem's own code can draw inputs and compute results, which nobody promised it can."""
    try:
        inputs = draw_inputs(problem, workload, torch.Generator().manual_seed(1))
        expected = reference_outputs(problem, workload, inputs, "float64")
        magnitudes(problem, workload, inputs, expected)
    except Exception:  # any: its author did not foresee these dimensions
        return False
    return True


def _shape(problem: Problem, rng: random.Random, extreme: bool) -> tuple[Dims, Scalars]:
    draw = _SHAPES[problem.name]
    while True:
        extents = _extents(rng, extreme)
        dims, scalars = draw(rng, extents)
        if _small(problem, dims):
            return dims, {s.name: scalars[s.name] for s in problem.scalars}


def _extents(rng: random.Random, extreme: bool) -> list[int]:
    if not extreme:
        return [rng.choice(_LENGTHS) for _ in range(3)]
    extents = [rng.choice(_EXTREMES), rng.choice(_SHORT), rng.choice(_SHORT)]
    rng.shuffle(extents)
    return extents


def _matrix(rng: random.Random, extents: list[int]) -> tuple[Dims, Scalars]:
    return {"rows": extents[0], "cols": extents[1]}, {"eps": rng.choice(_EPSILONS)}


def _gemm(rng: random.Random, extents: list[int]) -> tuple[Dims, Scalars]:
    while math.prod(extents) > 1 << 24:
        extents = [rng.choice(_LENGTHS) for _ in range(3)]
    return dict(zip(("m", "k", "n"), extents, strict=True)), {}


def _jacobi(rng: random.Random, extents: list[int]) -> tuple[Dims, Scalars]:
    return {"h": extents[0], "w": extents[1]}, {"steps": rng.randrange(12)}


def _histogram(rng: random.Random, extents: list[int]) -> tuple[Dims, Scalars]:
    lo, hi = rng.choice(_BOUNDS)
    return {"n": extents[0], "bins": extents[1]}, {"lo": lo, "hi": hi}


def _sparse(rng: random.Random, extents: list[int]) -> tuple[Dims, Scalars]:
    rows, cols = extents[:2]
    nnz = min(rng.choice((1, rows, rng.randrange(1, 12 * rows), extents[2])), 100_000)
    return {"rows": rows, "rows1": rows + 1, "cols": cols, "nnz": nnz}, {}


def _transform(rng: random.Random, extents: list[int]) -> tuple[Dims, Scalars]:
    return {"batch": extents[0], "n": 1 << rng.randrange(16)}, {}


def _squares(rng: random.Random, extents: list[int]) -> tuple[Dims, Scalars]:
    q = rng.randrange(1, 60)
    return {"batch": extents[0], "n": q * q, "q": q}, {}


_SHAPES: Mapping[str, Callable[[random.Random, list[int]], tuple[Dims, Scalars]]] = {
    "softmax": _matrix, "layernorm": _matrix, "rmsnorm_residual": _matrix, "bias_gelu": _matrix,
    "gemv": _matrix, "cumsum": _matrix, "gemm": _gemm, "jacobi2d": _jacobi,
    "histogram": _histogram, "spmv_csr": _sparse, "ntt": _transform, "monarch": _squares,
}  # fmt: skip
