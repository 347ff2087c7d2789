"""The state of a search: a function of what was proposed and judged, in order, and of nothing else.

So a resumed campaign gets its state by going through the archive's records with the very methods
that made it the first time (`agent.replayed`).
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from agent.asking import Asking
from agent.budget import Budget
from agent.credit import phase_shares
from agent.crediting import Crediting, Origin
from agent.lessons import Lessons, distilled
from agent.population import Extinction, Member, Population, cell_of
from agent.proposers.protocol import Brief, Child
from agent.random_stream import RandomStream
from agent.reviewing import Reviewing
from agent.simplify import state as simplifying
from db.records import Elite, Event, EventKind, Lesson, ModelCall
from evaluator.candidate import Candidate
from evaluator.evaluation import Evaluation, Speedup
from evaluator.outcome import Outcome

BARREN = 10
"""Duplicates in a row after which the search is as wide as it gets."""
PATIENT, STAGNANT = 8, 24
"""Evaluations without improvement after which the search begins, and ceases, to widen."""
SPILLING = 0.5
"""What code that was not measured is thought to be worth if it spills registers."""


@dataclass(frozen=True)
class Trial:
    """A child with its place in the campaign, from 1; the seed is the first.

    `origin` is the answer it came from, None if no model made it.
    """

    child: Child
    ordinal: int
    origin: Origin | None = None


@dataclass(frozen=True)
class Verdict:
    """What an evaluation meant for the search.

    Attributes:
        trial: What was judged.
        evaluation: What was found.
        duplicate: Its machine code had been judged before; it cost nothing.
        improved: It is the new incumbent.
        over_incumbent: Speedup over the incumbent it was measured against.
        elite: The place it took, if it was confirmed.
        lesson: What it taught, if anything.
        events: What followed from it.
    """

    trial: Trial
    evaluation: Evaluation
    duplicate: bool
    improved: bool
    over_incumbent: Speedup | None
    elite: Elite | None
    lesson: Lesson | None = None
    events: tuple[Event, ...] = ()


class Search:
    """Population, credit, budget and everything known, kept consistent.

    Args:
        population: Empty.
        budget: Nothing counted yet.
        stream: Where randomness comes from.
        operators: Those of the proposer, and of the models if there are any.
        migrate_every: Evaluations between two migrations.
        repairs: Attempts to repair a model's failed child.
        models: Names of those that can be asked.
        extinct_after: See `Population.extinguish`.

    Attributes:
        made: Number of children by operator.
        failed: Children that were no valid kernels, in the order of their judgement.
    """

    def __init__(
        self,
        population: Population,
        budget: Budget,
        stream: RandomStream,
        operators: Sequence[str],
        migrate_every: int,
        repairs: int = 0,
        models: Sequence[str] = (),
        extinct_after: int = 0,
    ) -> None:
        self.population = population
        self.budget = budget
        self.stream = stream
        self.credit = Crediting(operators, models, budget.limits)
        self.outcomes: Counter[Outcome] = Counter()
        self.duplicates = 0
        self._in_a_row = 0
        self.trials: dict[str, Trial] = {}
        self.made: Counter[str] = Counter()
        self.failed: list[Candidate] = []
        self.evaluations: dict[str, Evaluation] = {}
        self._migrate_every = migrate_every
        self.asking = Asking(population, self.credit, repairs)
        self._extinct_after = extinct_after
        self.lessons = Lessons()
        self.reviewing = Reviewing()
        self.noise_floor = 0.0
        self.simplified = simplifying.Tried()

    @property
    def pending(self) -> list[Trial]:
        """Proposals that wait for their evaluation, in order."""
        return [t for digest, t in self.trials.items() if digest not in self.evaluations]

    @property
    def seed(self) -> Trial | None:
        """The first proposal, None before it is made."""
        return next(iter(self.trials.values()), None)

    @property
    def heat(self) -> float:
        """Stagnation: 0 while improvements come, 1 after a long time without, or when children
        keep turning out to be programs that are known."""
        fruitless = (self.budget.fruitless - PATIENT) / (STAGNANT - PATIENT)
        return min(1.0, max(0.0, fruitless, self._in_a_row / BARREN))

    def brief(self, rng: random.Random) -> Brief:
        """What to ask the proposer for next."""
        island = self.population.island_of(len(self.trials) + 1)
        parent = self.population.select(rng, island, self.heat)
        shares = phase_shares(self.budget.fraction, self.heat)
        operator = self.credit.operators.choose(rng, shares)
        return Brief(operator, (parent.candidate,), self.credit.rules.factors(), self.heat)

    def question(self, rng: random.Random) -> Brief:
        """What to ask a model next: to repair what failed last, or for a child."""
        return self.asking.question(rng, self.population.island_of(len(self.trials) + 1), self.heat)

    def answered(
        self, call: int, operator: str, parents: Sequence[str], figures: ModelCall, usable: bool
    ) -> Origin | None:
        """A question was concluded: the answer held a new kernel, or not (then it returns None)."""
        if not usable:
            self.population.count_child(parents)
        return self.credit.answered(call, operator, figures, usable)

    def proposed(self, child: Child, ordinal: int, origin: Origin | None = None) -> Trial:
        """A child got its place in the campaign."""
        trial = Trial(child, ordinal, origin)
        self.trials[child.candidate.digest] = trial
        self.made[child.operator] += 1
        self.population.count_child(child.parents)
        return trial

    def judged(self, trial: Trial, evaluation: Evaluation) -> Verdict:
        """An evaluation ended: everything the search learns from it."""
        digest, child = trial.child.candidate.digest, trial.child
        self.evaluations[digest] = _without_rounds(evaluation)
        if child.operator == simplifying.OPERATOR:
            return self._simplified(trial, evaluation)
        if evaluation.same_object_as is not None:
            self.duplicates += 1
            self._in_a_row += 1
            self.credit.known(child, trial.origin)
            self.population.count_equal_child(child.parents)
            return Verdict(trial, evaluation, True, False, None, None)
        self._in_a_row = 0
        self.outcomes[evaluation.outcome] += child.operator != "seed"
        if evaluation.outcome is Outcome.INFRA_ERROR:
            return Verdict(trial, evaluation, False, False, None, None)
        if child.operator == "seed":
            return self._plant(trial, evaluation)
        if evaluation.outcome is Outcome.UNMEASURED:
            return self._waits(trial, evaluation)
        over = evaluation.speedup_over("incumbent")
        lesson = distilled(child, evaluation, self.population.incumbent.candidate.digest)
        if lesson is not None:
            self.lessons.add(lesson)
        member = self._member(child, evaluation, over)
        parent = self.population.member(child.parents[0]) if child.parents else None
        self.credit.judged(child, trial.origin, evaluation, over, member, parent)
        if evaluation.outcome.is_candidates_fault and child.description:
            self.failed.append(child.candidate)
        if member is None:
            self.asking.failed(child, evaluation.outcome, lambda d: self.trials[d].child)
        self._count(evaluation)
        elite, island = None, self.population.island_of(trial.ordinal)
        if member is not None:
            self.population.insert(member, island)
            if member.confirmed:
                elite = Elite(island, member.cell, digest, member.score)
        self.population.count_trial(island, evaluation.improved)
        if self.budget.evaluations % self._migrate_every == 0:
            self.population.migrate()
        happened = self._consequences(trial, evaluation)
        return Verdict(trial, evaluation, False, evaluation.improved, over, elite, lesson, happened)

    def _consequences(self, trial: Trial, evaluation: Evaluation) -> tuple[Event, ...]:
        """What follows from an evaluation for islands and the reviewer."""
        gone = self.population.extinguish(self._extinct_after)
        off = None
        if trial.origin is not None:
            off = self.reviewing.judged(trial.origin.call, evaluation.outcome)
        return tuple(e for e in (None if gone is None else _event(gone), off) if e is not None)

    def known(self, digest: str) -> bool:
        """It is a candidate of the campaign, or one that may be translated in it."""
        return digest in self.trials or digest in self.asking.sources

    def candidate(self, digest: str) -> Candidate:
        """A candidate of the campaign, or one that may be translated in it; KeyError for others."""
        if digest in self.trials:
            return self.trials[digest].child.candidate
        return self.asking.sources[digest].candidate

    def best_speedup(self) -> Speedup | None:
        """Confirmed speedup of the incumbent over the seed, None while that is the seed."""
        found = self.evaluations.get(self.population.incumbent.candidate.digest)
        return None if found is None else found.speedup_over("seed")

    def lineage(self) -> list[Candidate]:
        """The incumbent with the main parents that led to it, the first one first."""
        found = [self.population.incumbent.candidate]
        while (parents := self.trials[found[0].digest].child.parents) and parents[0] in self.trials:
            found.insert(0, self.trials[parents[0]].child.candidate)
        return found

    def unsimplified(self) -> Candidate:
        """What the incumbent was before it was simplified: simpler kernels must not be slower."""
        for candidate in reversed(self.lineage()):
            if self.trials[candidate.digest].child.operator != simplifying.OPERATOR:
                return candidate
        raise LookupError("the seed was not made by simplifying")

    def _simplified(self, trial: Trial, evaluation: Evaluation) -> Verdict:
        """A simpler kernel was judged: it counts as no step of the search."""
        self.simplified.add(evaluation)
        over, before = evaluation.speedup_over("incumbent"), self.population.incumbent
        known = evaluation.same_object_as is not None
        current = self.evaluations[before.candidate.digest]
        if not simplifying.accepted(evaluation, current, self.noise_floor):
            return Verdict(trial, evaluation, known, False, over, None)
        over_seed = evaluation.speedup_over("seed")
        score = before.score if over_seed is None else over_seed.interval.estimate
        member = Member(trial.child.candidate, score, True, cell_of(evaluation.profile))
        island = self.population.island_of(trial.ordinal)
        self.population.insert(member, island)
        elite = Elite(island, member.cell, trial.child.candidate.digest, score)
        return Verdict(trial, evaluation, known, True, over, elite)

    def _plant(self, trial: Trial, evaluation: Evaluation) -> Verdict:
        candidate = trial.child.candidate
        elite = None
        if evaluation.outcome in (Outcome.OK, Outcome.UNMEASURED):
            member = Member(candidate, 1.0, True, cell_of(evaluation.profile))
            self.population.plant(member)
            if evaluation.outcome is Outcome.OK:
                elite = Elite(0, member.cell, candidate.digest, 1.0)
        return Verdict(trial, evaluation, False, False, None, elite)

    def _waits(self, trial: Trial, evaluation: Evaluation) -> Verdict:
        """It is right as far as can be told and nobody knows how fast: it may have children, and
        what it does otherwise than others (its cell) is all that distinguishes it. Code that spills
        registers is thought half as good, to select by; no figure is made of it."""
        child = trial.child
        score = SPILLING if evaluation.profile.get("spill_bytes") else 1.0
        cell = cell_of(evaluation.profile)
        member = Member(child.candidate, score, False, cell, child.rules)
        self.population.insert(member, self.population.island_of(trial.ordinal))
        self._count(evaluation)
        if self.budget.evaluations % self._migrate_every == 0:
            self.population.migrate()
        return Verdict(trial, evaluation, False, False, None, None)

    def _member(self, child: Child, evaluation: Evaluation, over: Speedup | None) -> Member | None:
        if evaluation.outcome is not Outcome.OK or over is None:
            return None
        score = self.population.incumbent.score * over.interval.estimate
        over_seed = evaluation.speedup_over("seed")
        if over_seed is not None and over_seed.confirmed:
            score = over_seed.interval.estimate
        cell = cell_of(evaluation.profile)
        return Member(child.candidate, score, evaluation.improved, cell, child.rules)

    def _count(self, evaluation: Evaluation) -> None:
        over_seed = evaluation.speedup_over("seed")
        confirmed = over_seed is not None and over_seed.confirmed
        low = over_seed.interval.low if over_seed is not None and confirmed else None
        self.budget.spend(evaluation.improved, low)


def _event(gone: Extinction) -> Event:
    return Event(
        EventKind.EXTINCTION,
        {
            "island": gone.island,
            "fruitless": gone.fruitless,
            "best": gone.best,
            "ahead": gone.ahead,
            "settlers": " ".join(gone.settlers),
        },
    )


def _without_rounds(evaluation: Evaluation) -> Evaluation:
    """What the search has to remember: the raw rounds are in the archive."""
    slim = tuple(replace(comparison, rounds=()) for comparison in evaluation.comparisons)
    return replace(evaluation, comparisons=slim)
