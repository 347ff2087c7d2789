"""How often a kernel compared with itself is called faster, and whether real gains are found.

    python -m benchmarks.aa_false_improvement [--comparisons 200] [--problems softmax gemv ...]
        [--neighbour [busy]]

Every comparison is a full confirmation (eight pairs of fresh runners, up to 32 where it is close,
the acceptance rule) of a kernel against the same program in another process. Small, compute-bound
and memory-bound kernels take turns. With `--neighbour` another process loads one core all the time.
"""

from __future__ import annotations

import argparse
import random
import time
from dataclasses import asdict, dataclass

from benchmarks import quiet

quiet.prepare()

from agent.transform.openings import openings  # noqa: E402 - torch's threads must be told first
from benchmarks.neighbour import BUSY, CONDITIONS, IDLE, beside  # noqa: E402
from evaluator import catalogue  # noqa: E402
from evaluator.candidate import Candidate  # noqa: E402
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.outcome import Outcome  # noqa: E402
from evaluator.verify import Refused, patiently  # noqa: E402
from sandbox.select import choose  # noqa: E402


@dataclass(frozen=True)
class Record:
    """Comparisons of one kernel with itself; `covered`: the reported interval holds 1."""

    problem: str
    kernel: str
    noise_floor: float
    false: int
    covered: int
    ratios: tuple[float, ...]
    refused: tuple[str, ...]
    seconds: float

    def row(self) -> list[object]:
        """For the table."""
        if not self.ratios:
            return [self.problem, self.kernel, 0, 0, 0, "", "", len(self.refused), ""]
        ratios, n = sorted(self.ratios), len(self.ratios)
        spread = f"{ratios[n // 20]:.4f} to {ratios[-1 - n // 20]:.4f}"
        each = f"{self.seconds / n:.1f}"
        middle = f"{ratios[n // 2]:.4f}"
        return [self.problem, self.kernel, n, self.false, self.covered, middle, spread,
                len(self.refused), each]  # fmt: skip


def main() -> None:
    """Run and store the result."""
    options = _arguments()
    each = options.comparisons // (2 * len(options.problems))
    kinds = ("seed", "parallel")
    with beside(options.neighbour):
        records = [_compare(name, kind, each) for name in options.problems for kind in kinds]
    total = sum(len(r.ratios) for r in records)
    false, covered = sum(r.false for r in records), sum(r.covered for r in records)
    refused = sum(len(r.refused) for r in records)
    head: list[object] = ["problem", "kernel", "comparisons", "false improvements",
            "interval holds 1", "median ratio", "5 % to 95 % of ratios", "refused",
            "seconds each"]  # fmt: skip
    rows: list[list[object]] = [
        head,
        *(r.row() for r in records),
        ["all", "", total, false, covered, "", "", refused, ""],
    ]
    details = [asdict(r) for r in records]
    facts = {
        "neighbour": options.neighbour,
        "comparisons": total,
        "false_improvements": false,
        "intervals_that_hold_1": covered,
        "refused": refused,
        "records": details,
    }
    name = "aa_false_improvement" + ("" if options.neighbour == IDLE else "_neighbour")
    quiet.write(name, facts, rows)


def _compare(name: str, label: str, count: int) -> Record:
    problem = catalogue.load(name)
    source = catalogue.seed_source(problem, "cpp")
    seed = Candidate(name, "cpp", source)
    with Evaluator(problem, choose(), random_seed=random.Random(name).randrange(1 << 30)) as judge:
        kernel = seed if label == "seed" else _first_right(judge, source)
        judge.evaluate(kernel)
        floor = judge.noise_floor(kernel).relative
        started, false, covered = time.perf_counter(), 0, 0
        ratios, refused = list[float](), list[str]()
        for _ in range(count):
            with judge.workshop.lease.exclusive():
                try:
                    series, improved = patiently(
                        lambda: judge.contest.confirmation(kernel, kernel, floor)
                    )
                except Refused as refusal:
                    refused.append(str(refusal))
                    continue
            found = series.interval()
            ratios.append(found.estimate)
            false += improved
            covered += found.low <= 1.0 <= found.high
        taken = time.perf_counter() - started
        return Record(name, label, floor, false, covered, tuple(ratios), tuple(refused), taken)


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
    parser.add_argument("--neighbour", nargs="?", choices=CONDITIONS, const=BUSY, default=IDLE)
    return parser.parse_args()


if __name__ == "__main__":
    main()
