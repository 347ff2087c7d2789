"""Who runs against whom: alone, against the incumbent, in confirmation, against the seed.

Owns the runners of a comparison and what is known about each kernel's speed. The caller holds the
device lease.
"""

from __future__ import annotations

import dataclasses
import random
from collections.abc import Callable, Mapping

from evaluator import racing, statistics
from evaluator.backends.build import Build
from evaluator.candidate import Candidate
from evaluator.evaluation import Comparison, Evidence, Speedup
from evaluator.lane import Lane
from evaluator.outcome import Outcome
from evaluator.racing import Series
from evaluator.statistics import Decision
from evaluator.trial import Timing, Trial
from evaluator.verify import Refused, Verified, patiently
from evaluator.workshop import Workshop

VERIFY_SECONDS = 20.0
ALONE_ROUNDS = 6
EARLY_SHARE = 0.7
Report = Callable[[str, str], None]
Estimates = dict[str, dict[str, float]]


class Contest:
    """Comparisons between kernels of one problem.

    Args:
        shop: Parts to work with.
        rng: Chooses which timed outputs are audited.
        tell: Told when a stage begins.

    Attributes:
        seed: The kernel every confirmed improvement is also measured against.
    """

    def __init__(self, shop: Workshop, rng: random.Random, tell: Report) -> None:
        self._shop = shop
        self._rng = rng
        self._tell = tell
        self.seed: Candidate | None = None
        self._rival: tuple[str, Lane] | None = None
        self._seconds: dict[str, dict[str, float]] = {}

    def close(self) -> None:
        """Stop the incumbent's runner."""
        if self._rival is not None:
            self._rival[1].close()
            self._rival = None

    def seconds(self, candidate: Candidate) -> dict[str, float]:
        """Known seconds per call by workload; empty if it was never run."""
        return dict(self._seconds.get(candidate.digest, {}))

    def learn(self, candidate: Candidate, seconds: Mapping[str, float]) -> None:
        """Note how long a call takes on each time workload, if all are known."""
        if all(w.name in seconds for w in self._shop.problem.time_workloads):
            self._seconds[candidate.digest] = dict(seconds)

    def lane_of(self, candidate: Candidate, label: str = "candidate") -> Lane:
        """A fresh runner of a candidate; the caller closes it.

        Raises:
            Refused: It does not build or load.
        """
        return self._shop.lane(label, self._built(candidate, label))

    def alone(self, trial: Trial, candidate: Candidate) -> Timing:
        """A kernel without anyone to beat: timed against itself.

        Raises:
            Refused: It broke a rule.
        """
        with trial.stage("race"):
            series = self.against_itself(candidate, ALONE_ROUNDS)
        self._check(series)
        return Timing(self.comparisons(series, "race"))

    def challenge(
        self,
        trial: Trial,
        candidate: Candidate,
        lane: Lane,
        incumbent: Candidate,
        noise_floor: float,
        vet: Callable[[], None],
        *,
        always_confirm: bool,
        equal_will_do: bool = False,
    ) -> Timing:
        """Race the incumbent; if promising, vet and confirm; if improved, measure against the seed.

        Where an equal kernel will do, all are confirmed but those that lose the race, and those
        that are no slower are measured against the seed too.

        Raises:
            Refused: A lane broke a rule.
        """
        with trial.stage("race"):
            rival = self._rival_lane(incumbent)
            estimates = self._prepare(candidate, incumbent)
            series, decision = racing.race(self._shop.stopwatch, lane, rival, estimates)
        self._check(series)
        self._learn_from(candidate, series)
        wanted = always_confirm or decision is Decision.PROMISING
        if equal_will_do:
            wanted = series.interval().high >= 1.0 / statistics.edge(noise_floor)
        if not wanted:
            return self._timing(series, "race", "incumbent", noise_floor)
        vet()
        self._tell("confirm", candidate.digest[:10])
        with trial.stage("confirm"):
            series, improved = racing.confirm(
                self._shop.stopwatch,
                lambda: self._fresh_pair(candidate, incumbent),
                self._prepare(candidate, incumbent),
                noise_floor,
                self._rng,
            )
        self._check(series)
        self._learn_from(candidate, series)
        if (doubt := self._doubt(series)) is not None:
            return Timing(evidence=(doubt,))
        timing = self._timing(series, "confirm", "incumbent", noise_floor, improved)
        equal = equal_will_do and statistics.no_slower(series.interval(), noise_floor)
        if not improved and not equal:
            return timing
        return self._with_seed(trial, candidate, incumbent, timing, noise_floor)

    def duel(self, first: Candidate, second: Candidate, label: str, rounds: int) -> Series:
        """A fixed number of rounds in fresh runners.

        Raises:
            Refused: A lane broke a rule.
        """
        estimates = self._prepare(first, second, label)
        lanes = self._fresh_pair(first, second, label)
        series = Series("candidate", label)
        stopwatch = self._shop.stopwatch
        try:
            sizes = racing.warm_up(stopwatch, lanes, estimates)
            racing.run_rounds(stopwatch, lanes, sizes, series, rounds, double=False)
            if first.digest == second.digest:  # the same mistake twice agrees with itself
                for group in range(len(stopwatch.workloads)):
                    stopwatch.audit(group, lanes[0])
        finally:
            for lane in lanes:
                lane.close()
        return series

    def confirmation(
        self, first: Candidate, second: Candidate, noise_floor: float
    ) -> tuple[Series, bool]:
        """A confirmation on its own, without a race before it.

        Raises:
            Refused: A lane broke a rule.
        """
        estimates = self._prepare(first, second)
        return racing.confirm(
            self._shop.stopwatch,
            lambda: self._fresh_pair(first, second),
            estimates,
            noise_floor,
            self._rng,
        )

    def sittings(
        self, first: Candidate, second: Candidate, count: int, label: str = "incumbent"
    ) -> Series:
        """A fixed number of sittings like those of a confirmation, each in fresh runners.

        Raises:
            Refused: A lane broke a rule.
        """
        estimates = self._prepare(first, second, label)
        series = Series("candidate", label)
        for _ in range(count):
            lanes = self._fresh_pair(first, second, label)
            try:
                racing.sit(self._shop.stopwatch, lanes, estimates, series)
            finally:
                for lane in lanes:
                    lane.close()
        return series

    def against_itself(self, candidate: Candidate, rounds: int) -> Series:
        """A/A rounds: the same program in two processes."""
        return self.duel(candidate, candidate, "itself", rounds)

    def prepare_against(
        self, candidate: Candidate, label: str, other: Mapping[str, float]
    ) -> Estimates:
        """Arrange the timing arena for a kernel and something else of known speed.

        Args:
            candidate: A kernel.
            label: Label of the other lane.
            other: Its seconds per call by workload.

        Returns:
            Seconds per call by workload, then by label.
        """
        mine = self._known(candidate)
        self._shop.arrange({name: min(mine[name], other[name]) for name in mine})
        return {name: {"candidate": mine[name], label: other[name]} for name in mine}

    def comparisons(self, series: Series, phase: str) -> tuple[Comparison, ...]:
        """The stored form of a series, one comparison per time workload."""
        found = []
        for group, workload in enumerate(self._shop.stopwatch.workloads):
            plain = series.comparison(group, workload.name, phase)
            share = self._shop.roofline_share(group, plain.seconds)
            found.append(dataclasses.replace(plain, roofline=share))
        return tuple(found)

    def _with_seed(
        self, trial: Trial, candidate: Candidate, incumbent: Candidate, timing: Timing, noise: float
    ) -> Timing:
        if self.seed is None:
            return timing
        if incumbent.digest == self.seed.digest:
            seeded = [dataclasses.replace(s, other="seed") for s in timing.speedups]
            return dataclasses.replace(timing, speedups=(*timing.speedups, *seeded))
        with trial.stage("seed"):
            series = self.sittings(candidate, self.seed, racing.FEWEST_PAIRS, "seed")
        more = self._timing(series, "confirm", "seed", noise)
        speedups = (*timing.speedups, *more.speedups)
        return Timing((*timing.comparisons, *more.comparisons), speedups, timing.improved)

    def _timing(
        self, series: Series, phase: str, other: str, noise: float, improved: bool = False
    ) -> Timing:
        interval = series.interval()
        apart = statistics.distinguishable(interval, noise)
        speedup = Speedup(other, interval, phase == "confirm", apart)
        return Timing(self.comparisons(series, phase), (speedup,), improved)

    def _check(self, series: Series) -> None:
        """Physics and punctuality: not faster than the hardware, idle until told to begin."""
        for group, workload in enumerate(self._shop.stopwatch.workloads):
            taken, floor = series.median_seconds(group, series.first), self._shop.floor(workload)
            if taken < floor:  # or the hardware was underrated on a busy day
                self._shop.look_again()
                floor = self._shop.floor(workload)
            if taken < floor:
                needed = f"this hardware needs at least {floor * 1e6:.3g} us"
                message = f"{taken * 1e6:.3g} us a call; {needed}"
                raise Refused(Outcome.TAMPERED, Evidence("roofline", message, workload.name))
            if (hidden := series.hidden_work(group)) is not None:
                window, alone = (seconds * 1e6 for seconds in hidden)
                message = f"{window:.3g} us a call, but {alone:.3g} us for one nobody announced"
                raise Refused(Outcome.TAMPERED, Evidence("overlap", message, workload.name))
        if len(series.timed[0]) >= ALONE_ROUNDS and series.early_share() > EARLY_SHARE:
            message = "works in the background before a call is made"
            raise Refused(Outcome.TAMPERED, Evidence("early-cpu", message))

    def _doubt(self, series: Series) -> Evidence | None:
        """Why no figure is given although no rule is known to be broken."""
        for group, workload in enumerate(self._shop.stopwatch.workloads):
            if series.doubtful(group):
                message = (
                    "takes longer for calls that nobody announced, but other processes kept the "
                    "machine too busy to tell why; not timed, try again on a quieter machine"
                )
                return Evidence("suspicion", message, workload.name)
        return None

    def _learn_from(self, candidate: Candidate, series: Series) -> None:
        names = [workload.name for workload in self._shop.stopwatch.workloads]
        times = [series.median_seconds(group, series.first) for group in range(len(names))]
        self.learn(candidate, dict(zip(names, times, strict=True)))

    def _prepare(self, first: Candidate, second: Candidate, label: str = "incumbent") -> Estimates:
        return self.prepare_against(first, label, self._known(second))

    def _known(self, candidate: Candidate) -> dict[str, float]:
        if candidate.digest not in self._seconds:
            self.learn(candidate, patiently(lambda: self._first_run(candidate)).seconds)
        return self._seconds[candidate.digest]

    def _first_run(self, candidate: Candidate) -> Verified:
        lane = self.lane_of(candidate, "incumbent")
        try:
            verified = self._shop.verifier.verify(lane, VERIFY_SECONDS)
        finally:
            lane.close()
        verified.demand("incumbent")
        return verified

    def _built(self, candidate: Candidate, label: str) -> Build:
        build = self._shop.build(candidate)
        if build.failure is not None:
            raise Refused(Outcome.BUILD_FAILED, Evidence("build", build.failure), label)
        return build

    def _rival_lane(self, incumbent: Candidate) -> Lane:
        if self._rival is None or self._rival[0] != incumbent.digest:
            self.close()
            self._rival = (incumbent.digest, self.lane_of(incumbent, "incumbent"))
        return self._rival[1]

    def _fresh_pair(
        self, first: Candidate, second: Candidate, label: str = "incumbent"
    ) -> tuple[Lane, Lane]:
        one = self.lane_of(first)
        try:
            return one, self.lane_of(second, label)
        except BaseException:
            one.close()
            raise
