"""Comparing lanes: a short race that stops early, and a confirmation that decides.

The race spends few rounds on the hopeless and more on the close. Because the best of many noisy
candidates looks better than it is, its figure only decides who is confirmed: a confirmation uses
fresh runners, fresh inputs, more rounds, and audits of timed outputs against the references.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median

from evaluator import statistics
from evaluator.evaluation import Comparison, Interval, Round
from evaluator.lane import Lane
from evaluator.statistics import Decision
from evaluator.stopwatch import EARLY_SECONDS, Stopwatch, Timed, slope
from evaluator.verify import watching

CONFIRM_PAIRS = 3
PAIR_ROUNDS = (7, 7, 6)
CLEAR_ROUNDS = 14
CLEAR_GAIN = 1.2
CLEAR_MARGIN = 1.06
PROBES = 3
"""So many probes are needed to say that a lane does not wait for its calls."""
PATIENCE_ROUNDS = 8
"""A race waits this long for a quiet moment before it decides on disturbed rounds."""
Estimates = Mapping[str, Mapping[str, float]]
"""Seconds per call by workload, then by lane label."""


@dataclass
class Series:
    """Rounds of two lanes over all time workloads, one list per workload."""

    first: str
    second: str
    timed: list[list[Timed]] = field(default_factory=list)

    def log_ratios(self, workload: int | None = None) -> list[float]:
        """log(second / first) per round: the speedup of the first. Over all workloads: their mean.

        Disturbed rounds are left out, unless the machine gave hardly any others.
        """
        columns = self.timed if workload is None else [self.timed[workload]]
        rows = list(zip(*columns, strict=False))
        kept = [row for row in rows if all(t.clean for t in row)]
        if len(kept) < max(2, len(rows) / 4):
            kept = rows
        return [sum(map(self._ratio, row)) / len(row) for row in kept]

    def clean_rounds(self) -> int:
        """Rounds undisturbed on every workload."""
        return sum(all(t.clean for t in row) for row in zip(*self.timed, strict=False))

    def median_seconds(self, workload: int, label: str) -> float:
        """Median seconds per call; the slope between window lengths where both were used."""
        whole = median(t.seconds[label] for t in self.timed[workload])
        by_slope = slope(self.timed[workload], label)
        if by_slope is not None and abs(by_slope / whole - 1.0) < 0.1:
            return by_slope
        return whole

    def early_share(self) -> float:
        """Share of probed rounds in which a lane worked before it was told to begin."""
        probed = [t for column in self.timed for t in column if t.probed]
        if len(probed) < PROBES:
            return 0.0
        return sum(t.early > EARLY_SECONDS for t in probed) / len(probed)

    def comparison(self, workload: int, name: str, phase: str) -> Comparison:
        """The stored form of one workload's rounds."""
        rounds = tuple(
            Round(t.seconds[self.first], t.seconds[self.second], t.foreign, t.clean)
            for t in self.timed[workload]
        )
        return Comparison(
            workload=name, other=self.second, phase=phase, rounds=rounds,
            seconds=self.median_seconds(workload, self.first),
            other_seconds=self.median_seconds(workload, self.second),
            speedup=statistics.interval(self.log_ratios(workload)),
        )  # fmt: skip

    def interval(self) -> Interval:
        """Geometric mean over workloads of the speedup of the first."""
        return statistics.interval(self.log_ratios())

    def _ratio(self, timed: Timed) -> float:
        return math.log(timed.seconds[self.second] / timed.seconds[self.first])


def run_rounds(
    stopwatch: Stopwatch, lanes: Sequence[Lane], estimates: Estimates, series: Series, count: int,
    *, double: bool,
) -> None:  # fmt: skip
    """Add `count` rounds over all time workloads, ABBA, to a series."""
    if not series.timed:
        series.timed = [[] for _ in stopwatch.workloads]
    for _ in range(count):
        number = len(series.timed[-1])
        for group, workload in enumerate(stopwatch.workloads):
            order = lanes if number % 2 == 0 else list(reversed(lanes))
            wide = double and number // 2 % 2 == 1
            series.timed[group].append(
                stopwatch.round(group, order, estimates[workload.name], wide)
            )


def warm_up(stopwatch: Stopwatch, lanes: Sequence[Lane], estimates: Estimates) -> None:
    """Bind fresh lanes and run one round that does not count: threads, page tables, code pages."""
    for lane in lanes:
        with watching(lane, "load"):
            lane.bind(stopwatch.arena)
    run_rounds(stopwatch, lanes, estimates, Series("", ""), 1, double=False)


def race(
    stopwatch: Stopwatch, candidate: Lane, other: Lane, estimates: Estimates
) -> tuple[Series, Decision]:
    """Rounds until it is clear whether the candidate deserves a confirmation."""
    series = Series(candidate.label, other.label)
    decision = Decision.CONTINUE
    warm_up(stopwatch, (candidate, other), estimates)
    while decision is Decision.CONTINUE:
        run_rounds(stopwatch, (candidate, other), estimates, series, 1, double=False)
        if series.clean_rounds() >= 2 or len(series.timed[0]) >= PATIENCE_ROUNDS:
            decision = statistics.decide_race(series.log_ratios())
    return series, decision


def confirm(
    stopwatch: Stopwatch,
    fresh_pair: Callable[[], tuple[Lane, Lane]],
    estimates: Estimates,
    noise_floor: float,
    rng: random.Random,
) -> tuple[Series, bool]:
    """Decide whether the candidate is faster, with fresh runners; audits its timed outputs.

    Up to three pairs of runners, twenty rounds each; stops earlier where the answer is already
    clear by a wide margin.
    """
    series = Series("", "")
    for _ in range(CONFIRM_PAIRS):
        candidate, other = fresh_pair()
        try:
            series.first, series.second = candidate.label, other.label
            warm_up(stopwatch, (candidate, other), estimates)
            for rounds in PAIR_ROUNDS:
                run_rounds(stopwatch, (candidate, other), estimates, series, rounds, double=True)
                stopwatch.audit(rng.randrange(len(stopwatch.workloads)), candidate)
                if (clear := _clear(series, CLEAR_GAIN)) is not None:
                    return series, clear
        finally:
            candidate.close()
            other.close()
        if statistics.upper_bound(series.log_ratios()) < statistics.IMPROVEMENT:
            return series, False
    return series, statistics.is_improvement(series.log_ratios(), noise_floor)


def _clear(series: Series, gain: float) -> bool | None:
    """True or False where more rounds cannot change the answer, None where they might."""
    ratios = series.log_ratios()
    if len(ratios) < CLEAR_ROUNDS:
        return None
    if statistics.lower_bound(ratios, 0.99) > gain * CLEAR_MARGIN:
        return True
    return False if statistics.upper_bound(ratios, 0.99) < 1.0 else None
