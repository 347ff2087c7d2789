"""What the evaluator found for a candidate: plain values, the archive stores them as they are."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluator.outcome import Outcome


def attributes(value: Interval | Stage | Check | Round | Comparison | Speedup) -> dict[str, Any]:
    """Attributes by name, as they are: these values are many and small and have no `__dict__`."""
    return {name: getattr(value, name) for name in value.__slots__}


@dataclass(frozen=True, slots=True)
class Interval:
    """An estimate with its 95 % confidence interval."""

    estimate: float
    low: float
    high: float


@dataclass(frozen=True)
class Evidence:
    """One reason behind an outcome, in words a kernel author can act on.

    Attributes:
        rule: One of `evaluator.rules.Rule` (an archive of another version may name others).
        message: What happened and where.
        workload: The workload it happened on, if any.
        details: Machine-readable particulars (index, expected, got, limit, ...).
    """

    rule: str
    message: str
    workload: str | None = None
    details: Mapping[str, str | int | float | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Stage:
    """How long one stage of the cascade took, in seconds of wall time."""

    name: str
    seconds: float


GENERATED = "generated("
"""How the names of workloads begin that were made for one candidate."""


@dataclass(frozen=True, slots=True)
class Check:
    """Correctness on one workload; `max_error` is in units of what the policy allows (<= 1)."""

    workload: str
    passed: bool
    max_error: float | None = None


@dataclass(frozen=True)
class Unreached:
    """Code of the candidate that no workload executed.

    Attributes:
        first, last: Lines of the source, from 1.
        source: Their text, trimmed.
        branch: The lines were executed, but one way of a branch on them was never taken.
    """

    first: int
    last: int
    source: str
    branch: bool = False


@dataclass(frozen=True, slots=True)
class Round:
    """One interleaved round: seconds per call of both sides; `foreign` is the share of the
    machine's CPU time other processes took; a disturbed round is kept but not `used`."""

    candidate: float
    other: float
    foreign: float
    used: bool


@dataclass(frozen=True, slots=True)
class Comparison:
    """Candidate against another implementation on one workload.

    Attributes:
        workload: Workload name.
        other: What it was compared with: `seed`, `incumbent`, `eager`, `compile`, ...
        seconds: Median seconds per call of the candidate.
        other_seconds: Median seconds per call of the other.
        speedup: other / candidate with its interval.
        rounds: Every round, raw.
        phase: `race` or `confirm` or `baseline`.
        roofline: Fraction of the roofline the candidate reached, if the target is calibrated.
    """

    workload: str
    other: str
    seconds: float
    other_seconds: float
    speedup: Interval
    rounds: tuple[Round, ...]
    phase: str
    roofline: float | None = None


TRAFFIC = "memory traffic"
"""A kernel that only moves the data, see `evaluator.traffic`."""
NO_VARIANTS = frozenset({"seed", "incumbent", TRAFFIC})


@dataclass(frozen=True, slots=True)
class Speedup:
    """Speedup over all time workloads (geometric mean), of the candidate over `other`.

    Attributes:
        other: `seed`, `incumbent`, `memory traffic`, or the name of a PyTorch variant.
        interval: other / candidate.
        confirmed: From a confirmation run (fresh runner, fresh inputs, more rounds).
        distinguishable: The interval excludes 1.0 by 2 %, the estimate by the noise floor.
    """

    other: str
    interval: Interval
    confirmed: bool
    distinguishable: bool

    @property
    def over_pytorch(self) -> bool:
        """The other is a PyTorch variant."""
        return self.other not in NO_VARIANTS


@dataclass(frozen=True)
class Evaluation:
    """Everything the evaluator found for one candidate on one target.

    Attributes:
        candidate: Digest of the candidate.
        target: Fingerprint name of the target.
        outcome: The verdict.
        evidence: Reasons, most important first.
        stages: Durations.
        build_log: Compiler output, trimmed.
        object_hash: SHA-256 of the loadable machine code, None if it was not built.
        same_object_as: Digest of an earlier candidate with identical machine code: nothing was
            run, the verdict is that one's, and so are its figures (they are not repeated here).
        profile: Static facts of the built artefact (instruction mix, sizes).
        checks: Correctness per workload.
        comparisons: Timing per workload and opponent, with raw rounds.
        speedups: Over all time workloads, per opponent.
        improved: The candidate was confirmed to be faster than the incumbent.
        unreached: Code that no workload executed, those generated for it included. Only known
            where it was vetted.
    """

    candidate: str
    target: str
    outcome: Outcome
    evidence: tuple[Evidence, ...] = ()
    stages: tuple[Stage, ...] = ()
    build_log: str = ""
    object_hash: str | None = None
    same_object_as: str | None = None
    profile: Mapping[str, float | int | str] = field(default_factory=dict)
    checks: tuple[Check, ...] = ()
    comparisons: tuple[Comparison, ...] = ()
    speedups: tuple[Speedup, ...] = ()
    improved: bool = False
    unreached: tuple[Unreached, ...] = ()

    def speedup_over(self, other: str) -> Speedup | None:
        """The speedup over an opponent; a confirmed figure is preferred."""
        found = [s for s in self.speedups if s.other == other]
        return max(found, key=lambda s: s.confirmed, default=None)
