"""The campaign: select, propose, evaluate, record, insert, credit, until the budget is used."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from agent.judge import Judge
from agent.observer import Observer, Standing
from agent.proposers.protocol import Child, Proposer
from agent.report import Report
from agent.search import Search, Trial, Verdict
from db.archive import Archive
from db.records import Baselines, CampaignRecord, CampaignStatus
from evaluator.candidate import Candidate
from evaluator.errors import InfrastructureError, KernelmillError
from evaluator.evaluation import Evaluation, Speedup
from evaluator.outcome import Outcome

ATTEMPTS = 24
"""Fruitless tries for one child after which a batch is taken as it is."""
MOST_DUPLICATES = 150
"""Children in a row with known machine code after which the search is at its end."""
MOST_FAULTS = 3
"""Evaluations in a row that this machine spoilt after which the campaign stops."""
_FINAL = (Outcome.BUILD_FAILED, Outcome.INCORRECT)


class StopSign:
    """Raised by whoever wants the campaign to end after the running evaluation."""

    raised = False


@dataclass
class _Streaks:
    duplicates: int = 0
    faults: int = 0


class Campaign:
    """One search, under way in this process.

    Args:
        record: The campaign in the archive.
        archive: Where every step is recorded before the next begins.
        judge: The running evaluator.
        proposer: Who makes children.
        search: The state; for a resumed campaign with everything replayed.
        observer: Who is told.
        stop: Looked at between evaluations.
        noise_floor: As recorded, None if it is still to be measured.
        baselines: As recorded, None if they are still to be measured.
        batch_size: Children that are proposed and built together.
        want_baselines: Measure PyTorch at the end.
    """

    def __init__(
        self,
        record: CampaignRecord,
        archive: Archive,
        judge: Judge,
        proposer: Proposer,
        search: Search,
        observer: Observer,
        stop: StopSign,
        *,
        noise_floor: float | None = None,
        baselines: Baselines | None = None,
        batch_size: int = 6,
        want_baselines: bool = True,
    ) -> None:
        self._record = record
        self._archive = archive
        self._judge = judge
        self._proposer = proposer
        self._search = search
        self._observer = observer
        self._stop = stop
        self._noise_floor = noise_floor
        self._baselines = baselines
        self._failures: tuple[tuple[str, str], ...] = ()
        self._batch_size = batch_size
        self._want_baselines = want_baselines
        self._streaks = _Streaks()
        self._exhausted = False

    async def run(self, seed: Candidate) -> Report:
        """Search until the budget is used or the stop sign is raised.

        Args:
            seed: The first candidate; unused if the campaign has one already.

        Raises:
            KernelmillError: The seed is no valid kernel, the archive cannot be written, or this
                machine failed. What was found before is in the archive.
        """
        try:
            await self._begin(seed)
            await self._evaluate(self._search.pending)
            while self._may_go_on():
                await self._evaluate(await self._propose())
            return await self._conclude()
        except BaseException as error:
            with contextlib.suppress(Exception):  # the first error is the one to report
                self._archive.finish_campaign(
                    self._record.id, CampaignStatus.INTERRUPTED, str(error)
                )
            raise

    async def _begin(self, source: Candidate) -> None:
        """The seed is judged and the noise floor measured, unless they were."""
        seed = self._search.seed or self._accept(Child(source, "seed", (), "the seed"))
        candidate = seed.child.candidate
        await self._judge.register_seed(candidate)
        for digest, evaluation in self._search.evaluations.items():
            await self._judge.remember(self._search.trials[digest].child.candidate, evaluation)
        if candidate.digest not in self._search.evaluations:
            await self._evaluate([seed])
        judged = self._search.evaluations.get(candidate.digest)
        if judged is not None and judged.outcome is not Outcome.OK:
            self._refuse_seed(judged)
        if judged is not None and self._noise_floor is None and not self._stop.raised:
            measured = await self._judge.noise_floor(candidate)
            self._noise_floor = measured.relative
            self._archive.record_noise_floor(
                self._record.id, measured.relative, measured.comparisons
            )
        if self._noise_floor is not None:
            self._observer.noise_floor(self._noise_floor)

    async def _propose(self) -> list[Trial]:
        """A batch of children that nobody has judged: openings first, then bred ones."""
        left = self._search.budget.evaluations_left
        size = self._batch_size if left is None else min(self._batch_size, left)
        trials = [self._accept(child) for child in self._openings()[:size]]
        while len(trials) < size and (child := await self._breed()) is not None:
            trials.append(self._accept(child))
        self._exhausted = not trials
        return trials

    def _openings(self) -> list[Child]:
        assert self._search.seed is not None
        return [c for c in self._proposer.openings(self._search.seed.child.candidate)
                if self._is_new(c)]  # fmt: skip

    async def _breed(self) -> Child | None:
        for _ in range(ATTEMPTS):
            rng = self._search.stream.next()
            brief = self._search.brief(rng)
            child = await self._proposer.propose(brief, rng)
            if child is not None and self._is_new(child):
                return child
            self._search.population.count_child([brief.parents[0].digest])
        return None

    def _is_new(self, child: Child) -> bool:
        """Nobody has judged it here; nor has an earlier campaign found it wrong for good."""
        digest = child.candidate.digest
        if digest in self._search.trials:
            return False
        known = self._archive.evaluation_of(digest, self._record.target, self._record.problem_id)
        return known is None or known.outcome not in _FINAL

    def _accept(self, child: Child) -> Trial:
        recorded = self._archive.record_candidate(
            self._record.id,
            child.candidate,
            operator=child.operator,
            proposer=self._proposer.name,
            parents=child.parents,
            description=child.description,
            random_state=self._search.stream.state,
            rules=child.rules,
        )
        return self._search.proposed(child, recorded.ordinal)

    async def _evaluate(self, trials: Sequence[Trial]) -> None:
        """Build all, then judge one by one; whatever is left at a stop stays pending."""
        if not trials or self._stopped(trials):
            return
        builds = await self._judge.build([t.child.candidate for t in trials])
        for trial, build in zip(trials, builds, strict=True):
            if self._stopped([trial]):
                return
            self._observer.trying(trial.child)
            incumbent = None if trial.child.operator == "seed" else self._incumbent
            evaluation = await self._judge.evaluate(
                trial.child.candidate, build, incumbent, self._noise_floor or 0.0
            )
            self._settle(trial, evaluation)

    def _settle(self, trial: Trial, evaluation: Evaluation) -> None:
        verdict = self._search.judged(trial, evaluation)
        self._archive.record_evaluation(self._record.id, evaluation, elite=verdict.elite)
        self._watch(verdict)
        if evaluation.outcome is Outcome.OK or trial.child.operator != "seed":
            self._observer.judged(verdict, self._standing())

    def _watch(self, verdict: Verdict) -> None:
        faulty = verdict.evaluation.outcome is Outcome.INFRA_ERROR
        self._streaks.duplicates = self._streaks.duplicates + 1 if verdict.duplicate else 0
        self._streaks.faults = self._streaks.faults + 1 if faulty else 0
        if self._streaks.faults >= MOST_FAULTS:
            raise InfrastructureError(
                f"this machine failed {MOST_FAULTS} evaluations in a row "
                f"({_reason(verdict.evaluation)}); see `kernelmill doctor`, then "
                f"`kernelmill resume {self._record.id}`"
            )

    def _may_go_on(self) -> bool:
        if self._streaks.duplicates >= MOST_DUPLICATES:
            self._exhausted = True
        return not (self._stop.raised or self._exhausted) and self._search.budget.left()

    def _stopped(self, trials: Sequence[Trial]) -> bool:
        is_seed = trials[0].child.operator == "seed"
        return self._stop.raised or not (is_seed or self._search.budget.left())

    def _refuse_seed(self, evaluation: Evaluation) -> None:
        reason = f"the seed of {self._record.problem!r} ended as {evaluation.outcome}"
        if evaluation.outcome is Outcome.INFRA_ERROR:
            raise InfrastructureError(f"{reason}: {_reason(evaluation)}; see `kernelmill doctor`")
        raise KernelmillError(f"{reason}: {_reason(evaluation)}; a search needs a correct seed")

    async def _conclude(self) -> Report:
        """Measure the baselines, close the campaign, say what it came to."""
        stopped = self._stop.raised
        if self._want_baselines and not stopped and self._found:
            await self._measure_baselines()
        if stopped:
            status, reason = CampaignStatus.INTERRUPTED, "stopped by the user"
        else:
            status = CampaignStatus.FINISHED
            reason = self._search.budget.exhausted() or "nothing new is left to try"
        self._archive.finish_campaign(self._record.id, status, reason)
        return self._report(status, reason)

    async def _measure_baselines(self) -> None:
        best = self._incumbent
        if self._baselines is not None and self._baselines.candidate == best.digest:
            return
        measured = await self._judge.baselines(best, self._noise_floor or 0.0)
        self._failures = measured.failures
        self._baselines = Baselines(best.digest, measured.comparisons, measured.speedups)
        self._archive.record_baselines(
            self._record.id, best.digest, measured.comparisons, measured.speedups
        )

    @property
    def _incumbent(self) -> Candidate:
        return self._search.population.incumbent.candidate

    @property
    def _found(self) -> bool:
        seed = self._search.seed
        return seed is not None and self._incumbent.digest != seed.child.candidate.digest

    def _over_seed(self) -> Speedup | None:
        """Of the incumbent: from the several sittings at the end, else from its confirmation."""
        measured = self._baselines
        if measured is not None and measured.candidate == self._incumbent.digest:
            for speedup in measured.speedups:
                if speedup.other == "seed":
                    return speedup
        return self._search.best_speedup()

    def _standing(self) -> Standing:
        search = self._search
        return Standing(
            search.budget.evaluations,
            search.budget.limits.evaluations,
            {str(k): n for k, n in search.outcomes.items()},
            search.duplicates,
            self._incumbent.digest,
            search.best_speedup(),
            search.budget.elapsed,
            search.budget.seconds_left,
        )

    def _report(self, status: CampaignStatus, reason: str) -> Report:
        search = self._search
        seed = None if search.seed is None else search.seed.child.candidate.digest
        judged = seed is not None and seed in search.evaluations
        best = self._incumbent.digest if judged else None
        evaluation = None if best is None else search.evaluations[best]
        baselines = self._baselines
        return Report(
            campaign=self._record.id,
            problem=self._record.problem,
            backend=self._record.backend,
            target=self._record.target,
            archive=self._archive.location,
            status=status,
            reason=reason,
            evaluations=search.budget.evaluations,
            duplicates=search.duplicates,
            outcomes={str(k): n for k, n in search.outcomes.items()},
            seconds=search.budget.elapsed,
            noise_floor=self._noise_floor,
            seed=seed,
            best=best,
            description="" if best is None else search.trials[best].child.description,
            speedup=self._over_seed() if judged and best != seed else None,
            comparisons=() if evaluation is None else evaluation.comparisons,
            baselines=baselines if baselines and baselines.candidate == best else None,
            failures=self._failures,
        )


def _reason(evaluation: Evaluation) -> str:
    if evaluation.evidence:
        return evaluation.evidence[0].message
    return next(iter(evaluation.build_log.splitlines()), "no reason given")
