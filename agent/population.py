"""Who may have children: islands of measured candidates, each with a grid of behaviours.

Islands with a MAP-Elites grid each (Mouret and Clune, "Illuminating search spaces by mapping
elites", 2015); the grid's axes are read off the built artefact, not off the source.
"""

from __future__ import annotations

import bisect
import math
import random
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from evaluator.candidate import Candidate

EQUAL_CHILD = 2
"""A child with known machine code makes its parent less novel by as many further children."""
FAR = 0.75
"""An island is far behind if the best that was born on it has less of the incumbent's score."""
SETTLERS = 3
"""Elites of other islands that an extinct island begins anew with."""


@dataclass(frozen=True)
class Member:
    """A correct and timed candidate.

    Attributes:
        candidate: The candidate.
        score: Speedup over the seed; an estimate from a race unless `confirmed`. Estimates serve
            selection alone and are never reported.
        confirmed: The score is that of a confirmation run.
        cell: Name of its cell of the behaviour grid.
        rules: Names of the rewriting rules that led from its parent to it.
    """

    candidate: Candidate
    score: float
    confirmed: bool
    cell: str
    rules: tuple[str, ...] = ()


@dataclass(frozen=True)
class Taste:
    """How parents are drawn.

    Attributes:
        exploit: Share of children of the incumbent, whatever the island.
        decay, flat_decay: Ratio of the weights of neighbouring ranks: when things go well, and in
            stagnation.
        closeness: Power of the share of the incumbent's speed that a parent has, as a weight.
        pool: Ranked candidates of an island that may have children, beside the elites of its cells.
    """

    exploit: float
    decay: float
    flat_decay: float
    closeness: float
    pool: int


WIDE = Taste(exploit=0.1, decay=0.9, flat_decay=0.97, closeness=1.0, pool=24)
"""For rewriting rules: children cost an evaluation and nothing else, and the way to the fastest
kernel leads over slower ones (`docs/search.md` has what was measured)."""
NARROW = Taste(exploit=0.45, decay=0.55, flat_decay=0.9, closeness=2.0, pool=12)
"""For models: an answer is dear and a leap."""


def cell_of(profile: Mapping[str, float | int | str]) -> str:
    """The cell of a built artefact: widest vector arithmetic, threads, code size; on GPUs the unit
    that computes, how data come to it, registers a thread, and code size."""
    if not profile:
        return "unknown"
    if "registers" in profile:
        return _gpu_cell(profile)
    threads = "parallel" if profile.get("parallel_regions") else "serial"
    instructions = float(profile.get("instructions", 0) or 0)
    size = int(math.log2(max(instructions, 1.0)) // 2)
    return f"{profile.get('vector', 'scalar')}/{threads}/size{size}"


def _gpu_cell(profile: Mapping[str, float | int | str]) -> str:
    registers = math.ceil(float(profile["registers"]) / 64) * 64
    size = int(math.log2(max(float(profile.get("instructions", 0)), 1.0)) // 2)
    unit, staging = profile.get("vector", "simt"), profile.get("staging", "direct")
    return f"{unit}/{staging}/regs{registers}/size{size}"


def _rank(member: Member) -> tuple[float, str]:
    """Sorts members, the best first."""
    return -member.score, member.candidate.digest


@dataclass
class Island:
    """One subpopulation.

    Attributes:
        members: By digest.
        cells: The best of every cell.
        native_best: Highest score of those born on it; immigrants do not count.
        fruitless: Evaluations of its children since the last confirmed gain.
    """

    members: dict[str, Member] = field(default_factory=dict)
    cells: dict[str, Member] = field(default_factory=dict)
    native_best: float = 0.0
    fruitless: int = 0
    _order: list[tuple[float, str]] = field(default_factory=list)

    def insert(self, member: Member) -> None:
        """Add a member; it takes its cell if it is better than the one there."""
        known = self.members.get(member.candidate.digest)
        if known is not None:
            self._order.remove(_rank(known))
        self.members[member.candidate.digest] = member
        bisect.insort(self._order, _rank(member))
        holder = self.cells.get(member.cell)
        if holder is None or member.score > holder.score:
            self.cells[member.cell] = member

    def ranked(self, pool: int = WIDE.pool) -> list[Member]:
        """The pool of parents, best first: the highest scores and every cell's elite."""
        elites = {_rank(self.members[m.candidate.digest]) for m in self.cells.values()}
        chosen = sorted({*self._order[:pool], *elites})
        return [self.members[digest] for _, digest in chosen]


@dataclass(frozen=True)
class Extinction:
    """An island that was given up.

    Attributes:
        island: Its number.
        fruitless: Evaluations of its children without a confirmed gain.
        best: Highest score of those born on it.
        ahead: The incumbent's.
        settlers: Digests of the elites of other islands that live there now.
    """

    island: int
    fruitless: int
    best: float
    ahead: float
    settlers: tuple[str, ...]


class Population:
    """All islands. What it holds depends on the order of insertions alone.

    Args:
        islands: Number of subpopulations.
    """

    def __init__(self, islands: int) -> None:
        self.islands = [Island() for _ in range(islands)]
        self._incumbent: Member | None = None
        self._children: Counter[str] = Counter()

    def island_of(self, ordinal: int) -> int:
        """The island that a proposal belongs to, by its place in the campaign."""
        return ordinal % len(self.islands)

    def plant(self, seed: Member) -> None:
        """Put the seed on every island; it is the first incumbent."""
        self._incumbent = seed
        for island in self.islands:
            island.insert(seed)
            island.native_best = seed.score

    def insert(self, member: Member, island: int) -> None:
        """Add a measured child to an island; a confirmed one is the new incumbent."""
        if member.confirmed:
            self._incumbent = member
        home = self.islands[island]
        home.insert(member)
        home.native_best = max(home.native_best, member.score)

    def count_trial(self, island: int, improved: bool) -> None:
        """A child of an island was evaluated."""
        home = self.islands[island]
        home.fruitless = 0 if improved else home.fruitless + 1

    def extinguish(self, after: int) -> Extinction | None:
        """Give up an island that is stuck, and seed it anew with elites of the others.

        Stuck is an island whose last `after` children brought no confirmed gain while the best
        that was born on it is far behind the incumbent. The incumbent's own island never is.

        Args:
            after: Evaluations; 0 for never.

        Returns:
            What was done, None for nothing.
        """
        for number, island in enumerate(self.islands):
            behind = island.native_best < FAR * self.incumbent.score
            if after and behind and island.fruitless >= after:
                settlers = self._elites(i for i in self.islands if i is not island)[:SETTLERS]
                if settlers:
                    return self._settle(number, settlers)
        return None

    def count_child(self, parents: Sequence[str]) -> None:
        """A child was proposed: its main parent has become less novel."""
        self._children.update(parents[:1])

    def count_equal_child(self, parents: Sequence[str]) -> None:
        """A child turned out to be a program that is known: where it came from is worn out."""
        for parent in parents[:1]:
            self._children[parent] += EQUAL_CHILD

    @property
    def incumbent(self) -> Member:
        """The best confirmed candidate; LookupError before the seed is planted."""
        if self._incumbent is None:
            raise LookupError("the population is empty")
        return self._incumbent

    def member(self, digest: str) -> Member | None:
        """The member of that digest on any island."""
        found = (i.members[digest] for i in self.islands if digest in i.members)
        return next(found, None)

    def elites(self) -> list[Member]:
        """The best of every cell over all islands, the highest scores first."""
        return self._elites(self.islands)

    def _elites(self, islands: Iterable[Island]) -> list[Member]:
        best: dict[str, Member] = {}
        for island in islands:
            for cell, member in island.cells.items():
                if cell not in best or member.score > best[cell].score:
                    best[cell] = member
        return sorted(best.values(), key=lambda m: (-m.score, m.candidate.digest))

    def mate(self, rng: random.Random, parent: Member, island: int) -> Member | None:
        """Another parent for a crossover: of another cell if there is one, None if there is nobody.

        Args:
            rng: Decides among the ranked.
            parent: The first parent.
            island: Where the child will live.
        """
        ranked = self.islands[island].ranked(NARROW.pool)
        others = [m for m in ranked if m.candidate != parent.candidate]
        pool = [m for m in others if m.cell != parent.cell] or others
        weights = [NARROW.decay**rank for rank in range(len(pool))]
        return rng.choices(pool, weights)[0] if pool else None

    def select(
        self, rng: random.Random, island: int, heat: float = 0.0, taste: Taste = WIDE
    ) -> Member:
        """Draw a parent: by rank and score, less often the more children it had.

        Args:
            rng: Its state alone decides among equals.
            island: Where the child will live.
            heat: 0 (the best are preferred) to 1 (stagnation: nearly everybody is as likely).
            taste: How much the best are preferred.

        Raises:
            LookupError: The population is empty.
        """
        if rng.random() < taste.exploit * (1.0 - heat / 2):
            return self.incumbent
        pool = self.islands[island].ranked(taste.pool)
        weights = [self._weight(m, rank, heat, taste) for rank, m in enumerate(pool)]
        return rng.choices(pool, weights)[0]

    def migrate(self) -> None:
        """Copy the best of every island to the next one, around the ring."""
        tops = [island.ranked(1)[:1] for island in self.islands]
        for number, top in enumerate(tops):
            for member in top:
                self.islands[(number + 1) % len(self.islands)].insert(member)

    def _settle(self, number: int, settlers: Sequence[Member]) -> Extinction:
        gone = self.islands[number]
        island = self.islands[number] = Island()
        for member in settlers:
            island.insert(member)
        digests = tuple(m.candidate.digest for m in settlers)
        ahead = self.incumbent.score
        return Extinction(number, gone.fruitless, gone.native_best, ahead, digests)

    def _weight(self, member: Member, rank: int, heat: float, taste: Taste) -> float:
        decay = taste.decay + (taste.flat_decay - taste.decay) * heat
        power = taste.closeness * (1.0 - heat)
        closeness = min(1.0, member.score / self.incumbent.score) ** power
        novelty = 1.0 / math.sqrt(1 + self._children[member.candidate.digest])
        return float(decay**rank * closeness * novelty)
