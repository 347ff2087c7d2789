"""Proposing children: single rewrites, random chains of them, and new tunables."""

from __future__ import annotations

import functools
import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from agent.transform.rewrite import Rewrite, Rule
from agent.transform.rules.buffers import ParallelCopy, SwapInsteadOfCopy, ThreadLocalScratch
from agent.transform.rules.edges import SplitEdges
from agent.transform.rules.extremum import IndexOfExtremum
from agent.transform.rules.flags import Flags
from agent.transform.rules.functions import FastMath, ReciprocalSqrt, VectorMath
from agent.transform.rules.fusion import Fission, Fuse
from agent.transform.rules.interchange import Interchange
from agent.transform.rules.invariants import HoistInvariant, HoistReciprocal
from agent.transform.rules.jam import UnrollAndJam
from agent.transform.rules.memory import Prefetch, StreamingStores
from agent.transform.rules.online import OnlineMaxSum
from agent.transform.rules.parallel import ParallelFor, ParallelRegion, StaticPartition
from agent.transform.rules.peel import AlignStart
from agent.transform.rules.pointers import AssumeAligned, Restrict
from agent.transform.rules.precision import FloatLiterals, SinglePrecision
from agent.transform.rules.privatise import Privatise, StageScatter
from agent.transform.rules.scan import BlockedScan
from agent.transform.rules.tiling import StripMine, Tile
from agent.transform.rules.timetile import TimeTile
from agent.transform.rules.unroll import SplitAccumulator, Unroll
from agent.transform.rules.vectorise import IgnoreDependences, Simd
from agent.transform.syntax import UNITS, Unit, parse
from evaluator.errors import SourceError
from evaluator.tunables import declared

RULES: tuple[Rule, ...] = (
    ParallelFor(),
    ParallelRegion(),
    StaticPartition(),
    Simd(),
    IgnoreDependences(),
    Restrict(),
    AssumeAligned(),
    Tile(),
    TimeTile(),
    StripMine(),
    Interchange(),
    UnrollAndJam(),
    Unroll(),
    AlignStart(),
    SplitEdges(),
    SplitAccumulator(),
    Fuse(),
    Fission(),
    HoistReciprocal(),
    HoistInvariant(),
    FloatLiterals(),
    SinglePrecision(),
    FastMath(),
    VectorMath(),
    ReciprocalSqrt(),
    OnlineMaxSum(),
    BlockedScan(),
    IndexOfExtremum(),
    Privatise(),
    StageScatter(),
    Prefetch(),
    StreamingStores(),
    ThreadLocalScratch(),
    SwapInsteadOfCopy(),
    ParallelCopy(),
    Flags(),
)
"""Every rule, in no order that matters."""

PRIOR: Mapping[str, float] = {
    "parallel-for": 3.0,
    "parallel-region": 2.5,
    "simd": 3.0,
    "unroll-and-jam": 3.0,
    "blocked-scan": 3.0,
    "index-of-extremum": 3.0,
    "split-edges": 2.5,
    "privatise": 3.0,
    "stage-scatter": 3.0,
    "time-tile": 3.0,
    "interchange": 2.0,
    "fast-functions": 2.0,
    "vector-math": 2.0,
    "flags": 2.0,
    "split-accumulator": 2.0,
    "swap-buffers": 2.0,
    "single-precision": 1.5,
    "fission": 1.0,
    "fuse": 1.5,
    "tile": 1.5,
    "streaming-stores": 1.0,
    "restrict": 1.0,
    "hoist-reciprocal": 1.0,
    "assume-aligned": 0.5,
    "unroll": 0.7,
    "align-start": 1.0,
    "prefetch": 0.6,
    "ivdep": 0.5,
    "static-partition": 0.4,
    "strip-mine": 0.4,
    "parallel-copy": 1.0,
    "hoist-invariant": 0.4,
    "rsqrt": 0.3,
    "float-literals": 0.7,
    "online-max-sum": 0.4,
    "thread-local-scratch": 1.0,
}
LENGTHS = (1, 1, 1, 2, 2, 3, 4)
_LARGEST = 60_000
"""Sources above this many characters are not rewritten further."""
_LONG, _GROWTH = 8_000, 1.25
"""A rewrite that makes a source longer than this, and by more than this factor, is left out: every
blocked loop doubles the code inside it, and four of them in one another kept the compiler busy for
47 s. Of 1,500 candidates on eighteen problems, none above 6,200 characters was an improvement."""


@dataclass(frozen=True)
class Proposal:
    """A child to evaluate.

    Attributes:
        source: Its text.
        tunables: Values for tunables it declares; others keep their defaults.
        rules: Names of the rules that were applied, in order.
        description: What they did, in words.
    """

    source: str
    tunables: Mapping[str, int] = field(default_factory=dict)
    rules: tuple[str, ...] = ()
    description: str = ""


def all_rewrites(source: str) -> list[Rewrite]:
    """Every single application of every rule; empty for a source that cannot be parsed."""
    unit = _readable(source)
    if unit is None:
        return []
    return [r for rule in RULES for r in rewrites(rule, unit)]


def rewrites(rule: Rule, unit: Unit) -> list[Rewrite]:
    """The applications of one rule that change the source and still parse."""
    return [r for r in _offered(rule, unit) if parse(r.source) is not None]


def propose(
    source: str,
    tunables: Mapping[str, int],
    rng: random.Random,
    credit: Mapping[str, float] | None = None,
    steps: int | None = None,
) -> Proposal | None:
    """One child: a random chain of rewrites.

    Args:
        source: The parent's text.
        tunables: The parent's values; those the child still declares are kept.
        rng: Its state alone decides the child.
        credit: Factor per rule name on its prior weight; 1 where missing.
        steps: Length of the chain; one to four by default.

    Returns:
        The child, or None if no rule applies. Its text always differs from the parent's.
    """
    length = rng.choice(LENGTHS) if steps is None else steps
    chain: list[Rewrite] = []
    at = source
    for _ in range(length):
        # Flags once a chain: another set of them would only replace the first.
        spent = {r.rule for r in chain} & {"flags"}
        step = _step(at, rng, credit or {}, {r.source for r in chain} | {source}, spent)
        if step is None:
            break
        chain.append(step)
        at = step.source
    if not chain:
        return None
    return as_proposal(chain, tunables)


def as_proposal(chain: Sequence[Rewrite], tunables: Mapping[str, int]) -> Proposal:
    """The child at the end of a chain of rewrites."""
    source = chain[-1].source
    return Proposal(
        source,
        inherited(source, tunables),
        tuple(r.rule for r in chain),
        "; ".join(r.description for r in chain),
    )


def inherited(source: str, tunables: Mapping[str, int]) -> dict[str, int]:
    """Those of a parent's tunables that a child's source still allows."""
    allowed = {t.name: t.choices for t in declared(source)}
    return {n: v for n, v in tunables.items() if v in allowed.get(n, ())}


def _readable(source: str) -> Unit | None:
    """The parsed source; None if rules have nothing to hold on to."""
    if len(source) > _LARGEST:
        return None
    try:
        declared(source)
    except SourceError:
        return None
    return parse(source)


def _step(
    source: str,
    rng: random.Random,
    credit: Mapping[str, float],
    seen: set[str],
    spent: set[str],
) -> Rewrite | None:
    unit = _readable(source)
    if unit is None:
        return None
    left = {rule.name: rule for rule in RULES if rule.name not in spent}
    while left:
        names = list(left)
        weights = [_weight(n, source) * max(credit.get(n, 1.0), 0.01) for n in names]
        rule = left.pop(rng.choices(names, weights)[0])
        if step := _drawn(rule, unit, rng, seen):
            return step
    return None


def _drawn(rule: Rule, unit: Unit, rng: random.Random, seen: set[str]) -> Rewrite | None:
    """One application of a rule, the first ones likelier; only what is drawn is parsed."""
    found = [r for r in _offered(rule, unit) if r.source not in seen]
    while found:
        step = found.pop(rng.choices(range(len(found)), [0.7**i for i in range(len(found))])[0])
        if parse(step.source) is not None:
            return step
    return None


@functools.lru_cache(maxsize=UNITS * len(RULES))
def _offered(rule: Rule, unit: Unit) -> tuple[Rewrite, ...]:
    """The applications of a rule that change the source and do not bloat it, one for every text."""
    most = max(_LONG, _GROWTH * len(unit.source))
    fit = [r for r in rule.rewrites(unit) if r.source != unit.source and len(r.source) <= most]
    return tuple({r.source: r for r in fit}.values())


def _weight(name: str, source: str) -> float:
    """Prior of a rule; what a naive kernel lacks most comes first."""
    weight = PRIOR.get(name, 1.0)
    if (
        name in ("parallel-for", "parallel-region", "privatise", "stage-scatter", "time-tile")
        and "#pragma omp p" not in source
    ):
        return weight * 4
    if name == "simd" and " simd" not in source:
        return weight * 2
    if name == "flags":
        return 0.4 if "flags:" in source else weight * 2
    return weight
