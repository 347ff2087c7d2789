"""Whether unusual but honest kernels are accepted every time, alone and beside other processes.

    python -m benchmarks.honest_acceptance [--runs 10] [--condition idle busy bursty]
        [--problem softmax gemm ...]

Every kernel of `tests/honest/` goes through the strictest evaluation there is: verification, a race
against the seed, a confirmation in any case. Every run has an evaluator of its own with other
inputs. What is already in the result file is not run again (unless the kernel has changed), so the
work can be done in parts and interrupted at any time; `--afresh` forgets it.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass

from benchmarks import quiet

quiet.prepare()

from benchmarks.neighbour import CONDITIONS, beside  # noqa: E402 - torch must be told first
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.catalogue import builtin_names  # noqa: E402
from evaluator.evaluation import Evaluation  # noqa: E402
from evaluator.outcome import Outcome  # noqa: E402
from sandbox.select import choose  # noqa: E402
from tests.evaluator.corpus import Kernel, judge, read  # noqa: E402
from tests.evaluator.small import small  # noqa: E402

NAME = "honest_acceptance"


@dataclass(frozen=True)
class Run:
    """One evaluation of one kernel; `evidence` is why it was refused, or suspected for a moment."""

    kernel: str
    digest: str
    problem: str
    condition: str
    number: int
    outcome: str
    evidence: str
    seconds: float


def main() -> None:
    """Run what is missing and store the result after every step."""
    options = _arguments()
    kernels = read("honest")
    runs = [] if options.afresh else _stored(kernels)
    for number in range(options.runs):
        for condition in options.condition:
            for problem in options.problem:
                done = {r.kernel for r in runs if (r.condition, r.number) == (condition, number)}
                missing = [
                    k for k in kernels if k.candidate.problem == problem and k.name not in done
                ]
                if missing:
                    runs += _sit(problem, missing, condition, number)
                    _store(kernels, runs)
    print(quiet.table(_rows(kernels, runs)))


def _sit(problem: str, kernels: Sequence[Kernel], condition: str, number: int) -> list[Run]:
    found = []
    with Evaluator(small(problem), choose(), random_seed=number) as evaluator:
        evaluator.build_all([k.candidate for k in kernels])
        with beside(condition):
            for kernel in kernels:
                started = time.perf_counter()
                evaluation = judge(evaluator, kernel)
                taken = time.perf_counter() - started
                run = _run(kernel, condition, number, evaluation, taken)
                print(f"{problem} {condition} {number}: {kernel.name} {run.outcome} {run.evidence}")
                found.append(run)
    return found


def _run(
    kernel: Kernel, condition: str, number: int, evaluation: Evaluation, seconds: float
) -> Run:
    evidence = "; ".join(f"{e.rule}: {e.message}" for e in evaluation.evidence)
    return Run(
        kernel.name, kernel.candidate.digest, kernel.candidate.problem, condition, number,
        str(evaluation.outcome), evidence, round(seconds, 2),
    )  # fmt: skip


def _stored(kernels: Iterable[Kernel]) -> list[Run]:
    """Earlier runs of kernels that are still the same."""
    current = {kernel.candidate.digest for kernel in kernels}
    earlier = quiet.read(NAME).get("runs", [])
    assert isinstance(earlier, list)
    return [run for run in (Run(**fields) for fields in earlier) if run.digest in current]


def _store(kernels: Sequence[Kernel], runs: Sequence[Run]) -> None:
    refused = [asdict(r) for r in runs if r.outcome != Outcome.OK]
    facts = {
        "kernels": len(kernels),
        "evaluations": len(runs),
        "ok": len(runs) - len(refused),
        "refused": refused,
        "runs": [asdict(r) for r in runs],
    }
    quiet.write(NAME, facts, _rows(kernels, runs), show=False)


def _rows(kernels: Sequence[Kernel], runs: Sequence[Run]) -> list[list[object]]:
    total = Counter((r.problem, r.condition) for r in runs)
    ok = Counter((r.problem, r.condition) for r in runs if r.outcome == Outcome.OK)
    size = Counter(k.candidate.problem for k in kernels)
    tried = [c for c in CONDITIONS if any(r.condition == c for r in runs)]
    rows: list[list[object]] = [["problem", "kernels", *(f"{c}: ok of runs" for c in tried)]]
    for name in sorted(size):
        shares = [f"{ok[name, c]} of {total[name, c]}" for c in tried]
        rows.append([name, size[name], *shares])
    sums = [f"{sum(ok[n, c] for n in size)} of {sum(total[n, c] for n in size)}" for c in tried]
    rows.append(["all", len(kernels), *sums])
    for run in runs:
        if run.outcome != Outcome.OK:
            where = f"{run.condition} {run.number}"
            rows.append([f"refused: {run.kernel}", "", where, run.outcome, run.evidence])
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--runs", type=int, default=10, help="runs of every kernel, all parts")
    parser.add_argument("--condition", nargs="+", choices=CONDITIONS, default=list(CONDITIONS))
    parser.add_argument("--problem", nargs="+", choices=builtin_names(), default=builtin_names())
    parser.add_argument("--afresh", action="store_true", help="forget earlier parts")
    return parser.parse_args()


if __name__ == "__main__":
    main()
