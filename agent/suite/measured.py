"""What the suite found for one problem, and its form on disk."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import TypeAdapter

from evaluator.evaluation import NO_VARIANTS, TRAFFIC, Interval

State = Literal["faster", "same", "failed"]
SEED, BEST = "seed", "best"


@dataclass(frozen=True)
class Rival:
    """Something the kernel was timed against.

    Attributes:
        name: `eager`, `recycled`, `compile`, or a variant of the problem's.
        interval: Speedup of the kernel over it, all timed workloads together.
        distinguishable: It differs from 1 by more than the noise.
    """

    name: str
    interval: Interval
    distinguishable: bool


@dataclass(frozen=True)
class Measured:
    """One problem of a suite.

    Attributes:
        problem: As it was named to the suite.
        state: `faster`: a kernel was confirmed to be faster than the seed. `same`: none was.
            `failed`: the problem or this machine did not allow a result.
        reason: Why, in the campaign's words.
        kernel: Digest of the kernel; None if it failed.
        speedup: Over the seed; None unless faster.
        rivals: PyTorch variants, in the order they were measured.
        unmeasured: PyTorch variants that do not run or disagree with the reference, with reasons.
        roofline: Share of the roofline that the kernel reaches, mean over timed workloads.
        evaluations: Candidates that were evaluated.
        seconds: Wall time.
        origin: `campaign 7`, or `archive`.
        traffic: Share of the kernel's time that moving the data alone takes, measured beside it;
            None where that says nothing.
    """

    problem: str
    state: State
    reason: str = ""
    kernel: str | None = None
    speedup: Interval | None = None
    rivals: tuple[Rival, ...] = ()
    unmeasured: tuple[str, ...] = ()
    roofline: float | None = None
    evaluations: int = 0
    seconds: float = 0.0
    origin: str = ""
    traffic: Interval | None = None

    def over(self, name: str) -> Interval | None:
        """The speedup over the seed, a PyTorch variant by name, or the `best` of them."""
        if name == SEED:
            return self.speedup
        if name == BEST:
            return None if (nearest := self.nearest) is None else nearest.interval
        return next((r.interval for r in self.rivals if r.name == name), None)

    @property
    def nearest(self) -> Rival | None:
        """The PyTorch variant that is fastest."""
        return min(self.rivals, key=lambda r: r.interval.estimate, default=None)


FORM = TypeAdapter(Measured)
"""To and from JSON."""


def failed(problem: str, reason: str, seconds: float = 0.0) -> Measured:
    """A problem that gave no result."""
    return Measured(problem, "failed", reason, seconds=seconds)


def from_document(problem: str, document: Mapping[str, Any], origin: str) -> Measured:
    """Read off what `kernelmill optimize --json` prints.

    Args:
        problem: As it was named to the suite.
        document: The printed object; its keys are a public contract.
        origin: Where the kernel comes from.
    """
    table: Sequence[Mapping[str, Any]] = document["table"]
    over = document["speedup"]
    found = bool(document["found"]) and over is not None
    return Measured(
        problem=problem,
        state="faster" if found else "same",
        reason=document["reason"],
        kernel=document["best"],
        speedup=Interval(**over["interval"]) if found else None,
        rivals=tuple(_rival(row) for row in table if row["name"] not in {BEST, *NO_VARIANTS}),
        unmeasured=tuple(f"{f['variant']}: {f['reason']}" for f in document["failures"]),
        roofline=_share(table[0]["timings"]) if table else None,
        traffic=next((_rival(row).interval for row in table if row["name"] == TRAFFIC), None),
        evaluations=document["evaluations"],
        seconds=document["seconds"],
        origin=origin,
    )


def _rival(row: Mapping[str, Any]) -> Rival:
    best_is = row["best_is"]
    return Rival(row["name"], Interval(**best_is["interval"]), best_is["distinguishable"])


def _share(timings: Sequence[Mapping[str, Any]]) -> float | None:
    shares = [t["roofline"] for t in timings if t["roofline"] is not None]
    return sum(shares) / len(shares) if shares else None
