"""Kernels kept as files: a header comment says what each is and how it must end.

// class: number in the list of ways to cheat, or `honest`
// mechanism: what it does
// problem: which small problem it is for
// outcome: one or several of `Outcome`, or `not faster`, joined by " or "
// fools: why the evaluator still believes it; only in rogues not caught yet
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluator.candidate import Candidate
from evaluator.cascade import Evaluator
from evaluator.evaluation import Evaluation
from evaluator.outcome import Outcome
from tests.evaluator.small import seed

NOT_FASTER = "not faster"
FASTER = 1.25
"""Beyond what another placement of the very same loop gains."""


@dataclass(frozen=True, eq=False)
class Kernel:
    """One file of a corpus."""

    name: str
    kind: str
    mechanism: str
    candidate: Candidate
    outcomes: tuple[str, ...]
    fools: str | None = None

    def ended_well(self, evaluation: Evaluation) -> bool:
        """It ended as its header says."""
        if evaluation.outcome is Outcome.OK and NOT_FASTER in self.outcomes:
            speedup = evaluation.speedup_over("incumbent")
            return speedup is not None and speedup.interval.estimate < FASTER
        return str(evaluation.outcome) in self.outcomes


def read(folder: str) -> list[Kernel]:
    """All kernels of `tests/<folder>/`."""
    paths = sorted((Path(__file__).parents[1] / folder).glob("*.cpp"))
    return [_read(path) for path in paths]


@functools.lru_cache
def build_once(evaluator: Evaluator, kernels: Sequence[Kernel]) -> None:
    """Build a corpus in parallel, into the evaluator's cache."""
    evaluator.build_all(
        [k.candidate for k in kernels if k.candidate.problem == evaluator.problem.name]
    )


def judge(evaluator: Evaluator, kernel: Kernel) -> Evaluation:
    """The strictest evaluation there is: against the seed, confirmed in any case."""
    rival = seed(evaluator.problem)
    return evaluator.evaluate(kernel.candidate, None, rival, always_confirm=True)


def _read(path: Path) -> Kernel:
    source = path.read_text()
    lines = source.split("\n\n")[0].splitlines()
    pairs = [line.removeprefix("// ").partition(": ") for line in lines if line.startswith("// ")]
    head = {key: value for key, _, value in pairs}
    candidate = Candidate(head["problem"], "cpp", source)
    outcomes = tuple(head["outcome"].split(" or "))
    assert set(outcomes) <= {*map(str, Outcome), NOT_FASTER}, path
    return Kernel(
        path.stem, head["class"], head["mechanism"], candidate, outcomes, head.get("fools")
    )
