"""PyTorch's ways to compute a problem, measured against a kernel under the kernels' own protocol.

Every variant runs in a sandboxed Python process that speaks the runner protocol. `eager` allocates
its outputs anew, as plain PyTorch code does; `recycled` is the same with an allocator that keeps
memory (half of many claimed speedups is a preallocated output); `out=` and alternative formulations
come from the problem; `compile` is torch.compile of the reference. Each must first agree with it.
Beside them, where that says something, a kernel is timed that only moves the data.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial

from evaluator import racing, statistics, traffic
from evaluator.candidate import Candidate
from evaluator.contest import Contest, Report
from evaluator.evaluation import TRAFFIC, Comparison, Speedup
from evaluator.lane import Lane, Program
from evaluator.racing import Estimates, Series
from evaluator.torch_program import START_SECONDS
from evaluator.verify import Refused, patiently, watching
from evaluator.workshop import Workshop

COMPILE_SECONDS = 180.0
SITTINGS, STARTS = 6, 2
"""A variant is started twice and meets three fresh runners of the kernel each time; torch.compile,
which takes its time to start, is started once and meets six."""


@dataclass(frozen=True)
class Baselines:
    """What a user would call instead, against the kernel.

    Attributes:
        comparisons: Per variant and workload.
        speedups: Over the seed, per variant and over memory traffic, over all workloads; below 1
            where the other is faster.
        failures: (variant, reason) of those that do not run or disagree with the reference.
    """

    comparisons: tuple[Comparison, ...]
    speedups: tuple[Speedup, ...]
    failures: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class _Way:
    """A PyTorch formulation."""

    name: str
    variant: str
    compiled: bool = False
    recycled: bool = True

    def measure(self, shop: Workshop, contest: Contest, kernel: Candidate) -> Series:
        """It against a kernel."""
        limit = COMPILE_SECONDS if self.compiled else START_SECONDS
        series, known = Series("candidate", self.name), dict[str, float]()
        starts = 1 if self.compiled else STARTS
        for _ in range(starts):
            lane = shop.program_lane(self.name, self._program(shop, store=not known))
            try:
                if not known:
                    shop.verifier.verify_timed(lane, limit)
                    with watching(lane, "load"):
                        lane.load(self._program(shop, store=False).load, limit)
                    known = shop.verifier.time_calls(lane, limit)
                estimates = contest.prepare_against(kernel, lane.label, known)
                shop.stopwatch.trust(lane)
                shop.stopwatch.settle(lane)
                _sit(shop, contest, kernel, lane, estimates, series, SITTINGS // starts)
            finally:
                lane.close()
        return series

    def _program(self, shop: Workshop, *, store: bool) -> Program:
        return shop.variant_program(
            self.variant, compiled=self.compiled, recycled=self.recycled, store=store
        )


@dataclass(frozen=True)
class _Traffic:
    """Moving the data and nothing else."""

    name: str = TRAFFIC

    def measure(self, shop: Workshop, contest: Contest, kernel: Candidate) -> Series:
        """The fastest of its forms against a kernel."""
        sources = traffic.sources(shop.problem)
        forms = [Candidate(shop.problem.name, "cpp", source) for source in sources]
        timed = [(form, self._timed(shop, contest, form)) for form in forms]
        form, known = min(timed, key=lambda pair: sum(map(math.log, pair[1].values())))
        series = Series("candidate", self.name)
        for _ in range(STARTS):
            lane = contest.lane_of(form, self.name)
            try:
                estimates = contest.prepare_against(kernel, lane.label, known)
                _sit(shop, contest, kernel, lane, estimates, series, SITTINGS // STARTS)
            finally:
                lane.close()
        return series

    def _timed(self, shop: Workshop, contest: Contest, form: Candidate) -> dict[str, float]:
        """Rough seconds per call by workload."""
        lane = contest.lane_of(form, self.name)
        try:
            return shop.verifier.time_calls(lane, START_SECONDS)
        finally:
            lane.close()


def measure(
    shop: Workshop, contest: Contest, kernel: Candidate, noise_floor: float, tell: Report
) -> Baselines:
    """Time every PyTorch variant, and memory traffic, against a kernel, interleaved.

    The caller holds the lease.

    Args:
        shop: Sandbox, arenas, verifier, stopwatch.
        contest: Knows the kernel's speed.
        kernel: A verified candidate.
        noise_floor: From the campaign's A/A run.
        tell: Told which variant is being measured.
    """
    comparisons: list[Comparison] = []
    speedups: list[Speedup] = []
    failures: list[tuple[str, str]] = []
    seed = _Seed(contest, kernel)
    for way in _ways(shop):
        seed.sit(tell)
        tell("baseline", way.name)
        try:
            series = patiently(partial(way.measure, shop, contest, kernel))
        except Refused as refusal:
            failures.append((way.name, str(refusal)))
            continue
        comparisons += contest.comparisons(series, "baseline")
        found = series.interval()
        apart = statistics.distinguishable(found, noise_floor)
        speedups.append(Speedup(way.name, found, confirmed=True, distinguishable=apart))
    if seed.enough(tell):
        comparisons = [*contest.comparisons(seed.series, "baseline"), *comparisons]
        found = seed.series.interval()
        apart = statistics.distinguishable(found, noise_floor)
        speedups.insert(0, Speedup("seed", found, confirmed=True, distinguishable=apart))
    return Baselines(tuple(comparisons), tuple(speedups), tuple(failures))


class _Seed:
    """The seed against the kernel, in sittings spread over the time the variants take."""

    def __init__(self, contest: Contest, kernel: Candidate) -> None:
        self._contest = contest
        self._kernel = kernel
        self.series = Series("candidate", "seed")

    def sit(self, tell: Report) -> None:
        """One sitting, in fresh runners."""
        seed = self._contest.seed
        if seed is None or seed.digest == self._kernel.digest:
            return
        tell("baseline", "seed")
        self.series.add(patiently(lambda: self._contest.sittings(self._kernel, seed, 1, "seed")))

    def enough(self, tell: Report) -> bool:
        """Sit as often as an interval needs; False where there is no other kernel to sit with."""
        while 0 < len(self.series.starts) < racing.FEWEST_PAIRS:
            self.sit(tell)
        return bool(self.series.starts)


def best_variant(baselines: Baselines) -> Speedup | None:
    """The PyTorch variant that comes closest to (or beats) the kernel."""
    variants = [s for s in baselines.speedups if s.over_pytorch]
    return min(variants, key=lambda s: s.interval.estimate, default=None)


def _ways(shop: Workshop) -> list[_Way | _Traffic]:
    ways: list[_Way | _Traffic] = [_Way("eager", "", recycled=False), _Way("recycled", "")]
    ways += [_Way(v.name, v.name, compiled=v.compiled) for v in shop.problem.variants]
    ways.append(_Way("compile", "", compiled=True))
    return [*ways, _Traffic()] if traffic.meaningful(shop.problem) else ways


def _sit(
    shop: Workshop, contest: Contest, kernel: Candidate, lane: Lane, estimates: Estimates,
    series: Series, count: int,
) -> None:  # fmt: skip
    """Sittings of one runner of a variant with fresh runners of the kernel."""
    shop.stopwatch.silent = frozenset({lane.label})
    try:
        for _ in range(count):
            mine = contest.lane_of(kernel)
            try:
                racing.sit(shop.stopwatch, (mine, lane), estimates, series)
            finally:
                mine.close()
    finally:
        shop.stopwatch.silent = frozenset()
