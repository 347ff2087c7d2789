"""How often a kernel compared with itself is called faster, and whether real gains are found.

    python -m benchmarks.aa_false_improvement [--comparisons 200] [--problems softmax gemv ...]

Every comparison is a full confirmation (fresh runners, up to 60 rounds, the acceptance rule) of a
kernel against the same program in another process. Small, compute-bound and memory-bound kernels
take turns.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import asdict, dataclass

from benchmarks import quiet

quiet.prepare()

from agent.transform.openings import openings  # noqa: E402 - torch's threads must be told first
from evaluator import catalogue  # noqa: E402
from evaluator.candidate import Candidate  # noqa: E402
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.outcome import Outcome  # noqa: E402
from sandbox.select import choose  # noqa: E402


@dataclass(frozen=True)
class Record:
    """Comparisons of one kernel with itself."""

    problem: str
    kernel: str
    noise_floor: float
    false: int
    ratios: tuple[float, ...]
    seconds: float

    def row(self) -> list[object]:
        """For the table."""
        ratios, n = sorted(self.ratios), len(self.ratios)
        spread = f"{ratios[n // 20]:.4f} to {ratios[-1 - n // 20]:.4f}"
        each = f"{self.seconds / n:.1f}"
        return [self.problem, self.kernel, n, self.false, f"{ratios[n // 2]:.4f}", spread, each]


def main() -> None:
    """Run and store the result."""
    options = _arguments()
    each = options.comparisons // (2 * len(options.problems))
    kinds = ("seed", "parallel")
    records = [_compare(name, kind, each) for name in options.problems for kind in kinds]
    total = sum(len(r.ratios) for r in records)
    false = sum(r.false for r in records)
    head: list[object] = ["problem", "kernel", "comparisons", "false improvements", "median ratio",
            "5 % to 95 % of ratios", "seconds each"]  # fmt: skip
    rows: list[list[object]] = [
        head,
        *(r.row() for r in records),
        ["all", "", total, false, "", "", ""],
    ]
    details = [asdict(r) for r in records]
    facts = {"comparisons": total, "false_improvements": false, "records": details}
    quiet.write("aa_false_improvement", facts, rows)


def _compare(name: str, label: str, count: int) -> Record:
    problem = catalogue.load(name)
    source = catalogue.seed_source(problem, "cpp")
    seed = Candidate(name, "cpp", source)
    with Evaluator(problem, choose(), random_seed=random.Random(name).randrange(1 << 30)) as judge:
        kernel = seed if label == "seed" else _first_right(judge, source)
        judge.evaluate(kernel)
        floor = judge.noise_floor(kernel).relative
        started, ratios, false = time.perf_counter(), list[float](), 0
        for _ in range(count):
            with judge.workshop.lease.exclusive():
                series, improved = judge.contest.confirmation(kernel, kernel, floor)
            ratios.append(series.interval().estimate)
            false += improved
        return Record(name, label, floor, false, tuple(ratios), time.perf_counter() - started)


def _first_right(judge: Evaluator, source: str) -> Candidate:
    for opening in openings(source):
        kernel = Candidate(judge.problem.name, "cpp", opening.source, opening.tunables)
        if judge.verify_only(kernel).outcome is Outcome.OK:
            return kernel
    raise SystemExit(f"no opening of {judge.problem.name} is right")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--comparisons", type=int, default=200)
    parser.add_argument("--problems", nargs="+", default=["softmax", "gemv", "gemm", "histogram"])
    return parser.parse_args()


if __name__ == "__main__":
    main()
