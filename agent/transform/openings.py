"""First children of a seed: combinations of rules that tend to pay together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from agent.transform.engine import RULES, Proposal, as_proposal, rewrites
from agent.transform.rewrite import Rewrite
from agent.transform.rules.flags import CAREFUL, FAST, WIDE, merge
from agent.transform.rules.parallel import BOTH
from agent.transform.syntax import parse
from evaluator.errors import SourceError
from evaluator.tunables import declared, flags, with_flags

_MANY = 16


@dataclass(frozen=True)
class _Step:
    """Apply a rule's first rewrite (the first that says `of` itself) up to `times` times; `key`
    steps must apply at least once."""

    rule: str
    times: int = 1
    key: bool = False
    of: str = ""


@dataclass(frozen=True)
class _Recipe:
    steps: tuple[_Step, ...]
    flags: tuple[str, ...]


_CLEAN = (_Step("single-precision"), _Step("float-literals"))
_THREADS = (_Step("parallel-for"),)
_THREADS_OVER_TWO = (_Step("parallel-for", key=True, of=BOTH),)
_INTERIOR = (_Step("split-edges", key=True),)
_VECTORS = (_Step("simd", _MANY), _Step("restrict"))
_HOIST = (_Step("hoist-reciprocal", _MANY),)
_BUFFERS = (_Step("swap-buffers"), _Step("thread-local-scratch", _MANY), _Step("parallel-copy"))

_RECIPES: tuple[_Recipe, ...] = (
    _Recipe((*_THREADS, *_VECTORS), FAST),
    _Recipe((*_THREADS_OVER_TWO, *_VECTORS), FAST),
    _Recipe((_Step("privatise", key=True), *_VECTORS), WIDE),
    _Recipe((_Step("stage-scatter", key=True), *_VECTORS), WIDE),
    _Recipe(
        (*_BUFFERS, _Step("time-tile", key=True), _Step("align-start", _MANY), *_VECTORS), WIDE
    ),
    _Recipe((*_BUFFERS, _Step("parallel-region", key=True), *_VECTORS), WIDE),
    _Recipe((*_THREADS, _Step("restrict")), WIDE),
    _Recipe((_Step("unroll-and-jam", 2, key=True), *_THREADS, *_VECTORS), WIDE),
    _Recipe((_Step("unroll-and-jam", 2, key=True), *_THREADS_OVER_TWO, *_VECTORS), WIDE),
    _Recipe((_Step("blocked-scan", key=True), *_THREADS, *_VECTORS), WIDE),
    _Recipe((*_INTERIOR, _Step("unroll-and-jam", key=True), *_THREADS_OVER_TWO, *_VECTORS), WIDE),
    _Recipe((*_INTERIOR, *_THREADS_OVER_TWO, *_VECTORS), FAST),
    _Recipe((*_INTERIOR, *_THREADS, *_VECTORS), FAST),
    _Recipe((_Step("index-of-extremum", _MANY, key=True), *_THREADS, *_VECTORS), CAREFUL),
    _Recipe((*_CLEAN, _Step("fast-functions", key=True), *_HOIST, *_THREADS, *_VECTORS), CAREFUL),
    _Recipe((*_CLEAN, _Step("vector-math", key=True), *_HOIST, *_THREADS, *_VECTORS), CAREFUL),
    _Recipe((_Step("interchange", key=True), *_THREADS, *_VECTORS), FAST),
    _Recipe((*_CLEAN, *_HOIST, *_THREADS, *_VECTORS), CAREFUL),
    _Recipe((_Step("split-accumulator", _MANY, key=True), *_THREADS, *_VECTORS), WIDE),
    _Recipe((*_THREADS, _Step("unroll", _MANY, key=True), _Step("restrict")), FAST),
    _Recipe((*_THREADS, _Step("streaming-stores", key=True), *_VECTORS), FAST),
)


def openings(source: str) -> list[Proposal]:
    """Strong first children of a seed, the most promising first; the same for the same source.

    Returns:
        About six to ten proposals without repeats; empty if the source cannot be parsed.
    """
    try:
        declared(source)
        flags(source)
    except SourceError:
        return []
    found: dict[str, Proposal] = {}
    for recipe in _RECIPES:
        proposal = _cook(source, recipe)
        if proposal is not None and proposal.source != source:
            found.setdefault(proposal.source, proposal)
    return list(found.values())


def _cook(source: str, recipe: _Recipe) -> Proposal | None:
    chain: list[Rewrite] = []
    at = source
    for step in recipe.steps:
        applied = apply_first(at, step.rule, step.times, step.of)
        if step.key and not applied:
            return None
        chain += applied
        at = chain[-1].source if chain else at
    if not chain:
        return None
    at = with_flags(at, merge(flags(at), recipe.flags))
    chain.append(Rewrite("flags", f"flags {' '.join(recipe.flags)}", at))
    return as_proposal(chain, {})


def apply_first(source: str, rule_name: str, times: int, of: str = "") -> Sequence[Rewrite]:
    """Apply the first rewrite of a rule whose description has `of` in it, up to `times` times."""
    rule = next(r for r in RULES if r.name == rule_name)
    chain: list[Rewrite] = []
    for _ in range(times):
        unit = parse(source)
        offered = rewrites(rule, unit) if unit is not None else []
        found = [r for r in offered if of in r.description]
        if not found:
            break
        chain.append(found[0])
        source = found[0].source
    return chain
