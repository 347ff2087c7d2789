"""Comparing lanes: a short race that stops early, and a confirmation that decides.

The race spends few rounds on the hopeless and more on the close. Because the best of many noisy
candidates looks better than it is, its figure only decides who is confirmed: a confirmation uses
fresh runners, fresh inputs, more rounds, and audits of timed outputs against the references.
"""

from __future__ import annotations

import math
import random
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median

from evaluator import overlap, sittings, statistics
from evaluator.evaluation import Comparison, Interval, Round
from evaluator.foreign_load import ForeignLoad
from evaluator.lane import Lane
from evaluator.statistics import Decision
from evaluator.stopwatch import (
    EARLY_SECONDS,
    FOREIGN_SHARE,
    WINDOW_SECONDS,
    Stopwatch,
    Timed,
    slope,
)
from evaluator.verify import watching

FEWEST_PAIRS, CONFIRM_PAIRS, MOST_PAIRS = 4, 8, 32
NOMINAL = 0.985
"""Confidence that t intervals over pairs are made with, so that 95 % of them hold the true ratio:
pairs that follow each other resemble each other more than they should, and who goes on while it is
close may stop at a lucky moment. Of 306 confirmations with planted gains, nominal 95 % held it in
88.6 %, nominal 97 % in 92.8 %, nominal 98.5 % in 96.1 %."""
PATIENCE_SECONDS = 10.0
"""A confirmation that is close goes on until then in any case."""
PAIR_ROUNDS = 8
"""A multiple of four: both orders and both window lengths occur equally often."""
LUCK = 0.26
"""Half a standard error, as a share of the distance from estimate to bound: so much luck is hoped
for when it is decided whether more pairs are worth their time."""
CLEAR_GAIN = 1.1
OBVIOUS_GAIN, OBVIOUS_LOSS = 1.25, 0.9
"""Where every round says so, half the rounds do."""
RACE_GAUGE_ROUNDS, GAUGE_ROUNDS = 2, 3
FEWEST_ROUNDS = 2
"""A sitting with fewer undisturbed rounds does not count."""
PROBES = 3
"""So many probes are needed to say that a lane does not wait for its calls."""
PATIENCE_ROUNDS = 8
"""A race waits this long for a quiet moment before it decides on disturbed rounds."""
Estimates = Mapping[str, Mapping[str, float]]
"""Seconds per call by workload, then by lane label."""


@dataclass
class Series:
    """Rounds of two lanes over all time workloads, one list per workload.

    Attributes:
        first, second: Labels of the lanes.
        timed: Rounds by workload.
        starts: Number of the first round of every sitting, if there were several.
        estimates: What its windows are sized by.
        chains: Seconds per call in chains, by workload (see `evaluator.overlap`).
        foreign: Share of the machine that other processes took, by sitting.
    """

    first: str
    second: str
    timed: list[list[Timed]] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    estimates: Estimates = field(default_factory=dict)
    chains: list[list[Mapping[str, float]]] = field(default_factory=list)
    foreign: list[float] = field(default_factory=list)

    def sit(self) -> None:
        """The rounds that follow are those of another pair of runners."""
        self.starts.append(len(self.timed[0]) if self.timed else 0)

    def add(self, other: Series) -> None:
        """Take over the sittings of another series of the same lanes."""
        before = len(self.timed[0]) if self.timed else 0
        self.timed = self.timed or [[] for _ in other.timed]
        for column, more in zip(self.timed, other.timed, strict=True):
            column.extend(more)
        self.starts += [before + start for start in other.starts]

    def log_ratios(self, workload: int | None = None) -> list[float]:
        """log(second / first) per round: the speedup of the first. Over all workloads: their mean.

        Disturbed rounds are left out, unless the machine gave hardly any others.
        """
        rows = self._rows(workload)
        kept = [row for row in rows if all(t.clean for t in row)]
        if len(kept) < max(2, len(rows) / 4):
            kept = rows
        return [sum(map(self.ratio, row)) / len(row) for row in kept]

    def sittings(self, workload: int | None = None) -> list[float]:
        """log(second / first) per sitting: the median of its rounds, and of these the mean over
        all workloads. Disturbed rounds are left out as in `log_ratios`."""
        rows = self._rows(workload)
        ends = [*self.starts[1:], len(rows)]
        whole = [rows[start:end] for start, end in zip(self.starts, ends, strict=True)]
        clean = [[row for row in sitting if all(t.clean for t in row)] for sitting in whole]
        quiet = [sitting for sitting in clean if len(sitting) >= FEWEST_ROUNDS]
        return [
            self._middle(sitting) for sitting in (quiet if len(quiet) >= FEWEST_PAIRS else whole)
        ]

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

    def hidden_work(self, workload: int) -> tuple[float, float] | None:
        """Seconds per call in windows and when alone, if the first does work that it hides.

        Only sittings without foreign load count: a neighbour stretches the one more than the other.
        """
        return self._hidden(*self._windows_and_alone(workload, self._quiet()))

    def doubtful(self, workload: int) -> bool:
        """It looks as if the first hides work, but the machine was too busy to tell."""
        _, alone = self._windows_and_alone(workload, self._quiet())
        everything = self._windows_and_alone(workload, range(len(self.starts)))
        return len(alone) < overlap.FEWEST_CHAINS and self._hidden(*everything) is not None

    def early_share(self) -> float:
        """Share of probed rounds in which a lane worked before it was told to begin.

        Only rounds without foreign load count: beside a neighbour, threads that were to go to
        sleep after the last call get no turn to do so before the next one.
        """
        quiet = [t for column in self.timed for t in column if t.foreign <= FOREIGN_SHARE]
        probed = [t for t in quiet if t.probed]
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
            speedup=self.interval(workload),
        )  # fmt: skip

    def interval(self, workload: int | None = None) -> Interval:
        """Speedup of the first; over all workloads: its geometric mean."""
        if len(self.starts) >= FEWEST_PAIRS:
            return sittings.interval(self.sittings(workload), NOMINAL)
        return statistics.interval(self.log_ratios(workload))

    def _rows(self, workload: int | None) -> list[tuple[Timed, ...]]:
        columns = self.timed if workload is None else [self.timed[workload]]
        return list(zip(*columns, strict=False))

    def _quiet(self) -> Sequence[int]:
        """Sittings without foreign load; all of them where nobody looked."""
        if not self.foreign:
            return range(len(self.starts))
        return [n for n, share in enumerate(self.foreign) if share <= FOREIGN_SHARE]

    def _windows_and_alone(
        self, workload: int, sittings: Sequence[int]
    ) -> tuple[Mapping[str, Sequence[float]], Sequence[Mapping[str, float]]]:
        """Seconds per call in some sittings' windows by label, and of calls that came alone."""
        column, alone = self.timed[workload], self.chains[workload] if self.chains else []
        chained, labels = bool(alone), (self.first, self.second)
        if self.starts:
            each, ends = len(alone) // len(self.starts), [*self.starts[1:], len(column)]
            alone = [chain for n in sittings for chain in alone[each * n : each * (n + 1)]]
            column = [t for n in sittings for t in column[self.starts[n] : ends[n]]]
        most = max((t.calls[self.first] for t in column), default=0)
        wide = [t for t in column if t.calls[self.first] == most]
        if not chained:  # too large for many slots: then windows of one call were used
            alone = [t.seconds for t in column if t.calls[self.first] == 1 < most]
        return {label: [t.seconds[label] for t in wide] for label in labels}, alone

    def _hidden(
        self, windows: Mapping[str, Sequence[float]], alone: Sequence[Mapping[str, float]]
    ) -> tuple[float, float] | None:
        return overlap.hidden_work(windows, alone, self.first, self.second)

    def _middle(self, rows: Sequence[tuple[Timed, ...]]) -> float:
        columns = list(zip(*rows, strict=True))
        return sum(median(map(self.ratio, column)) for column in columns) / len(columns)

    def ratio(self, timed: Timed) -> float:
        """log(second / first) of one round on one workload."""
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


def run_chains(stopwatch: Stopwatch, lanes: Sequence[Lane], series: Series) -> None:
    """Add calls that are told of one by one, over all time workloads, to a series."""
    if not series.chains:
        series.chains = [[] for _ in stopwatch.workloads]
    order = lanes if len(series.starts) % 2 else list(reversed(lanes))
    for group, column in enumerate(series.chains):
        column += [stopwatch.reveal(group, order) for _ in range(stopwatch.chains(group))]


def warm_up(
    stopwatch: Stopwatch, lanes: Sequence[Lane], estimates: Estimates, rounds: int = GAUGE_ROUNDS
) -> Estimates:
    """Bind fresh lanes and run rounds that do not count: threads, page tables, code pages.

    Returns:
        How fast the lanes are now and side by side: the least seconds of each in these rounds. What
        was known of one may come from a busier hour. Its windows would get fewer calls than the
        other's, and calls in shorter windows are slower: by 12 % at half the calls, where memory
        is the limit.
    """
    for lane in lanes:
        with watching(lane, "load"):
            lane.bind(stopwatch.arena)
    found = Series("", "")
    for _ in range(rounds):
        run_rounds(stopwatch, lanes, estimates, found, 1, double=False)
        if all(s > WINDOW_SECONDS for column in found.timed for s in column[-1].seconds.values()):
            break  # one call is a window
    return {
        workload.name: {n.label: min(t.seconds[n.label] for t in column) for n in lanes}
        for workload, column in zip(stopwatch.workloads, found.timed, strict=True)
    }


def race(
    stopwatch: Stopwatch, candidate: Lane, other: Lane, estimates: Estimates
) -> tuple[Series, Decision]:
    """Rounds until it is clear whether the candidate deserves a confirmation."""
    series = Series(candidate.label, other.label)
    decision = Decision.CONTINUE
    estimates = warm_up(stopwatch, (candidate, other), estimates, RACE_GAUGE_ROUNDS)
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

    Eight pairs of runners with eight rounds each; from four pairs on it stops where the answer is
    clear by a wide margin, and eight more follow, at most three times, while it seems faster by
    more than that is sure: until it has taken some seconds, and then where more are likely to tell.
    """
    series, started = Series("", ""), time.monotonic()
    for pair in range(MOST_PAIRS):
        candidate, other = fresh_pair()
        load = _foreign_to(candidate, other)
        try:
            series.first, series.second = candidate.label, other.label
            sit(stopwatch, (candidate, other), estimates, series)
            run_chains(stopwatch, (candidate, other), series)
            series.foreign.append(load.share())
            stopwatch.audit(rng.randrange(len(stopwatch.workloads)), candidate)
        finally:
            candidate.close()
            other.close()
        if pair + 1 >= FEWEST_PAIRS and (clear := _clear(series)) is not None:
            return series, clear
        if (pair + 1) % CONFIRM_PAIRS == 0:
            short = time.monotonic() - started < PATIENCE_SECONDS
            if not _close(series) or not (short or _hopeful(series)):
                break
    return series, is_improvement(series.sittings(), noise_floor)


def sit(stopwatch: Stopwatch, lanes: Sequence[Lane], estimates: Estimates, series: Series) -> None:
    """One sitting of a confirmation: warms up fresh lanes and adds their rounds to the series.

    All sittings of a series have windows of the same sizes, which the first one finds.
    """
    if series.estimates:
        warm_up(stopwatch, lanes, series.estimates, 1)
    else:
        series.estimates = warm_up(stopwatch, lanes, estimates)
    series.sit()
    for _ in range(2):
        run_rounds(stopwatch, lanes, series.estimates, series, PAIR_ROUNDS // 2, double=True)
        if _obvious(series):
            break


def is_improvement(estimates: Sequence[float], noise_floor: float) -> bool:
    """The acceptance rule of a confirmation.

    The lower 95 % bound over all sittings must lie above 1.02, and the estimate itself above the
    machine's noise floor. The bound takes the scatter between pairs into account already, so it
    need not clear the floor as well: then a true gain of 10 % would go unseen wherever pairs differ
    by 5 %.

    Args:
        estimates: One log-ratio per sitting.
        noise_floor: Relative difference that identical kernels show here, e.g. 0.01.
    """
    sure = sittings.lower_bound(estimates) > statistics.IMPROVEMENT
    return sure and sittings.interval(estimates).estimate > 1.0 + noise_floor


def _foreign_to(*lanes: Lane) -> ForeignLoad:
    return ForeignLoad(lambda: sum(lane.cpu_seconds() for lane in lanes))


def _obvious(series: Series) -> bool:
    """The rounds of this sitting agree on a large difference."""
    rows = zip(*(column[series.starts[-1] :] for column in series.timed), strict=True)
    ratios = [math.exp(fmean(series.ratio(t) for t in row)) for row in rows]
    return min(ratios) > OBVIOUS_GAIN or max(ratios) < OBVIOUS_LOSS


def _close(series: Series) -> bool:
    """It seems to be an improvement, and might turn out not to be one."""
    found = series.sittings()
    bound = sittings.lower_bound(found)
    return bound <= statistics.IMPROVEMENT < sittings.interval(found).estimate


def _hopeful(series: Series) -> bool:
    """All the pairs allowed are likely to make sure of an improvement.

    With n of m pairs the distance from estimate to bound shrinks to the root of n / m of what it
    is; the estimate may rise by half a standard error until then. Without this, a gain of 2 % on a
    noisy hour would take the time of twenty candidates.
    """
    found = series.sittings()
    estimate = sittings.interval(found).estimate
    distance = estimate - sittings.lower_bound(found)
    shrunk = distance * math.sqrt(len(series.starts) / MOST_PAIRS)
    return estimate - shrunk + LUCK * distance > statistics.IMPROVEMENT


def _clear(series: Series) -> bool | None:
    """True or False where more sittings cannot change the answer, None where they might."""
    found = series.sittings()
    if sittings.lower_bound(found, 0.99) > CLEAR_GAIN:
        return True
    return False if sittings.upper_bound(found, 0.995) < statistics.IMPROVEMENT else None
