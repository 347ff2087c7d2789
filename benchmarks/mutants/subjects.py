"""The right kernels that faults are planted in: seeds, honest kernels, optimised ones.

Ten problems have kernels optimised by hand; the others' are the embedded proposer's first children.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from agent.transform.openings import openings
from agent.transform.syntax import parse
from evaluator import catalogue
from evaluator.candidate import Candidate

ROOT = Path(__file__).parents[2]
FOLDERS = (ROOT / "benchmarks" / "mutants" / "kernels", ROOT / "tests" / "honest")
HANDMADE = (
    "softmax", "layernorm", "rmsnorm_residual", "bias_gelu", "gemv", "cumsum", "gemm", "jacobi2d",
    "histogram", "spmv_csr",
)  # fmt: skip
OPENING, OPENINGS = "opening", 3
_PROBLEM = re.compile(r"^// problem: (\w+)$", re.MULTILINE)


@dataclass(frozen=True)
class Subject:
    """A right kernel.

    Attributes:
        problem: Name of the problem.
        name: `seed`, folder and file, or `opening` and a number.
        source: Its text.
    """

    problem: str
    name: str
    source: str

    @property
    def candidate(self) -> Candidate:
        """For the evaluator."""
        return Candidate(self.problem, "cpp", self.source)

    @property
    def is_opening(self) -> bool:
        """Nobody has vouched for it yet: a program made it."""
        return self.name.startswith(OPENING)

    @property
    def is_seed(self) -> bool:
        """It is the problem's naive kernel."""
        return self.name == "seed"


def subjects(problem: str) -> list[Subject]:
    """All kernels of a problem that can be parsed, the seed first."""
    seed = Subject(problem, "seed", catalogue.seed_source(catalogue.load(problem), "cpp"))
    collected = [s for s in _collected() if s.problem == problem and parse(s.source)]
    if problem in HANDMADE:
        return [seed, *collected]
    made = openings(seed.source)[:OPENINGS]
    return [
        seed,
        *collected,
        *(Subject(problem, f"{OPENING}-{n}", p.source) for n, p in enumerate(made, 1)),
    ]


def _collected() -> Iterator[Subject]:
    for folder in FOLDERS:
        for path in sorted(folder.glob("*.cpp")):
            source = path.read_text(encoding="utf-8")
            if match := _PROBLEM.search(source):
                yield Subject(match[1], f"{folder.name}/{path.stem}", source)
