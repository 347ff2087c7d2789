"""The campaign: select, propose, evaluate, record, insert, credit, until the budget is used."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass

from agent.breeding import NOTHING_LEFT, Breeder, Ending
from agent.happenings import told
from agent.judge import Judge
from agent.nursery import Nursery
from agent.observer import Observer
from agent.proposers.protocol import Child
from agent.report import Report
from agent.reporting import Reporting
from agent.search import Search, Trial, Verdict
from agent.simplify.phase import Simplification
from agent.simplify.state import OPERATOR as SIMPLIFY
from agent.simplify.state import with_figures
from db.archive import Archive
from db.records import Baselines, CampaignRecord, CampaignStatus
from evaluator.candidate import Candidate
from evaluator.errors import InfrastructureError, KernelmillError
from evaluator.evaluation import Evaluation
from evaluator.outcome import Outcome

MOST_DUPLICATES = 150
"""Children in a row with known machine code after which the search is at its end."""
MOST_FAULTS = 3
"""Evaluations in a row that this machine spoilt after which the campaign stops."""
RESTLESS = 0.03
"""A noise floor (a fraction) from here on is no trait of the machine: it is measured again."""
LISTEN_EVERY = 12
"""Evaluations between two looks at a restless machine."""


class StopSign:
    """Raised by whoever wants the campaign to end after the running evaluation.

    Attributes:
        raised: It is to end.
        reason: Who wants that, for the archive.
    """

    raised = False
    reason = "stopped by the user"


@dataclass
class _Streaks:
    duplicates: int = 0
    faults: int = 0
    unheard: int = 0


class Campaign:
    """One search, under way in this process.

    Args:
        record: The campaign in the archive.
        archive: Where every step is recorded before the next begins.
        judge: The running evaluator.
        breeder: Who makes children.
        nursery: Where the seed is recorded; the breeder's own.
        search: The state; for a resumed campaign with everything replayed.
        reporting: Says where it stands.
        observer: Who is told.
        stop: Looked at between evaluations.
        noise_floor: As recorded, None if it is still to be measured.
        baselines: As recorded, None if they are still to be measured.
        batch_size: Children that are proposed and built together.
        want_baselines: Measure PyTorch at the end.
        inherited: Children that are judged before any are made.
        simplify: Share of evaluations and time for simplifying the winner.
    """

    def __init__(
        self,
        record: CampaignRecord,
        archive: Archive,
        judge: Judge,
        breeder: Breeder,
        nursery: Nursery,
        search: Search,
        reporting: Reporting,
        observer: Observer,
        stop: StopSign,
        *,
        noise_floor: float | None = None,
        baselines: Baselines | None = None,
        batch_size: int = 6,
        want_baselines: bool = True,
        inherited: Sequence[Child] = (),
        simplify: float = 0.0,
    ) -> None:
        self._inherited = inherited
        self._record = record
        self._archive = archive
        self._judge = judge
        self._breeder = breeder
        self._nursery = nursery
        self._search = search
        self._reporting = reporting
        self._observer = observer
        self._stop = stop
        self._noise_floor = noise_floor
        self._baselines = baselines
        self._failures: tuple[tuple[str, str], ...] = ()
        self._batch_size = batch_size
        self._want_baselines = want_baselines
        self._simplification = Simplification(
            search, nursery, breeder, simplify, self._try_simpler, lambda: stop.raised
        )
        self._streaks = _Streaks()

    async def run(self, seed: Candidate) -> Report:
        """Search until the budget is used or the stop sign is raised.

        Args:
            seed: The first candidate; unused if the campaign has one already.

        Raises:
            KernelmillError: The seed is no valid kernel, the archive cannot be written, a model's
                endpoint refuses us, or this machine failed. What was found before is in the
                archive.
        """
        try:
            await self._begin(seed)
            await self._evaluate([t for t in self._search.pending if t.child.operator != SIMPLIFY])
            await self._inherit()
            while not self._over():
                await self._listen_again()
                await self._evaluate(await self._breeder.batch(self._room(), self._over))
            if self._concluding is CampaignStatus.FINISHED and self._found:
                await self._simplification.run()
            await self._breeder.close()
            return await self._conclude()
        except BaseException as error:
            with contextlib.suppress(Exception):  # the first error is the one to report
                await self._breeder.close()
            with contextlib.suppress(Exception):
                self._archive.finish_campaign(
                    self._record.id, CampaignStatus.INTERRUPTED, str(error)
                )
            raise

    async def _begin(self, source: Candidate) -> None:
        """The seed is judged and the noise floor measured, unless they were."""
        seed = self._search.seed or self._nursery.accept(
            Child(source, "seed", (), "the seed"), "problem"
        )
        candidate = seed.child.candidate
        await self._judge.register_seed(candidate)
        for digest, evaluation in self._search.evaluations.items():
            await self._judge.remember(self._search.trials[digest].child.candidate, evaluation)
        if candidate.digest not in self._search.evaluations:
            await self._evaluate([seed])
        judged = self._search.evaluations.get(candidate.digest)
        right = Outcome.OK if self._judge.measures else Outcome.UNMEASURED
        if judged is not None and judged.outcome is not right:
            self._refuse_seed(judged)
        if self._noise_floor is not None:
            self._observer.noise_floor(self._noise_floor)
        elif judged is not None and self._judge.measures and not self._stop.raised:
            await self._listen(candidate)

    async def _listen_again(self) -> None:
        """A first look at a bad moment must not blur the whole campaign."""
        restless = self._noise_floor is not None and self._noise_floor >= RESTLESS
        seed = self._search.seed
        if restless and seed is not None and self._streaks.unheard >= LISTEN_EVERY:
            await self._listen(seed.child.candidate)

    async def _listen(self, candidate: Candidate) -> None:
        measured = await self._judge.noise_floor(candidate)
        self._streaks.unheard = 0
        self._noise_floor = self._search.noise_floor = measured.relative
        self._archive.record_noise_floor(self._record.id, measured.relative, measured.comparisons)
        self._observer.noise_floor(measured.relative)

    async def _inherit(self) -> None:
        """Judge what was handed to this campaign, as far as its budget goes."""
        new = [c for c in self._inherited if self._nursery.objection(c) is None]
        while new and not self._stop.raised and self._search.budget.left():
            part, new = new[: self._room()], new[self._room() :]
            await self._evaluate([self._nursery.accept(child, "archive") for child in part])

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

    async def _try_simpler(self, trial: Trial) -> None:
        """Judge a simpler form of the winner."""
        candidate = trial.child.candidate
        (build,) = await self._judge.build([candidate])
        self._observer.trying(trial.child)
        evaluation = await self._judge.evaluate(
            candidate,
            build,
            self._search.unsimplified(),
            self._noise_floor or 0.0,
            equal_will_do=True,
        )
        self._settle(trial, evaluation)

    def _settle(self, trial: Trial, evaluation: Evaluation) -> None:
        if trial.child.operator == SIMPLIFY:
            evaluation = with_figures(evaluation, self._search.evaluations[self._incumbent.digest])
        verdict = self._search.judged(trial, evaluation)
        self._archive.record_evaluation(
            self._record.id,
            evaluation,
            elite=verdict.elite,
            lesson=verdict.lesson,
            happened=verdict.events,
        )
        for event in verdict.events:
            self._observer.note(told(event))
        self._watch(verdict)
        right = evaluation.outcome in (Outcome.OK, Outcome.UNMEASURED)
        if right or trial.child.operator != "seed":
            self._observer.judged(verdict, self._reporting.standing())

    def _watch(self, verdict: Verdict) -> None:
        faulty = verdict.evaluation.outcome is Outcome.INFRA_ERROR
        self._streaks.duplicates = self._streaks.duplicates + 1 if verdict.duplicate else 0
        self._streaks.faults = self._streaks.faults + 1 if faulty else 0
        self._streaks.unheard += 1
        if self._streaks.faults >= MOST_FAULTS:
            raise InfrastructureError(
                f"this machine failed {MOST_FAULTS} evaluations in a row "
                f"({_reason(verdict.evaluation)}); see `kernelmill doctor`, then "
                f"`kernelmill resume {self._record.id}`"
            )

    def _room(self) -> int:
        """How many children may be evaluated together."""
        left = self._search.budget.evaluations_left
        return self._batch_size if left is None else min(self._batch_size, left)

    def _over(self) -> bool:
        return self._stop.raised or self._ending() is not None

    def _ending(self) -> Ending | None:
        """Why the campaign ends, None while it goes on."""
        if (used := self._search.budget.exhausted()) is not None:
            return Ending(CampaignStatus.FINISHED, used)
        if self._streaks.duplicates >= MOST_DUPLICATES:
            return Ending(CampaignStatus.FINISHED, NOTHING_LEFT)
        return self._breeder.ending

    @property
    def _concluding(self) -> CampaignStatus:
        """How the campaign ends as it stands now."""
        ending = self._ending()
        if self._stop.raised:
            return CampaignStatus.INTERRUPTED
        return CampaignStatus.FINISHED if ending is None else ending.status

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
        ending = self._ending() or Ending(CampaignStatus.FINISHED, NOTHING_LEFT)
        if stopped:
            ending = Ending(CampaignStatus.INTERRUPTED, self._stop.reason)
        self._archive.finish_campaign(self._record.id, ending.status, ending.reason)
        return self._reporting.report(ending, self._noise_floor, self._baselines, self._failures)

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


def _reason(evaluation: Evaluation) -> str:
    if evaluation.evidence:
        return evaluation.evidence[0].message
    return next(iter(evaluation.build_log.splitlines()), "no reason given")
