"""The evaluator: screen, recognise, build, verify, race, vet, confirm; one object per problem.

All methods block and must be called from one and the same long-lived thread: the kernel ties each
sandbox to the thread that started it, so that nothing survives us.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Protocol

from evaluator import baseline, screen, sittings
from evaluator.backends.build import Build
from evaluator.baseline import Baselines
from evaluator.candidate import Candidate
from evaluator.contest import VERIFY_SECONDS, Contest, Report
from evaluator.errors import InfrastructureError
from evaluator.evaluation import Comparison, Evaluation, Evidence, Stage
from evaluator.lane import Lane
from evaluator.outcome import Outcome
from evaluator.paths import cache_folder
from evaluator.problem import Problem
from evaluator.trial import Timing, Trial
from evaluator.verify import Refused, patiently
from evaluator.vetting import Vetted, Vetting
from evaluator.workshop import Workshop
from sandbox.provider import Sandbox, SandboxError

SLOWER_THAN_INCUMBENT = 50.0
SHORTEST_LIMIT = 2.0
NOISE_PAIRS, MORE_NOISE_PAIRS = 8, 16
QUIET = 0.03
Vet = Callable[[], None]
"""Vets the candidate at hand, once; raises `Refused`."""
Clock = Callable[[Trial, Lane, Vet], Timing]


class Vets(Protocol):
    """Looks closer at a candidate that is right so far; see `evaluator.vetting.Vetting`."""

    def vet(self, candidate: Candidate, build: Build, seconds: Mapping[str, float]) -> Vetted:
        """What it adds to the verdict."""

    def close(self) -> None:
        """Give back what is held."""


@dataclass(frozen=True)
class NoiseFloor:
    """What identical code differs by in a confirmation; `relative` is a fraction: 0.01 is 1 %."""

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
        parts: Workshop and vetting for other hardware than the CPU; made for it if None.

    Raises:
        ToolchainError: No compiler.
        SandboxError: The sandbox does not work.
    """

    measures = True

    def __init__(
        self,
        problem: Problem,
        sandbox: Sandbox,
        *,
        backend: str = "cpp",
        cache: Path | None = None,
        random_seed: int = 0,
        on_stage: Report | None = None,
        parts: tuple[Workshop, Vets] | None = None,
    ) -> None:
        self.problem = problem
        self.sandbox = sandbox
        self.tell: Report = on_stage or (lambda stage, detail: None)
        if parts is None:
            shop = Workshop(problem, sandbox, backend, cache or cache_folder(), random_seed)
            parts = shop, Vetting(shop, random_seed)
        self.workshop, self.vetting = parts
        self.contest = Contest(self.workshop, random.Random(random_seed), self.tell)
        self.target = self.workshop.target
        self._lease = self.workshop.lease
        self._lease.on_wait = lambda: self.tell("wait", "another campaign uses this device")
        self._by_object: dict[str, Evaluation] = {}

    def __enter__(self) -> Evaluator:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Stop every sandbox and free shared memory."""
        self.contest.close()
        self.vetting.close()
        self.workshop.close()

    def register_seed(self, candidate: Candidate) -> None:
        """Name the kernel that every confirmed improvement is also measured against."""
        self.contest.seed = candidate

    def remember(self, candidate: Candidate, evaluation: Evaluation) -> None:
        """Take over an earlier verdict (of this target), so that equal code is not run again."""
        if evaluation.outcome is Outcome.INFRA_ERROR or evaluation.same_object_as:
            return
        if evaluation.object_hash:
            self._by_object.setdefault(evaluation.object_hash, evaluation)
        self.contest.learn(candidate, {c.workload: c.seconds for c in evaluation.comparisons})

    def forget(self) -> None:
        """Drop earlier verdicts, so that code that was judged before is run again."""
        self._by_object.clear()

    def build_all(self, candidates: Sequence[Candidate]) -> list[Build]:
        """Build in parallel, sharing the device with other builds but never with timing."""
        self.tell("build", f"{len(candidates)} candidates")
        with self._lease.shared(), ThreadPoolExecutor(self.workshop.cores) as workers:
            return list(workers.map(self._build_if_fit, candidates))

    def evaluate(
        self,
        candidate: Candidate,
        build: Build | None = None,
        incumbent: Candidate | None = None,
        noise_floor: float = 0.0,
        *,
        always_confirm: bool = False,
        equal_will_do: bool = False,
    ) -> Evaluation:
        """Everything that can be said about a candidate.

        It is vetted (`evaluator.vetting`) before a confirmation, or if it is timed alone.

        Args:
            candidate: What to evaluate.
            build: From `build_all`; built here if None.
            incumbent: What it must beat; None times it alone.
            noise_floor: From `noise_floor()`.
            always_confirm: Spend a confirmation even if the race says it is not faster.
            equal_will_do: It need not be faster: confirm it unless it loses the race, and measure
                it against the seed if it is no slower (`evaluator.statistics.no_slower`).

        Returns:
            The evaluation. A failure on our side is an `infra_error`, not an exception.
        """

        def clock(trial: Trial, lane: Lane, vet: Vet) -> Timing:
            if incumbent is None or always_confirm:
                vet()
            self.tell("race", candidate.digest[:10])
            if incumbent is None:
                return self.contest.alone(trial, candidate)
            return self.contest.challenge(
                trial, candidate, lane, incumbent, noise_floor, vet,
                always_confirm=always_confirm, equal_will_do=equal_will_do,
            )  # fmt: skip

        return self._cascade(candidate, build, clock, self._time_limit(incumbent))

    def verify_only(self, candidate: Candidate) -> Evaluation:
        """Correctness alone, vetted: an `ok` without figures."""

        def clock(trial: Trial, lane: Lane, vet: Vet) -> Timing:
            vet()
            return Timing()

        return self._cascade(candidate, None, clock, VERIFY_SECONDS)

    def noise_floor(self, candidate: Candidate) -> NoiseFloor:
        """A/A: a kernel against itself in fresh pairs of runners, as in a confirmation; more of
        them if the machine is not quiet."""
        self.tell("noise", "the same kernel twice")
        with self._lease.exclusive():
            for pairs in (NOISE_PAIRS, MORE_NOISE_PAIRS):
                sitting = partial(self.contest.sittings, candidate, candidate, pairs, "itself")
                series = patiently(sitting)
                relative = sittings.noise(series.sittings())
                if relative < QUIET:
                    break
        return NoiseFloor(relative, self.contest.comparisons(series, "noise"))

    def baselines(self, best: Candidate, noise_floor: float = 0.0) -> Baselines:
        """PyTorch's variants against a kernel; see `evaluator.baseline`."""
        with self._lease.exclusive():
            return baseline.measure(self.workshop, self.contest, best, noise_floor, self.tell)

    def _cascade(
        self, candidate: Candidate, build: Build | None, clock: Clock, limit: float
    ) -> Evaluation:
        trial = Trial(candidate, self.target.name)
        try:
            with trial.stage("screen"):
                if reason := screen.objection(candidate):
                    return trial.end(Outcome.SCREENED_OUT, Evidence("screen", reason))
            trial.build = build = build or self._build_now(trial, candidate)
            trial.add(Stage("build", build.seconds))
            if known := self._by_object.get(build.object_hash or ""):
                return trial.same_as(known)
            return self._kept(self._run(trial, candidate, build, clock, limit))
        except (SandboxError, InfrastructureError) as error:
            return trial.end(Outcome.INFRA_ERROR, Evidence("infrastructure", str(error)))

    def _run(
        self, trial: Trial, candidate: Candidate, build: Build, clock: Clock, limit: float
    ) -> Evaluation:
        if build.failure is not None:
            rule = "signature" if build.lacks_kernel else "build"
            return trial.end(Outcome.BUILD_FAILED, Evidence(rule, build.failure))
        with contextlib.ExitStack() as holding:
            with trial.stage("wait"):
                holding.enter_context(self._lease.exclusive())
            suspicions: list[Refused] = []
            try:
                evaluation = patiently(
                    lambda: self._sit(trial, candidate, build, clock, limit), suspicions.append
                )
            except Refused as refusal:
                evaluation = trial.refused(refusal)
        for suspicion in suspicions:
            evaluation = trial.suspect(evaluation, suspicion)
        return evaluation

    def _sit(
        self, trial: Trial, candidate: Candidate, build: Build, clock: Clock, limit: float
    ) -> Evaluation:
        """Verify and time in a fresh runner.

        Raises:
            Refused: A rule was broken.
        """
        self.tell("verify", candidate.digest[:10])
        with contextlib.ExitStack() as holding:
            with trial.stage("start"):
                lane = self.workshop.lane("candidate", build)
            holding.callback(lane.close)
            try:
                with trial.stage("verify"):
                    verified = self.workshop.verifier.verify(lane, limit)
                trial.checks = verified.checks
                verified.demand(lane.label)
                self.contest.learn(candidate, verified.seconds)
                return trial.ended(clock(trial, lane, lambda: self._vet(trial, candidate, build)))
            except Refused as refusal:
                if refusal.suspicion:
                    self.contest.close()  # the next sitting gets a fresh incumbent too
                    self.workshop.stopwatch.doubt()
                raise

    def _vet(self, trial: Trial, candidate: Candidate, build: Build) -> None:
        """Vet a candidate unless that was done.

        Raises:
            Refused: It is not right after all.
        """
        if trial.vetted is None:
            self.tell("vet", candidate.digest[:10])
            with trial.stage("vet"):
                seconds = self.contest.seconds(candidate)
                trial.vetted = self.vetting.vet(candidate, build, seconds)

    def _build_now(self, trial: Trial, candidate: Candidate) -> Build:
        self.tell("build", "1 candidate")
        with contextlib.ExitStack() as holding:
            with trial.stage("wait"):
                holding.enter_context(self._lease.shared())
            return self.workshop.build(candidate)

    def _build_if_fit(self, candidate: Candidate) -> Build:
        if reason := screen.objection(candidate):
            return Build(None, failure=reason)
        return self.workshop.build(candidate)

    def _time_limit(self, incumbent: Candidate | None) -> float:
        known = self.contest.seconds(incumbent) if incumbent else {}
        if not known:
            return VERIFY_SECONDS
        return max(SHORTEST_LIMIT, SLOWER_THAN_INCUMBENT * max(known.values()))

    def _kept(self, evaluation: Evaluation) -> Evaluation:
        if evaluation.outcome is not Outcome.INFRA_ERROR and evaluation.object_hash:
            self._by_object[evaluation.object_hash] = evaluation
        return evaluation
