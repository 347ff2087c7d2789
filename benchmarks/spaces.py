"""Record a candidate space: kernels of a problem, each evaluated, with who is whose child.

    python -m benchmarks.spaces [--nodes 500] [--problems softmax ...]

The embedded proposer's children of many parents, good and bad ones, and what the model of a
recorded campaign answered, through the real cascade, as a tree of one JSON file per problem in
`benchmarks/spaces/`. `benchmarks.search` lets strategies walk there without a machine and without
luck: every one of them finds the same children.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import json
import math
import random
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks import quiet

quiet.prepare()

from agent.population import cell_of  # noqa: E402 - torch's threads must be told first
from agent.proposers.protocol import Brief, Child  # noqa: E402
from agent.proposers.transform import TransformProposer  # noqa: E402
from benchmarks import recorded_answers  # noqa: E402
from benchmarks.recorded_answers import RecordedAnswer  # noqa: E402
from evaluator import catalogue  # noqa: E402
from evaluator.candidate import Candidate  # noqa: E402
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.evaluation import Evaluation  # noqa: E402
from evaluator.outcome import Outcome  # noqa: E402
from sandbox.select import choose  # noqa: E402

SPACES = Path(__file__).parent / "spaces"
PROBLEMS = ("softmax", "layernorm", "gemm", "histogram")
BRANCHES = {"transform": 7, "tune": 4}
BEST_SHARE = 0.6
"""How often one of the best is given children, rather than anybody."""
BEFORE_ANSWERS = 0.6
"""Share of a space that grows before the model's kernels join it, so that there is enough to find
for strategies that ask no model."""


@dataclass(frozen=True)
class Node:
    """One evaluated kernel.

    Attributes:
        number: Place in the space; 0 is the seed.
        parent: Number of its parent; None for the seed.
        operator, rules: How it was made.
        opening: It is one of the proposer's openings.
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
    opening: bool
    outcome: str
    program: int
    cell: str
    log_speedup: float | None
    spread: float
    seconds: float
    tokens: int = 0


class Recorder:
    """Grows the space of one problem."""

    def __init__(self, evaluator: Evaluator, rng: random.Random) -> None:
        self.nodes: list[Node] = []
        self._evaluator = evaluator
        self._proposer = TransformProposer()
        self._rng = rng
        self._candidates: list[Candidate] = []
        self._numbers: dict[str, int] = {}
        self._expanded: set[int] = set()
        self._best, self._floor = 0, 0.0

    def plant(self, seed: Candidate) -> None:
        """The seed and its openings."""
        self._evaluator.register_seed(seed)
        self._add(None, [Child(seed, "seed", (), "the seed")])
        self._floor = self._evaluator.noise_floor(seed).relative
        self._add(0, self._proposer.openings(seed), opening=True)

    def answer(self, answer: RecordedAnswer) -> None:
        """A model's kernel; a child of the seed where its parent is not here."""
        known = [self._numbers[d] for d in answer.child.parents if d in self._numbers]
        self._add(known[0] if known else 0, [answer.child], tokens=answer.tokens)

    def grow(self) -> bool:
        """Give somebody children; False if everybody has some."""
        ready = [n for n in self.nodes if n.log_speedup is not None
                 and n.program == n.number and n.number not in self._expanded]  # fmt: skip
        if not ready:
            return False
        ready.sort(key=lambda n: -(n.log_speedup or 0.0))
        chosen = self._rng.choice(ready[:5] if self._rng.random() < BEST_SHARE else ready)
        self._expanded.add(chosen.number)
        self._add(chosen.number, self._children(self._candidates[chosen.number]))
        return True

    def _children(self, parent: Candidate) -> list[Child]:
        found: dict[str, Child] = {}
        for operator, wanted in BRANCHES.items():
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

    def _add(
        self, parent: int | None, children: list[Child], *, opening: bool = False, tokens: int = 0
    ) -> None:
        fresh = [c for c in children if c.candidate.digest not in self._numbers]
        builds = self._evaluator.build_all([c.candidate for c in fresh])
        for child, build in zip(fresh, builds, strict=True):
            incumbent = self._candidates[self._best] if parent is not None else None
            evaluation = self._evaluator.evaluate(child.candidate, build, incumbent, self._floor)
            self._take(parent, child, evaluation, opening, tokens)

    def _take(
        self, parent: int | None, child: Child, evaluation: Evaluation, opening: bool, tokens: int
    ) -> None:
        number = len(self.nodes)
        self._candidates.append(child.candidate)
        self._numbers[child.candidate.digest] = number
        program, log_speedup, spread = number, None, 0.0
        cell = cell_of(evaluation.profile)
        if evaluation.same_object_as is not None:
            first = self.nodes[self._numbers[evaluation.same_object_as]]
            program, log_speedup, spread = first.program, first.log_speedup, first.spread
            cell = first.cell
        elif parent is None:
            log_speedup = 0.0
        elif evaluation.outcome is Outcome.OK:
            log_speedup, spread = self._placed(evaluation)
        self.nodes.append(Node(
            number, parent, child.operator, child.rules, opening, str(evaluation.outcome),
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


def load(problem: str) -> list[Node]:
    """A recorded space, the seed first.

    Raises:
        FileNotFoundError: It was never recorded.
    """
    document = json.loads(gzip.decompress((SPACES / f"{problem}.json.gz").read_bytes()))
    return [Node(**{**row, "rules": tuple(row["rules"])}) for row in document["nodes"]]


def record(problem_name: str, nodes: int) -> list[Node]:
    """Record a space of about so many kernels on this machine."""
    problem = catalogue.load(problem_name)
    seed = Candidate(problem.name, "cpp", catalogue.seed_source(problem, "cpp"))
    with Evaluator(problem, choose()) as evaluator:
        recorder = Recorder(evaluator, random.Random(1))
        recorder.plant(seed)
        _grow(recorder, int(BEFORE_ANSWERS * nodes))
        for answer in recorded_answers.answers(problem_name):
            recorder.answer(answer)
        _grow(recorder, nodes)
    return recorder.nodes


def _grow(recorder: Recorder, nodes: int) -> None:
    while len(recorder.nodes) < nodes and recorder.grow():
        pass


def main() -> None:
    """Record and store."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--nodes", type=int, default=500)
    parser.add_argument("--problems", nargs="*", default=list(PROBLEMS))
    options = parser.parse_args()
    SPACES.mkdir(exist_ok=True)
    for name in options.problems:
        nodes = record(name, options.nodes)
        document = {
            "problem": name,
            "machine": quiet.machine(),
            "nodes": [asdict(n) for n in nodes],
        }
        packed = gzip.compress(json.dumps(document).encode(), mtime=0)
        (SPACES / f"{name}.json.gz").write_bytes(packed)
        right = [n.log_speedup for n in nodes if n.log_speedup is not None]
        print(f"{name}: {len(nodes)} kernels, {len(right)} right, best {math.exp(max(right)):.2f}x")


if __name__ == "__main__":
    main()
