"""Record a candidate space: kernels of a problem, each evaluated, and how one leads to another.

    python -m benchmarks.spaces [--problems softmax ...]

Every combination of some rules (`benchmarks.lattice`), the fastest of them with other numbers, the
proposer's openings, and what the model of a recorded campaign answered, with children of its best;
all through the real cascade, one JSON file per problem in `benchmarks/spaces/`. `benchmarks.search`
lets strategies walk there without a machine and without luck.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import itertools
import json
import math
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import quiet

quiet.prepare()

from agent.population import cell_of  # noqa: E402 - torch's threads must be told first
from agent.proposers.protocol import Brief, Child  # noqa: E402
from agent.proposers.transform import TransformProposer  # noqa: E402
from agent.transform.engine import PRIOR  # noqa: E402
from agent.transform.openings import openings  # noqa: E402
from benchmarks import recorded_answers  # noqa: E402
from benchmarks.lattice import Lattice, Setting, lattice  # noqa: E402
from evaluator import catalogue  # noqa: E402
from evaluator.candidate import Candidate  # noqa: E402
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.evaluation import Evaluation  # noqa: E402
from evaluator.outcome import Outcome  # noqa: E402
from sandbox.select import choose  # noqa: E402

SPACES = Path(__file__).parent / "spaces"
PROBLEMS = ("softmax", "layernorm", "gemm", "histogram")
RULES = 7
TUNED, TUNES = 40, 3
"""Of so many of the fastest combinations, so many children with other numbers are recorded."""
ANSWERED = 8
"""So many of a model's fastest kernels are given children."""
BRANCHES = {"transform": 4, "tune": 3}


@dataclass(frozen=True)
class Node:
    """One evaluated kernel.

    Attributes:
        number: Place in the space; 0 is the seed.
        parent: Number of its parent; None for the seed, and for what is in the lattice.
        operator, rules: How it was made.
        outcome: The verdict.
        program: Number of the first kernel with this machine code; its own if it was new.
        cell: Cell of the behaviour grid.
        log_speedup: Over the seed; None if it is not right.
        spread: Standard error of the race's estimate.
        seconds: What its evaluation took.
        tokens: That the model's answer and its question had; 0 if no model made it.
    """

    number: int
    parent: int | None
    operator: str
    rules: tuple[str, ...]
    outcome: str
    program: int
    cell: str
    log_speedup: float | None
    spread: float
    seconds: float
    tokens: int = 0


@dataclass(frozen=True)
class Recording:
    """A recorded space.

    Attributes:
        nodes: The seed first.
        lattice: The combinations that are in it.
        places: Number of the node of every combination.
        openings: Numbers of those that the proposer's openings come to, the most promising first.
    """

    nodes: Sequence[Node]
    lattice: Lattice
    places: Mapping[Setting, int]
    openings: Sequence[int]


class Recorder:
    """Fills the space of one problem."""

    def __init__(self, evaluator: Evaluator, seed: Candidate, rng: random.Random) -> None:
        self.nodes: list[Node] = []
        self.lattice = lattice(seed.source, RULES, PRIOR)
        self.places: dict[Setting, int] = {}
        self._evaluator = evaluator
        self._proposer = TransformProposer()
        self._rng = rng
        self._candidates: list[Candidate] = []
        self._numbers: dict[str, int] = {}
        self._best, self._floor = 0, 0.0
        evaluator.register_seed(seed)
        self._add(None, [Child(seed, "seed", (), "the seed")])
        self._floor = evaluator.noise_floor(seed).relative

    def fill(self) -> None:
        """Everything in turn; the openings first, so that slow kernels lose early."""
        seed = self._candidates[0]
        self._combinations(seed, [self.lattice.nearest(p) for p in openings(seed.source)])
        self._combinations(seed, self.lattice.settings())
        for number in self._fastest(range(len(self.nodes)), TUNED):
            self._add(number, self._children(number, {"tune": TUNES}))
        answered = self._answers(seed.problem)
        for number in self._fastest(answered, ANSWERED):
            self._add(number, self._children(number, BRANCHES))

    def openings(self) -> list[int]:
        """Nodes that the proposer's openings come to."""
        found = map(self.lattice.nearest, openings(self._candidates[0].source))
        return list(dict.fromkeys(self.places[setting] for setting in found))

    def _combinations(self, seed: Candidate, wanted: Iterable[Setting]) -> None:
        for rules, settings in itertools.groupby(wanted, lambda s: s.rules):
            names = tuple(n for n, on in zip(self.lattice.names, rules, strict=True) if on)
            made = {s: Candidate(seed.problem, seed.backend, self.lattice.source(seed.source, s))
                    for s in settings}  # fmt: skip
            self._add(None, [Child(c, "transform", (), "", names) for c in made.values()])
            self.places.update((s, self._numbers[c.digest]) for s, c in made.items())

    def _answers(self, problem: str) -> list[int]:
        """The model's kernels; children of the seed where their parents are not here."""
        found = []
        for answer in recorded_answers.answers(problem):
            known = [self._numbers[d] for d in answer.child.parents if d in self._numbers]
            self._add(known[0] if known else 0, [answer.child], tokens=answer.tokens)
            found.append(self._numbers[answer.child.candidate.digest])
        return found

    def _fastest(self, numbers: Iterable[int], most: int) -> list[int]:
        right = [self.nodes[n] for n in numbers if self.nodes[n].log_speedup is not None]
        own = [n for n in right if n.program == n.number]
        own.sort(key=lambda n: -(n.log_speedup or 0.0))
        return [n.number for n in own[:most]]

    def _children(self, number: int, branches: Mapping[str, int]) -> list[Child]:
        parent = self._candidates[number]
        found: dict[str, Child] = {}
        for operator, wanted in branches.items():
            brief, made = Brief(operator, (parent,)), 0
            for _ in range(3 * wanted):
                child = asyncio.run(self._proposer.propose(brief, self._rng))
                if child is None or child.candidate.digest in {*self._numbers, *found}:
                    continue
                found[child.candidate.digest] = child
                made += 1
                if made == wanted:
                    break
        return list(found.values())

    def _add(self, parent: int | None, children: list[Child], *, tokens: int = 0) -> None:
        fresh = list({c.candidate.digest: c for c in children
                      if c.candidate.digest not in self._numbers}.values())  # fmt: skip
        builds = self._evaluator.build_all([c.candidate for c in fresh])
        for child, build in zip(fresh, builds, strict=True):
            incumbent = self._candidates[self._best] if self.nodes else None
            evaluation = self._evaluator.evaluate(child.candidate, build, incumbent, self._floor)
            self._take(parent, child, evaluation, tokens)

    def _take(self, parent: int | None, child: Child, evaluation: Evaluation, tokens: int) -> None:
        number = len(self.nodes)
        self._candidates.append(child.candidate)
        self._numbers[child.candidate.digest] = number
        program, log_speedup, spread = number, None, 0.0
        cell = cell_of(evaluation.profile)
        if evaluation.same_object_as is not None:
            first = self.nodes[self._numbers[evaluation.same_object_as]]
            program, log_speedup, spread = first.program, first.log_speedup, first.spread
            cell = first.cell
        elif number == 0:
            log_speedup = 0.0
        elif evaluation.outcome is Outcome.OK:
            log_speedup, spread = self._placed(evaluation)
        self.nodes.append(Node(
            number, parent, child.operator, child.rules, str(evaluation.outcome),
            program, cell, log_speedup, spread, sum(s.seconds for s in evaluation.stages), tokens,
        ))  # fmt: skip
        if evaluation.improved:
            self._best = number

    def _placed(self, evaluation: Evaluation) -> tuple[float | None, float]:
        """Log-speedup over the seed, and the standard error of the comparison."""
        over_seed = evaluation.speedup_over("seed")
        over = evaluation.speedup_over("incumbent")
        if over is None:
            return None, 0.0
        spread = (math.log(over.interval.high) - math.log(over.interval.low)) / 3.92
        if over_seed is not None and over_seed.confirmed:
            return math.log(over_seed.interval.estimate), spread
        best = self.nodes[self._best].log_speedup or 0.0
        return best + math.log(over.interval.estimate), spread


def load(problem: str) -> Recording:
    """A recorded space.

    Raises:
        FileNotFoundError: It was never recorded.
    """
    document = json.loads(gzip.decompress((SPACES / f"{problem}.json.gz").read_bytes()))
    return Recording(
        [Node(**{**row, "rules": tuple(row["rules"])}) for row in document["nodes"]],
        Lattice(tuple(document["rules"])),
        {Setting.read(text): number for text, number in document["places"].items()},
        document["openings"],
    )


def record(name: str) -> Recording:
    """Record the space of a problem on this machine."""
    problem = catalogue.load(name)
    seed = Candidate(problem.name, "cpp", catalogue.seed_source(problem, "cpp"))
    with Evaluator(problem, choose()) as evaluator:
        recorder = Recorder(evaluator, seed, random.Random(1))
        recorder.fill()
    return Recording(recorder.nodes, recorder.lattice, recorder.places, recorder.openings())


def store(name: str, space: Recording) -> None:
    """Write it where `load` finds it."""
    document = {
        "problem": name,
        "machine": quiet.machine(),
        "rules": space.lattice.names,
        "places": {str(setting): number for setting, number in space.places.items()},
        "openings": space.openings,
        "nodes": [asdict(n) for n in space.nodes],
    }
    packed = gzip.compress(json.dumps(document).encode(), mtime=0)
    (SPACES / f"{name}.json.gz").write_bytes(packed)


def main() -> None:
    """Record and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS))
    options = parser.parse_args()
    SPACES.mkdir(exist_ok=True)
    for name in options.problems:
        space = record(name)
        store(name, space)
        right = [n.log_speedup for n in space.nodes if n.log_speedup is not None]
        best = math.exp(max(right))
        print(f"{name}: {len(space.nodes)} kernels, {len(right)} right, best {best:.2f}x")


if __name__ == "__main__":
    main()
