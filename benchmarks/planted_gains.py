"""Whether planted true gains are found, and whether reported intervals hold the true ratio.

    python -m benchmarks.planted_gains [--cases 200] [--sittings 6] [--problem softmax gemm ...]

A kernel of `benchmarks/planted/` is confirmed against itself with 3, 5 or 10 % more of the same
work: that share of its rows is computed twice, by the very same machine code. The share is known by
construction, the true ratio of times is not quite, and it is a mean over pairs of processes: each
pair has its own pages. So after every confirmation some more sittings with fresh pairs follow that
only serve the truth; all of them together give the ratio to be covered, at the same time and on the
same machine but from other processes and inputs than any confirmation. The interval of that ratio
is reported beside it: its width is what limits how sharply coverage can be seen. Problems named are
measured anew, the others' earlier results are kept.
"""

from __future__ import annotations

import argparse
import dataclasses
import math
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from benchmarks import quiet

quiet.prepare()

from evaluator import catalogue, sittings  # noqa: E402 - torch's threads must be told first
from evaluator.candidate import Candidate  # noqa: E402
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.problem import Problem, Role  # noqa: E402
from evaluator.verify import Refused, patiently  # noqa: E402
from sandbox.select import choose  # noqa: E402

NAME = "planted_gains"
WORKLOADS = {
    "softmax": "4096x256",  # scalar exp, one thread
    "bias_gelu": "512x3072",  # vector arithmetic
    "gemm": "256x256x256",  # arithmetic from the cache
    "layernorm": "4096x768",  # bound by memory
}
GAINS = (3, 5, 10)


@dataclass(frozen=True)
class Case:
    """One confirmation: the reported interval and the decision."""

    estimate: float
    low: float
    high: float
    detected: bool
    pairs: int
    seconds: float


@dataclass
class Plant:
    """All cases of one kernel with one planted gain, and the sittings that tell the truth."""

    problem: str
    gain: int
    noise_floor: float
    truth: list[float] = field(default_factory=list)
    cases: list[Case] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    def covered(self) -> int:
        """Cases whose interval holds the true ratio."""
        true = sittings.interval(self.truth).estimate
        return sum(case.low <= true <= case.high for case in self.cases)

    def row(self) -> list[object]:
        """For the table."""
        found, n = sittings.interval(self.truth), len(self.cases)
        true = f"{found.estimate:.4f} ({found.low:.4f} to {found.high:.4f})"
        widths = sorted(math.log(c.high / c.low) / 2 for c in self.cases)
        half = f"{100 * widths[n // 2]:.2f} %" if widths else ""
        detected = sum(case.detected for case in self.cases)
        each = f"{sum(c.seconds for c in self.cases) / max(1, n):.1f}"
        return [self.problem, f"{self.gain} %", true, n, self.covered(), detected, half,
                len(self.refused), each]  # fmt: skip


def main() -> None:
    """Run and store the result, merged with what other problems gave earlier."""
    options = _arguments()
    plants = [p for p in _stored() if p.problem not in options.problem]
    rounds = math.ceil(options.cases / (len(WORKLOADS) * len(GAINS)))
    for name in options.problem:
        plants += _measure(name, rounds, options.sittings)
        _store(plants)
    print(quiet.table(_rows(plants)))


def _measure(name: str, rounds: int, count: int) -> list[Plant]:
    problem, source = (
        _problem(name),
        (Path(__file__).parent / "planted" / f"{name}.cpp").read_text(),
    )
    kernels = {gain: Candidate(name, "cpp", source, {"EXTRA": gain}) for gain in (0, *GAINS)}
    with Evaluator(problem, choose(), random_seed=random.Random(name).randrange(1 << 30)) as judge:
        judge.evaluate(kernels[0])
        floor = judge.noise_floor(kernels[0]).relative
        plants = [Plant(name, gain, floor) for gain in GAINS]
        for _ in range(rounds):
            for plant in plants:
                _add_case(judge, kernels[0], kernels[plant.gain], plant, count)
                print(f"{name} {plant.gain} %: {plant.cases[-1:]}", flush=True)
    return plants


def _add_case(judge: Evaluator, fast: Candidate, slow: Candidate, plant: Plant, count: int) -> None:
    contest = judge.contest
    with judge.workshop.lease.exclusive():
        started = time.perf_counter()
        try:
            series, detected = patiently(
                lambda: contest.confirmation(fast, slow, plant.noise_floor)
            )
        except Refused as refusal:
            plant.refused.append(str(refusal))
        else:
            taken, found = round(time.perf_counter() - started, 2), series.interval()
            plant.cases.append(
                Case(found.estimate, found.low, found.high, detected, len(series.starts), taken)
            )
        plant.truth += patiently(lambda: contest.sittings(fast, slow, count)).sittings()


def _problem(name: str) -> Problem:
    """The problem with one timed workload."""
    problem = catalogue.load(name)
    kept = [w for w in problem.workloads if w.role is Role.CHECK or w.name == WORKLOADS[name]]
    return dataclasses.replace(problem, workloads=tuple(kept))


def _stored() -> list[Plant]:
    earlier = quiet.read(NAME).get("plants", [])
    assert isinstance(earlier, list)
    return [Plant(**{**p, "cases": [Case(**c) for c in p["cases"]]}) for p in earlier]


def _store(plants: Sequence[Plant]) -> None:
    cases = [case for plant in plants for case in plant.cases]
    fives = [case for plant in plants if plant.gain == 5 for case in plant.cases]
    covered = sum(plant.covered() for plant in plants)
    facts = {
        "cases": len(cases),
        "coverage": round(covered / max(1, len(cases)), 4),
        "detected_of_5_percent": round(sum(c.detected for c in fives) / max(1, len(fives)), 4),
        "plants": [asdict(p) for p in plants],
    }
    quiet.write(NAME, facts, _rows(plants), show=False)


def _rows(plants: Sequence[Plant]) -> list[list[object]]:
    head: list[object] = ["problem", "planted", "true ratio (95 %)", "cases", "interval covers it",
            "detected", "half width", "refused", "seconds each"]  # fmt: skip
    rows = [head, *(plant.row() for plant in plants)]
    for label, chosen in (("all", plants), ("all of 5 %", [p for p in plants if p.gain == 5])):
        n = sum(len(p.cases) for p in chosen)
        covered = sum(p.covered() for p in chosen)
        detected = sum(case.detected for p in chosen for case in p.cases)
        shares = [f"{k} ({100 * k / max(1, n):.1f} %)" for k in (covered, detected)]
        rows.append([label, "", "", n, *shares, "", sum(len(p.refused) for p in chosen), ""])
    return rows


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--cases", type=int, default=204, help="over all problems and gains")
    parser.add_argument("--sittings", type=int, default=6, help="for the truth, after each case")
    parser.add_argument("--problem", nargs="+", choices=WORKLOADS, default=list(WORKLOADS))
    return parser.parse_args()


if __name__ == "__main__":
    main()
