"""Where a campaign's children come from: the seam, and the embedded proposer behind it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Protocol

from agent.nursery import Nursery
from agent.proposers.protocol import Child, Proposer
from agent.search import Search, Trial
from db.records import CampaignStatus
from evaluator.candidate import Candidate

ATTEMPTS = 24
"""Fruitless tries for one child after which a batch is taken as it is."""
NOTHING_LEFT = "nothing new is left to try"


@dataclass(frozen=True)
class Ending:
    """Why no further children come, and whether that is the campaign's end or an interruption."""

    status: CampaignStatus
    reason: str


class Breeder(Protocol):
    """Makes the children of a campaign; they are recorded when it hands them out."""

    @property
    def ending(self) -> Ending | None:
        """Why no more children come; None while there may be some."""
        ...

    async def batch(self, most: int, over: Callable[[], bool]) -> list[Trial]:
        """Children that nobody has judged, to be built together; none at the end.

        Args:
            most: At most so many.
            over: Asked while waiting: the campaign is to end, so wait no longer.
        """
        ...

    async def simpler(self, kernel: Candidate, over: Callable[[], bool]) -> Trial | None:
        """A simpler form of the winner, if there is somebody to ask for one; nothing else is asked
        after that.

        Args:
            kernel: The winner.
            over: Asked while waiting, as in `batch`.
        """
        ...

    async def close(self) -> None:
        """Leave nothing running."""
        ...


class Childless:
    """No children: a campaign that only judges what it was handed."""

    ending: Ending | None = Ending(CampaignStatus.FINISHED, "everything that waited was judged")

    async def batch(self, most: int, over: Callable[[], bool]) -> list[Trial]:
        """None."""
        return []

    async def simpler(self, kernel: Candidate, over: Callable[[], bool]) -> Trial | None:
        """None."""
        return None

    async def close(self) -> None:
        """Nothing runs."""


class EmbeddedBreeder:
    """Children of the embedded proposer alone, as many at a time as are wanted."""

    def __init__(self, proposer: Proposer, search: Search, nursery: Nursery) -> None:
        self.ending: Ending | None = None
        self._proposer = proposer
        self._search = search
        self._nursery = nursery
        self._openings: Iterator[Child] | None = None

    async def batch(self, most: int, over: Callable[[], bool]) -> list[Trial]:
        """See `Breeder.batch`: openings first, then bred ones."""
        trials: list[Trial] = []
        while len(trials) < most and (trial := await self.one()) is not None:
            trials.append(trial)
        if not trials:
            self.ending = Ending(CampaignStatus.FINISHED, NOTHING_LEFT)
        return trials

    async def one(self) -> Trial | None:
        """A single child, None if nothing new is found."""
        child = self._opening() or await self._bred()
        return None if child is None else self._nursery.accept(child, self._proposer.name)

    async def simpler(self, kernel: Candidate, over: Callable[[], bool]) -> Trial | None:
        """None: what can be taken away without a model is tried anyway."""
        return None

    async def close(self) -> None:
        """Nothing runs."""

    def _opening(self) -> Child | None:
        """The next that is new, None if all were tried. They are made once: that takes time."""
        if self._openings is None:
            assert self._search.seed is not None  # it was judged before anything is bred
            seed = self._search.seed.child.candidate
            self._openings = iter(self._proposer.openings(seed))
        return next((c for c in self._openings if self._nursery.objection(c) is None), None)

    async def _bred(self) -> Child | None:
        for _ in range(ATTEMPTS):
            rng = self._search.stream.next()
            brief = self._search.brief(rng)
            child = await self._proposer.propose(brief, rng)
            if child is not None and self._nursery.objection(child) is None:
                return child
            self._search.population.count_child([brief.parents[0].digest])
        return None
