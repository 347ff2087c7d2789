"""Walking a recorded candidate space: the real search, with everything it meets recorded.

The proposer hands out the recorded children of a parent (`benchmarks.spaces`), a model repeats its
recorded answers in their order, and the judge repeats what was measured, with as much noise as the
measurement had.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from agent.budget import Budget, Limits
from agent.cli.config import CampaignConfig
from agent.credit import Bandit, RuleCredit
from agent.crediting import NOTHING_NEW
from agent.population import NARROW, WIDE, Member, Population, Taste
from agent.proposers.protocol import Brief, Child
from agent.random_stream import RandomStream
from agent.search import Search
from agent.transform.engine import LENGTHS, PRIOR
from benchmarks.lattice import Setting
from benchmarks.spaces import Node, Recording
from evaluator.candidate import Candidate
from evaluator.evaluation import Evaluation, Interval, Speedup
from evaluator.outcome import Outcome

OPERATORS = ("transform", "tune")
DEFAULTS = CampaignConfig(problem="softmax")
CONFIRM_SPREAD = 0.006
"""Standard error of a confirmation's log-ratio, as A/A runs show it."""
IMPROVEMENT = math.log(1.02)
LESSON_TRUST = 3.0
"""As how many children of this campaign those of other problems count."""
FRUITLESS = 300
"""Parents in a row without an untried child after which a walk ends."""


class Anybody(Population):
    """Every right kernel is as likely to have children: random search."""

    def select(
        self, rng: random.Random, island: int, heat: float = 0.0, taste: Taste = WIDE
    ) -> Member:
        """Uniform over everybody."""
        everybody = {d: m for i in self.islands for d, m in i.members.items()}
        return everybody[rng.choice(sorted(everybody))]


class OnlyTheBest(Population):
    """Hill climbing: only the incumbent has children."""

    def select(
        self, rng: random.Random, island: int, heat: float = 0.0, taste: Taste = WIDE
    ) -> Member:
        """The incumbent."""
        return self.incumbent


class Choosy(Population):
    """Parents for rules are drawn as those for models are: half the children are the best's."""

    def select(
        self, rng: random.Random, island: int, heat: float = 0.0, taste: Taste = WIDE
    ) -> Member:
        """See `Population.select`."""
        return super().select(rng, island, heat, NARROW)


class WithoutCells(Population):
    """Islands without a behaviour grid: elites of cells get no place beside the best."""

    def insert(self, member: Member, island: int) -> None:
        """Everybody is of one cell."""
        super().insert(_in_cell(member, "all"), island)

    def plant(self, seed: Member) -> None:
        """See `insert`."""
        super().plant(_in_cell(seed, "all"))


class NoOperatorCredit(Bandit):
    """Operators by their prior shares alone."""

    def update(self, name: str, earned: float, cost: float) -> None:
        """Learns nothing."""


class NoRuleCredit(RuleCredit):
    """Rules by their prior weights alone."""

    def update(self, rules: Sequence[str], gain: float | None) -> None:
        """Learns nothing."""


class Taught(RuleCredit):
    """Rules begin with what they brought on other problems.

    Args:
        spaces: Of the other problems.
    """

    def __init__(self, spaces: Sequence[Space]) -> None:
        super().__init__()
        for space in spaces:
            for rules, gain in space.gains():
                self.update(rules, gain)
        for name, count in self._count.items():
            self._sum[name] *= min(1.0, LESSON_TRUST / count)
            self._count[name] = min(count, LESSON_TRUST)


@dataclass(frozen=True)
class Step:
    """A node that another may lead to, by which rules, and how likely that is a priori."""

    node: Node
    rules: tuple[str, ...]
    prior: float


@dataclass(frozen=True)
class Strategy:
    """One way to search.

    Attributes:
        population: Makes the population.
        tune: Tunables are searched.
        equivalence: Known machine code costs no evaluation.
        credit: Operators and rules are weighed by what they earned.
        extinct_after: Evaluations after which a stuck island is seeded anew; 0 for never.
        openings: The proposer's openings come first.
        lessons: What rules brought on the other problems is known.
        mix: Share of embedded proposals beside a model's; 1 asks no model.
    """

    population: Callable[[], Population] = lambda: Population(DEFAULTS.islands)
    tune: bool = True
    equivalence: bool = True
    credit: bool = True
    extinct_after: int = DEFAULTS.extinct_after
    openings: bool = True
    lessons: bool = False
    mix: float = 1.0


class Space:
    """A recorded space, ready to be walked: candidates stand for nodes."""

    def __init__(self, problem: str, recording: Recording) -> None:
        self.problem = problem
        self.nodes = nodes = recording.nodes
        self.candidates = [Candidate(problem, "cpp", f"// node {n.number}\n") for n in nodes]
        self.number = {c.digest: n for n, c in enumerate(self.candidates)}
        self.openings = [nodes[number] for number in recording.openings if number]
        self.answers = [n for n in nodes if n.tokens]
        self._lattice, self._places = recording.lattice, recording.places
        self._settings: dict[int, list[Setting]] = defaultdict(list)
        for setting, number in self._places.items():
            self._settings[number].append(setting)
        self._children: dict[tuple[int, str], list[Step]] = defaultdict(list)
        for node in nodes:
            if node.parent is not None and not node.tokens:
                step = Step(node, node.rules, 1.0)
                self._children[node.parent, node.operator].append(step)

    def steps(self, number: int, operator: str, rng: random.Random) -> Iterator[list[Step]]:
        """Where a kernel may lead: what the proposer would try first, then what is left."""
        found = self._children[number, operator]
        if operator == "tune":
            flags = (s for own in self._settings[number] for s in self._lattice.other_flags(own))
            yield [*found, *(self._step(setting, ("tune",)) for setting in flags)]
            return
        first = rng.choice(LENGTHS)
        yield [*found, *self._further(number, first)]
        for length in sorted({*LENGTHS} - {first}):
            yield self._further(number, length)

    def gains(self) -> Iterator[tuple[tuple[str, ...], float | None]]:
        """Every rule wherever it was added to a right kernel, and what log-speedup that brought;
        None if it made the kernel wrong."""
        for number in self._settings:
            before = self.nodes[number]
            for step in self._further(number, 1) if before.log_speedup is not None else ():
                if step.node.program == before.program:
                    yield step.rules, NOTHING_NEW
                elif step.node.log_speedup is None:
                    yield step.rules, None
                else:
                    yield step.rules, step.node.log_speedup - (before.log_speedup or 0.0)

    def child(self, node: Node, parent: int, operator: str, rules: tuple[str, ...]) -> Child:
        """A node as a proposal."""
        parents = (self.candidates[parent].digest,)
        return Child(self.candidates[node.number], operator, parents, "", rules)

    def recorded(self, node: Node) -> Child:
        """A node as it was proposed."""
        assert node.parent is not None
        return self.child(node, node.parent, node.operator, node.rules)

    def _further(self, number: int, length: int) -> list[Step]:
        return [
            self._step(setting, rules)
            for own in self._settings[number]
            for setting, rules in self._lattice.further(own, length)
        ]

    def _step(self, setting: Setting, rules: tuple[str, ...]) -> Step:
        prior = math.prod(PRIOR.get(name, 1.0) for name in rules)
        return Step(self.nodes[self._places[setting]], rules, prior)


@dataclass(frozen=True)
class Stand:
    """How far a walk is: log-speedup of its incumbent, and the tokens it took."""

    log_speedup: float
    tokens: int


class Walk:
    """One strategy with one seed on one space; lessons come from the others."""

    def __init__(
        self,
        space: Space,
        strategy: Strategy,
        seed: int,
        evaluations: int,
        others: Sequence[Space] = (),
    ) -> None:
        self._space = space
        self._strategy = strategy
        self._noise = random.Random(f"noise {seed}")
        operators = OPERATORS if strategy.tune else OPERATORS[:1]
        budget = Budget(Limits(evaluations), clock=lambda: 0.0)
        self._search = Search(
            strategy.population(), budget, RandomStream(seed), operators, DEFAULTS.migrate_every,
            extinct_after=strategy.extinct_after,
        )  # fmt: skip
        if not strategy.credit:
            self._search.credit.operators = NoOperatorCredit(operators)
            self._search.credit.rules = NoRuleCredit()
        if strategy.lessons:
            self._search.credit.rules = Taught(others)
        self._programs: set[int] = set()
        self._answers = list(reversed(space.answers))
        self._tokens = 0
        self._opened = 0
        self.curve: list[Stand] = []

    async def run(self) -> list[Stand]:
        """Where it stood after every evaluation that counts."""
        seed = self._space.candidates[0]
        self._settle(Child(seed, "seed", (), "the seed"))
        for node in self._space.openings if self._strategy.openings else ():
            if self._search.budget.left():
                self._settle(self._space.child(node, 0, node.operator, node.rules))
                self._opened += 1
        fruitless = 0
        while self._search.budget.left() and fruitless < FRUITLESS:
            child = self._answer() if self._owes_answer() or fruitless else None
            if child is None:
                rng = self._search.stream.next()
                child = self._draw(self._search.brief(rng), rng)
            fruitless = fruitless + 1 if child is None else 0
            if child is not None:
                self._settle(child)
        return self.curve

    def _owes_answer(self) -> bool:
        """Embedded children have had their share beside the model's next answer."""
        mix, answered = self._strategy.mix, len(self._space.answers) - len(self._answers)
        if mix >= 1.0:
            return False
        embedded = sum(self._search.made[name] for name in OPERATORS) - self._opened
        return embedded >= mix / (1.0 - mix) * (answered + 1)

    def _answer(self) -> Child | None:
        """The model's next; None where none is asked, or it has no more."""
        if not self._answers or self._strategy.mix >= 1.0:
            return None
        node = self._answers.pop()
        self._tokens += node.tokens
        return self._space.recorded(node)

    def _draw(self, brief: Brief, rng: random.Random) -> Child | None:
        """A recorded child that was not tried yet; rules that paid are drawn more often."""
        parent = self._space.number[brief.parents[0].digest]
        for steps in self._space.steps(parent, brief.operator, rng):
            left = [s for s in steps if self._untried(s.node)]
            if left:
                factors = brief.rule_factors
                weights = [s.prior * math.prod(factors.get(r, 1.0) for r in s.rules) for s in left]
                step = rng.choices(left, weights)[0]
                return self._space.child(step.node, parent, brief.operator, step.rules)
        self._search.population.count_child([brief.parents[0].digest])
        return None

    def _untried(self, node: Node) -> bool:
        return self._space.candidates[node.number].digest not in self._search.trials

    def _settle(self, child: Child) -> None:
        trial = self._search.proposed(child, len(self._search.trials) + 1)
        node = self._space.nodes[self._space.number[child.candidate.digest]]
        before = self._search.budget.evaluations
        self._search.judged(trial, self._verdict(node))
        if self._search.budget.evaluations > before:
            best = self._search.population.incumbent.candidate
            found = self._space.nodes[self._space.number[best.digest]].log_speedup
            self.curve.append(Stand(found or 0.0, self._tokens))

    def _verdict(self, node: Node) -> Evaluation:
        digest = self._space.candidates[node.number].digest
        same = None
        if node.program in self._programs and self._strategy.equivalence:
            same = self._space.candidates[node.program].digest
        self._programs.add(node.program)
        if node.log_speedup is None or node.number == 0 or same is not None:
            return Evaluation(digest, "recorded", Outcome(node.outcome), same_object_as=same,
                              profile=_profile(node))  # fmt: skip
        return self._timed(node, digest)

    def _timed(self, node: Node, digest: str) -> Evaluation:
        """A race, and a confirmation where the race is won, with noise as it was measured."""
        holder = self._search.population.incumbent.candidate
        best = self._space.nodes[self._space.number[holder.digest]].log_speedup or 0.0
        own = node.log_speedup or 0.0
        raced = own - best + self._noise.gauss(0.0, node.spread)
        sure = own - best + self._noise.gauss(0.0, CONFIRM_SPREAD)
        improved = raced > 0 and sure - 1.96 * CONFIRM_SPREAD > IMPROVEMENT
        found = [_speedup("incumbent", sure if improved else raced, confirmed=improved)]
        if improved:
            found.append(_speedup("seed", own, confirmed=True))
        return Evaluation(digest, "recorded", Outcome(node.outcome), speedups=tuple(found),
                          improved=improved, profile=_profile(node))  # fmt: skip


def _speedup(other: str, log: float, *, confirmed: bool) -> Speedup:
    ratio = math.exp(log)
    return Speedup(other, Interval(ratio, ratio * 0.99, ratio * 1.01), confirmed, True)


def _profile(node: Node) -> dict[str, float | int | str]:
    """A profile whose cell is the recorded one."""
    if node.cell == "unknown":
        return {}
    vector, threads, size = node.cell.split("/")
    return {"vector": vector, "parallel_regions": int(threads == "parallel"),
            "instructions": 2 ** (2 * int(size.removeprefix("size")))}  # fmt: skip


def _in_cell(member: Member, cell: str) -> Member:
    return Member(member.candidate, member.score, member.confirmed, cell, member.rules)


def after(curve: Sequence[Stand], evaluations: int) -> Stand:
    """Where a walk stood after so many evaluations; one that ended earlier keeps what it had."""
    return curve[min(evaluations, len(curve)) - 1] if curve else Stand(0.0, 0)
