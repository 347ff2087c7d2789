"""What models are asked next, and of whom: as far as it follows from what was asked and judged."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence

from agent.crediting import Crediting
from agent.population import NARROW, Member, Population
from agent.ports import OPERATOR as PORT
from agent.ports import shown
from agent.proposers.protocol import Brief, Child
from agent.simplify.state import OPERATOR as SIMPLIFY
from db.rows import StoredElite
from evaluator.candidate import Candidate
from evaluator.outcome import Outcome

MODEL_OPERATORS = ("rewrite", "patch", "crossover", "repair", PORT)
"""What language models carry out in a search; `repair` follows a failure and is never drawn."""
LONG_SOURCE = 300
"""Lines from which on an edit is asked for rather than the whole source."""
MOST_PORTS = 2
"""Translations of one kernel that are asked for."""


class Asking:
    """Chooses the next question.

    Args:
        population: Where parents come from.
        credit: What operators have earned.
        repairs: Attempts to repair a model's failed child.

    Attributes:
        simplified: Digests of kernels that a simpler form of was asked for.
        sources: Kernels of other backends and targets that may be translated, by digest.
    """

    def __init__(self, population: Population, credit: Crediting, repairs: int) -> None:
        self.simplified: set[str] = set()
        self.sources: dict[str, StoredElite] = {}
        self._ported: Counter[str] = Counter()
        self._population = population
        self._credit = credit
        self._repairs = repairs
        self._broken: list[Candidate] = []

    def learn_of(self, sources: Sequence[StoredElite]) -> None:
        """These may be translated."""
        self.sources.update({source.candidate.digest: source for source in sources})

    def question(self, rng: random.Random, island: int, heat: float) -> Brief:
        """To repair what failed last, or for a child.

        Args:
            rng: Its state alone decides among equals.
            island: Where the child will live.
            heat: See `Population.select`.
        """
        if self._broken:
            return Brief("repair", (self._broken[0],), heat=heat)
        parent = self._population.select(rng, island, heat, NARROW)
        mate = self._population.mate(rng, parent, island)
        operator = self._credit.operators.choose(rng, self._shares(parent, mate is not None))
        if operator == PORT and (source := self._source()) is not None:
            return Brief(operator, (source,), heat=heat)
        if operator == "crossover" and mate is not None:
            return Brief(operator, (parent.candidate, mate.candidate), heat=heat)
        return Brief(operator, (parent.candidate,), heat=heat)

    def asked(self, operator: str, parents: Sequence[str]) -> None:
        """A question is on its way; a failed child is offered for repair once."""
        if operator == SIMPLIFY:
            self.simplified.update(parents)
        elif operator == PORT:
            self._ported.update(parents)
        elif operator == "repair":
            self._broken = [c for c in self._broken if c.digest not in parents]

    def failed(self, child: Child, outcome: Outcome, known: Callable[[str], Child]) -> None:
        """A child is not right: offer it for repair if a model made it, it is no cheat, and not the
        last of a row of vain repairs.

        Args:
            child: The child.
            outcome: How it ended.
            known: Children of the campaign by digest.
        """
        if not outcome.is_candidates_fault or outcome is Outcome.TAMPERED:
            return
        attempts, first = 0, child
        while first.operator == "repair" and attempts < self._repairs:
            attempts += 1
            first = known(first.parents[0])
        if first.operator in MODEL_OPERATORS and attempts < self._repairs:
            self._broken.append(child.candidate)

    def _shares(self, parent: Member, mate: bool) -> dict[str, float]:
        """Prior shares of the operators of models, less for those whose answers are no use."""
        long = parent.candidate.source.count("\n") > LONG_SOURCE
        shares = {"rewrite": 0.3 if long else 0.6, "patch": 0.5 if long else 0.2}
        shares["crossover"] = 0.2 if mate else 0.0
        shares[PORT] = 0.0 if self._source() is None else 0.3
        return {name: share * self._credit.usable(name) for name, share in shares.items()}

    def _source(self) -> Candidate | None:
        """What to translate next: what was translated least, unless it is right here as it is."""
        left = [
            elite.candidate
            for digest, elite in self.sources.items()
            if self._ported[digest] < MOST_PORTS
            and self._population.member(shown(elite).digest) is None
        ]
        return min(left, key=lambda c: self._ported[c.digest], default=None)
