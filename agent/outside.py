"""Children from outside: handed in by somebody who is connected, whenever that may be."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from agent.breeding import Ending
from agent.nursery import Nursery
from agent.prompts.material import gather
from agent.prompts.prompter import Prompter
from agent.proposers.protocol import Brief, Child
from agent.search import Search, Trial
from db.records import CampaignRecord, CampaignStatus, Lesson
from evaluator.candidate import Candidate
from evaluator.errors import ConfigError, SourceError

NOBODY = "every proposal is judged, and further ones come from an agent: connect it to " \
    "`kernelmill mcp`"  # fmt: skip
POLL_SECONDS = 0.5
"""How often waiting for a child looks whether the campaign is to end."""
_SHORTEST_PREFIX = 4


@dataclass(frozen=True)
class Proposed:
    """What is handed in.

    Attributes:
        source: The kernel.
        tunables: Values that override its declared defaults.
        parents: Digests or their beginnings, the main parent first; none: the best so far.
        plan: Its author's words on what was changed and why.
        author: Who proposes it, for the archive.
    """

    source: str
    tunables: Mapping[str, int]
    parents: Sequence[str]
    plan: str
    author: str


@dataclass(frozen=True)
class Question:
    """What is asked of an author: the whole text, the operator, and the kernels to start from."""

    text: str
    operator: str
    parents: tuple[Candidate, ...]


@dataclass(frozen=True)
class Workplace:
    """A campaign as those see it who write its kernels.

    Attributes:
        record: The campaign.
        search: Its state.
        nursery: Where children are recorded.
        prompter: Writes briefs.
        before: Lessons of other campaigns; None: briefs carry no lessons at all.
    """

    record: CampaignRecord
    search: Search
    nursery: Nursery
    prompter: Prompter
    before: Sequence[Lesson] | None

    def parents(self, names: Sequence[str]) -> tuple[Candidate, ...]:
        """Candidates by the beginnings of their digests; no names: the best so far.

        Raises:
            ConfigError: One is not of this campaign, or there is no best one yet.
        """
        named = {c.digest: c for c in map(self.candidate, names)}
        if named:
            return tuple(named.values())
        try:
            return (self.search.population.incumbent.candidate,)
        except LookupError:
            number = self.record.id
            raise ConfigError(
                f"the seed of campaign {number} is not judged yet: continue_campaign first"
            ) from None

    def candidate(self, prefix: str) -> Candidate:
        """A candidate by the beginning of its digest.

        Raises:
            ConfigError: None or several of this campaign begin so.
        """
        wanted = prefix.strip().lower()
        found = [digest for digest in self.search.trials if digest.startswith(wanted)]
        if len(wanted) < _SHORTEST_PREFIX or len(found) != 1:
            some = "several candidates begin" if len(found) > 1 else "no candidate begins"
            raise ConfigError(
                f"in campaign {self.record.id} {some} with {prefix!r}: name one of its own by the "
                f"first {_SHORTEST_PREFIX} or more hex digits, or submit its source here first"
            )
        return self.search.trials[found[0]].child.candidate

    def operator(self, parents: Sequence[Candidate], made: Candidate | None = None) -> str:
        """What making a child of these is called.

        Args:
            parents: The main parent first.
            made: The child, once it is there.
        """
        if len(parents) > 1:
            return "crossover"
        if made is not None and made.source == parents[0].source:
            return "tune"
        judged = self.search.evaluations.get(parents[0].digest)
        failed = judged is not None and judged.outcome.is_candidates_fault
        return "repair" if failed else "rewrite"

    def brief(self, names: Sequence[str]) -> Question:
        """All that an author should know to write the next child.

        Args:
            names: Kernels to start from, see `parents`.
        """
        parents = self.parents(names)
        operator = self.operator(parents)
        told = () if self.before is None else self.search.lessons.worth_telling(self.before)
        material = gather(self.search, Brief(operator, parents), told)
        return Question(self.prompter.prompt(material).text, operator, parents)

    def child(self, proposed: Proposed) -> Child:
        """What is handed in, with its place in the lineage.

        Raises:
            SourceError: It is no text that can be stored.
            ConfigError: See `parents`.
        """
        _require_text(proposed.source)
        parents = self.parents(proposed.parents)
        kin = parents[0]
        made = Candidate(kin.problem, kin.backend, proposed.source, dict(proposed.tunables))
        plan = " ".join(proposed.plan.split())
        return Child(made, self.operator(parents, made), tuple(p.digest for p in parents), plan)


class Inbox:
    """A breeder that waits for what is handed in. A child is recorded the moment it is taken, so
    whatever happens to who handed it in, or to this process, it will be judged.

    Attributes:
        ending: See `Breeder.ending`.
        ready: Set when everything that was recorded before is judged.
    """

    def __init__(self) -> None:
        self.ending: Ending | None = None
        self.ready = asyncio.Event()
        self._place: Workplace | None = None
        self._queue: deque[Trial] = deque()
        self._news = asyncio.Event()

    @classmethod
    def shut(cls) -> Inbox:
        """One that nobody can reach: the campaign judges what is recorded, and ends."""
        inbox = cls()
        inbox.ending = Ending(CampaignStatus.FINISHED, NOBODY)
        return inbox

    def open(self, place: Workplace) -> None:
        """From here on there is a campaign behind it."""
        self._place = place

    @property
    def place(self) -> Workplace:
        """What is behind it; LookupError before `open`."""
        if self._place is None:
            raise LookupError("no campaign is behind this inbox yet")
        return self._place

    def take(self, proposed: Proposed) -> tuple[Trial, bool]:
        """Take a child in; recorded when this returns.

        Returns:
            Its trial, and whether the campaign had it already: then nothing is recorded again.

        Raises:
            SourceError: It is no text that can be stored.
            ConfigError: A parent is not of this campaign, the budget is used, or an earlier
                campaign has judged the same kernel to be wrong.
        """
        child = self.place.child(proposed)
        known = self.place.search.trials.get(child.candidate.digest)
        if known is not None:
            return known, True
        if (objection := self.place.nursery.objection(child)) is not None:
            raise ConfigError(objection)
        self._require_budget()
        trial = self.place.nursery.accept(child, proposed.author)
        self._queue.append(trial)
        self._news.set()
        return trial, False

    def end(self, ending: Ending) -> None:
        """Nothing more is taken."""
        self.ending = ending
        self._news.set()

    def wake(self) -> None:
        """Look at once whether the campaign is to end."""
        self._news.set()

    async def batch(self, most: int, over: Callable[[], bool]) -> list[Trial]:
        """See `Breeder.batch`."""
        self.ready.set()
        while not self._queue and self.ending is None and not over():
            self._news.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._news.wait(), POLL_SECONDS)
        return [self._queue.popleft() for _ in range(min(most, len(self._queue)))]

    async def simpler(self, kernel: Candidate, over: Callable[[], bool]) -> Trial | None:
        """None: whoever is connected was not asked."""
        return None

    async def close(self) -> None:
        """Nothing runs."""

    def _require_budget(self) -> None:
        search, number = self.place.search, self.place.record.id
        used = search.budget.exhausted()
        left = search.budget.evaluations_left
        if used is None and left is not None and len(search.pending) >= left:
            used = f"all {search.budget.limits.evaluations} evaluations are done or under way"
        if self.ending is not None:
            used = self.ending.reason
        if used is not None:
            raise ConfigError(f"campaign {number} takes no more kernels: {used}")


@dataclass(frozen=True)
class Outside:
    """Where a campaign's children come in.

    Attributes:
        inbox: Takes them.
        thread: The one thread of all evaluators of this process.
    """

    inbox: Inbox
    thread: ThreadPoolExecutor


def _require_text(source: str) -> None:
    """Refuse what is not the text its author wrote.

    Raises:
        SourceError: It is blank, or holds half of a surrogate pair or what decoders put for
            invalid bytes.
    """
    if not source.strip():
        raise SourceError("the source is empty")
    for number, line in enumerate(source.split("\n"), start=1):
        bad = next((c for c in line if c == "\ufffd" or "\ud800" <= c <= "\udfff"), None)
        if bad is not None:
            raise SourceError(
                f"the source is not UTF-8: line {number} holds U+{ord(bad):04X}; send it again as "
                "UTF-8 text"
            )
