"""The evaluator: screen, recognise, build, verify, race, confirm; one object per problem.

All methods block and must be called from one and the same long-lived thread: the kernel ties each
sandbox to the thread that started it, so that nothing survives us.
"""

from __future__ import annotations

import contextlib
import dataclasses
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from evaluator import baseline, racing, screen, statistics
from evaluator.backends.cpp import Build
from evaluator.baseline import Baselines
from evaluator.candidate import Candidate
from evaluator.errors import InfrastructureError
from evaluator.evaluation import Comparison, Evaluation, Evidence, Speedup, Stage
from evaluator.lane import Lane
from evaluator.outcome import Outcome
from evaluator.paths import cache_folder
from evaluator.problem import Problem
from evaluator.racing import Series
from evaluator.statistics import Decision
from evaluator.trial import Timing, Trial
from evaluator.verify import Refused, Verified
from evaluator.workshop import Workshop
from sandbox.provider import Sandbox, SandboxError

VERIFY_SECONDS = 20.0
SLOWER_THAN_INCUMBENT = 50.0
SEED_ROUNDS = 8
ALONE_ROUNDS = 6
NOISE_ROUNDS = 12
EARLY_SHARE = 0.7
Report = Callable[[str, str], None]


@dataclass(frozen=True)
class NoiseFloor:
    """What identical code differs by on this machine; `relative` is a fraction, e.g. 0.01."""

    relative: float
    comparisons: tuple[Comparison, ...]


class Evaluator:
    """Evaluates candidates of one problem on this machine.

    Args:
        problem: What to compute.
        sandbox: Where untrusted programs run.
        backend: Kernel language.
        cache: Folder for builds and calibrations; default `evaluator.paths.cache_folder()`.
        random_seed: Seeds inputs and orders.
        on_stage: Told when a stage begins: (stage, detail).

    Raises:
        ToolchainError: No compiler.
        SandboxError: The sandbox does not work.
    """

    def __init__(
        self,
        problem: Problem,
        sandbox: Sandbox,
        *,
        backend: str = "cpp",
        cache: Path | None = None,
        random_seed: int = 0,
        on_stage: Report | None = None,
    ) -> None:
        self.problem = problem
        self._report: Report = on_stage or (lambda stage, detail: None)
        self._shop = Workshop(problem, sandbox, backend, cache or cache_folder(), random_seed)
        self.target = self._shop.target
        self._rng = random.Random(random_seed)
        self._seed: Candidate | None = None
        self._rival: tuple[str, Lane] | None = None
        self._seconds: dict[str, dict[str, float]] = {}
        self._by_object: dict[str, Evaluation] = {}
        self._by_text: dict[str, Evaluation] = {}

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        self.close()

    def close(self) -> None:
        """Stop every sandbox and free shared memory."""
        self._forget_rival()
        self._shop.close()

    def register_seed(self, candidate: Candidate) -> None:
        """Name the kernel that every confirmed improvement is also measured against."""
        self._seed = candidate

    def remember(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Take over an earlier verdict (of this target), so that equal code is not run again."""
        if evaluation.outcome is Outcome.INFRA_ERROR:
            return
        if evaluation.object_hash:
            self._by_object.setdefault(evaluation.object_hash, evaluation)
        if screen.objection(candidate) is None:
            self._by_text.setdefault(screen.normalised_hash(candidate), evaluation)
        if evaluation.comparisons:
            times = {c.workload: c.seconds for c in evaluation.comparisons}
            self._seconds[candidate.digest] = times

    def build_all(self, candidates: Sequence[Candidate]) -> list[Build]:
        """Build in parallel, sharing the device with other builds but never with timing."""
        fit = [c if screen.objection(c) is None else None for c in candidates]
        self.tell("build", f"{len(candidates)} candidates")
        with self._shop.lease.shared(), ThreadPoolExecutor(self._shop.cores) as workers:
            return list(workers.map(self._build_one, fit))

    def evaluate(
        self,
        candidate: Candidate,
        build: Build | None = None,
        incumbent: Candidate | None = None,
        noise_floor: float = 0.0,
        *,
        always_confirm: bool = False,
    ) -> Evaluation:
        """Everything that can be said about a candidate.

        Args:
            candidate: What to evaluate.
            build: From `build_all`; built here if None.
            incumbent: What it must beat; None times it alone.
            noise_floor: From `noise_floor()`.
            always_confirm: Spend a confirmation even if the race says it is not faster.

        Returns:
            The evaluation. A failure on our side is an `infra_error`, not an exception.
        """
        run = Trial(candidate, self.target.name)
        try:
            with run.stage("screen"):
                if reason := screen.objection(candidate):
                    return run.end(Outcome.SCREENED_OUT, Evidence("screen", reason))
                if known := self._by_text.get(screen.normalised_hash(candidate)):
                    return run.same_as(known)
            if build is None:
                self.tell("build", "1 candidate")
                with run.stage("wait"):
                    turn = contextlib.ExitStack()
                    turn.enter_context(self._shop.lease.shared())
                with turn, run.stage("build"):
                    build = self._shop.build(candidate)
            else:
                run.stages.append(Stage("build", build.seconds))
            run.build = build
            if build.failure is not None:
                return self._kept(run.end(Outcome.BUILD_FAILED, Evidence("build", build.failure)))
            if known := self._by_object.get(build.object_hash or ""):
                return run.same_as(known)
            return self._kept(self._run(run, candidate, build, incumbent, noise_floor,
                                        always_confirm))  # fmt: skip
        except (SandboxError, InfrastructureError) as error:
            return run.end(Outcome.INFRA_ERROR, Evidence("infrastructure", str(error)))

    def noise_floor(self, candidate: Candidate) -> NoiseFloor:
        """A/A: a kernel against itself in another process."""
        self.tell("noise", "the same kernel twice")
        with self._shop.lease.exclusive():
            series = self._against_itself(candidate, NOISE_ROUNDS)
        found = series.interval()
        relative = max(found.high - 1.0, 1.0 - found.low, 0.0)
        return NoiseFloor(relative, self.comparisons(series, "noise"))

    def baselines(self, best: Candidate, noise_floor: float = 0.0) -> Baselines:
        """PyTorch's variants against a kernel; see `evaluator.baseline`."""
        return baseline.measure(self, best, noise_floor)

    def measure(self, candidate: Candidate, other: Candidate, label: str, rounds: int) -> Series:
        """Interleaved rounds of two candidates in fresh runners; holds the lease.

        Raises:
            Refused: One of them failed.
        """
        with self._shop.lease.exclusive():
            return self._duel(candidate, other, label, rounds)

    @property
    def workshop(self) -> Workshop:
        """The parts (sandbox, arenas, roofline), for baselines and benchmarks."""
        return self._shop

    def seconds(self, candidate: Candidate) -> dict[str, float]:
        """Known seconds per call by workload, empty if it was never timed."""
        return dict(self._seconds.get(candidate.digest, {}))

    def tell(self, stage: str, detail: str) -> None:
        """Report the beginning of a stage."""
        self._report(stage, detail)

    def lane_of(self, candidate: Candidate) -> Lane:
        """A fresh runner of a candidate; the caller closes it.

        Raises:
            Refused: It does not build or load.
        """
        return self._shop.lane("candidate", self._built(candidate))

    def prepare_against(
        self, candidate: Candidate, label: str, other: Mapping[str, float]
    ) -> dict[str, dict[str, float]]:
        """Arrange the timing arena for a candidate and something else of known speed.

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

    def _build_one(self, candidate: Candidate | None) -> Build:
        if candidate is None:
            return Build(None, failure="screened out")
        return self._shop.build(candidate)

    def _run(
        self, run: Trial, candidate: Candidate, build: Build, incumbent: Candidate | None,
        noise_floor: float, always_confirm: bool,
    ) -> Evaluation:  # fmt: skip
        with self._shop.lease.exclusive():
            self.tell("verify", candidate.digest[:10])
            with run.stage("start"):
                lane = self._shop.lane("candidate", build)
            try:
                with run.stage("verify"):
                    verified = self._verify(lane, incumbent)
                run.checks = verified.checks
                if verified.outcome is not Outcome.OK:
                    return run.end(verified.outcome, *verified.evidence)
                self._seconds[candidate.digest] = dict(verified.seconds)
                timing = self._time(run, candidate, lane, incumbent, noise_floor, always_confirm)
            except Refused as refusal:
                return run.refused(refusal)
            finally:
                lane.close()
        return run.ended(timing)

    def _verify(self, lane: Lane, incumbent: Candidate | None) -> Verified:
        known = self._seconds.get(incumbent.digest, {}) if incumbent else {}
        slowest = max(known.values(), default=0.0)
        limit = max(2.0, SLOWER_THAN_INCUMBENT * slowest) if known else VERIFY_SECONDS
        return self._shop.verifier.verify(lane, limit)

    def _time(
        self, run: Trial, candidate: Candidate, lane: Lane, incumbent: Candidate | None,
        noise_floor: float, always_confirm: bool,
    ) -> Timing:  # fmt: skip
        self.tell("race", candidate.digest[:10])
        if incumbent is None:
            with run.stage("race"):
                series = self._against_itself(candidate, ALONE_ROUNDS)
            self._check(series)
            return Timing(self.comparisons(series, "race"))
        with run.stage("race"):
            rival = self._rival_lane(incumbent)
            estimates = self._prepare(candidate, incumbent)
            series, decision = racing.race(self._shop.stopwatch, lane, rival, estimates)
        self._check(series)
        self._learn(candidate, series)
        if decision is not Decision.PROMISING and not always_confirm:
            return self._timing(series, "race", "incumbent", noise_floor)
        self.tell("confirm", candidate.digest[:10])
        with run.stage("confirm"):
            series, improved = racing.confirm(
                self._shop.stopwatch, lambda: self._fresh_pair(candidate, incumbent),
                self._prepare(candidate, incumbent), noise_floor, self._rng,
            )  # fmt: skip
        self._check(series)
        self._learn(candidate, series)
        timing = self._timing(series, "confirm", "incumbent", noise_floor, improved)
        return self._with_seed(run, candidate, incumbent, timing, noise_floor)

    def _with_seed(
        self, run: Trial, candidate: Candidate, incumbent: Candidate, timing: Timing, noise: float
    ) -> Timing:
        if self._seed is None or not timing.improved:
            return timing
        if incumbent.digest == self._seed.digest:
            seeded = [dataclasses.replace(s, other="seed") for s in timing.speedups]
            return dataclasses.replace(timing, speedups=(*timing.speedups, *seeded))
        with run.stage("seed"):
            series = self._duel(candidate, self._seed, "seed", SEED_ROUNDS)
        more = self._timing(series, "confirm", "seed", noise)
        return Timing((*timing.comparisons, *more.comparisons),
                      (*timing.speedups, *more.speedups), timing.improved)  # fmt: skip

    def _timing(
        self, series: Series, phase: str, other: str, noise: float, improved: bool = False
    ) -> Timing:
        interval = series.interval()
        apart = statistics.distinguishable(interval, noise)
        speedup = Speedup(other, interval, phase == "confirm", apart)
        return Timing(self.comparisons(series, phase), (speedup,), improved)

    def _check(self, series: Series) -> None:
        """Physics and punctuality.

        Raises:
            Refused: Faster than the hardware, or at work before being told to begin.
        """
        for group, workload in enumerate(self._shop.stopwatch.workloads):
            taken, floor = series.median_seconds(group, series.first), self._shop.floor(workload)
            if taken < floor:
                needed = f"this hardware needs at least {floor * 1e6:.3g} us"
                message = f"{taken * 1e6:.3g} us a call; {needed}"
                raise Refused(Outcome.TAMPERED, Evidence("roofline", message, workload.name))
        if len(series.timed[0]) >= ALONE_ROUNDS and series.early_share() > EARLY_SHARE:
            message = "works in the background before a call is made"
            raise Refused(Outcome.TAMPERED, Evidence("early-cpu", message))

    def _learn(self, candidate: Candidate, series: Series) -> None:
        self._seconds[candidate.digest] = {
            workload.name: series.median_seconds(group, series.first)
            for group, workload in enumerate(self._shop.stopwatch.workloads)
        }

    def _prepare(
        self, first: Candidate, second: Candidate, label: str = "incumbent"
    ) -> dict[str, dict[str, float]]:
        return self.prepare_against(first, label, self._known(second))

    def _known(self, candidate: Candidate) -> dict[str, float]:
        if candidate.digest not in self._seconds:
            lane = self._shop.lane("candidate", self._built(candidate))
            try:
                verified = self._shop.verifier.verify(lane, VERIFY_SECONDS)
            finally:
                lane.close()
            if verified.outcome is not Outcome.OK:
                raise Refused(verified.outcome, verified.evidence[0], "incumbent")
            self._seconds[candidate.digest] = dict(verified.seconds)
        return self._seconds[candidate.digest]

    def _built(self, candidate: Candidate) -> Build:
        build = self._shop.build(candidate)
        if build.failure is not None:
            evidence = Evidence("build", build.failure)
            raise Refused(Outcome.BUILD_FAILED, evidence, "incumbent")
        return build

    def _rival_lane(self, incumbent: Candidate) -> Lane:
        if self._rival is None or self._rival[0] != incumbent.digest:
            self._forget_rival()
            lane = self._shop.lane("incumbent", self._built(incumbent))
            self._rival = (incumbent.digest, lane)
        return self._rival[1]

    def _forget_rival(self) -> None:
        if self._rival is not None:
            self._rival[1].close()
            self._rival = None

    def _fresh_pair(self, first: Candidate, second: Candidate, label: str = "incumbent"
                    ) -> tuple[Lane, Lane]:  # fmt: skip
        one = self._shop.lane("candidate", self._built(first))
        try:
            return one, self._shop.lane(label, self._built(second))
        except BaseException:
            one.close()
            raise

    def _duel(self, first: Candidate, second: Candidate, label: str, rounds: int) -> Series:
        estimates = self._prepare(first, second, label)
        lanes = self._fresh_pair(first, second, label)
        series = Series("candidate", label)
        try:
            racing.warm_up(self._shop.stopwatch, lanes, estimates)
            racing.run_rounds(self._shop.stopwatch, lanes, estimates, series, rounds, double=False)
        finally:
            for lane in lanes:
                lane.close()
        return series

    def _against_itself(self, candidate: Candidate, rounds: int) -> Series:
        return self._duel(candidate, candidate, "itself", rounds)

    def _kept(self, evaluation: Evaluation) -> Evaluation:
        if evaluation.object_hash and evaluation.outcome is not Outcome.INFRA_ERROR:
            self._by_object[evaluation.object_hash] = evaluation
        return evaluation
