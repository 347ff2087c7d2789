"""How many small faults in right kernels does verification find?

    python -m benchmarks.mutation_score [--seed 1] [--per-problem 24] [--problems softmax ...]

Mutants of seeds, honest kernels and optimised kernels are drawn by the seed, built, and verified as
any candidate is, without timing. A mutant that does not compile, or has the machine code of its
original or of another mutant, is not counted. One that verification accepts is compared with its
original on inputs of its own (`benchmarks.mutants.kinship`); the score is the share of killed ones
among those that are not equivalent. Results are kept per seed and problem: a run replaces only what
it did again.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from benchmarks import quiet

quiet.prepare()

from benchmarks.mutants.arguments import EQUIVALENT, OUT_OF_REACH  # noqa: E402 - torch comes after
from benchmarks.mutants.draw import Mutant, draw  # noqa: E402
from benchmarks.mutants.kinship import Comparer, Kin  # noqa: E402
from benchmarks.mutants.subjects import Subject, subjects  # noqa: E402
from evaluator import catalogue  # noqa: E402
from evaluator.candidate import Candidate  # noqa: E402
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.evaluation import Evaluation  # noqa: E402
from evaluator.outcome import Outcome  # noqa: E402
from evaluator.problem import Problem  # noqa: E402
from sandbox.select import choose  # noqa: E402

NAME = "mutation_score"
BATCH = 16
DIGITS = 12


@dataclass(frozen=True)
class Accepted:
    """A mutant that verification let pass."""

    digest: str
    subject: str
    operator: str
    line: int
    diff: str
    kin: str
    where: str | None

    @property
    def argument(self) -> str:
        """Why it may pass, or why it cannot be caught here; "" if nobody has looked at it."""
        return EQUIVALENT.get(self.digest) or OUT_OF_REACH.get(self.digest) or ""

    @property
    def equivalent(self) -> bool:
        """It computes what its original does, as far as can be told."""
        return self.kin != Kin.DIFFERENT or self.digest in EQUIVALENT


@dataclass(frozen=True)
class Record:
    """One problem's mutants of one seed."""

    seed: int
    problem: str
    subjects: tuple[str, ...]
    mutants: int
    killed: int
    outcomes: Mapping[str, int]
    killers: Mapping[str, int]
    operators: Mapping[str, tuple[int, int]]
    stillborn: int
    same_code: int
    accepted: tuple[Accepted, ...]
    seconds: float

    @property
    def equivalent(self) -> int:
        """Accepted mutants that are no faults."""
        return sum(a.equivalent for a in self.accepted)

    @property
    def survivors(self) -> tuple[Accepted, ...]:
        """Accepted mutants that are."""
        return tuple(a for a in self.accepted if not a.equivalent)


def main() -> None:
    """Run and store the result."""
    options = _arguments()
    records = {(r.seed, r.problem): r for r in _stored()}
    with tempfile.TemporaryDirectory(prefix="kernelmill-mutants-") as cache:
        for problem in options.problems:
            loaded, kernels = catalogue.load(problem), subjects(problem)
            record = measure(loaded, kernels, options.seed, options.per_problem, Path(cache))
            records[record.seed, record.problem] = record
            _store(sorted(records.values(), key=lambda r: (r.seed, r.problem)))


def measure(
    problem: Problem, kernels: Sequence[Subject], seed: int, count: int, cache: Path
) -> Record:
    """Draw, build and verify `count` mutants of a problem's kernels.

    Raises:
        SystemExit: A kernel is not right, or the machine failed.
    """
    started = time.perf_counter()
    with Evaluator(problem, choose(), cache=cache, random_seed=seed) as judge:
        judge.build_all([s.candidate for s in kernels])
        verdicts = {s: judge.verify_only(s.candidate) for s in kernels}
        kernels = [s for s in kernels if _right(s, verdicts[s])]
        known = {verdicts[s].object_hash for s in kernels}
        left = Counter[str]()
        found = [
            (mutant, judge.verify_only(mutant.candidate))
            for mutant in _alive(judge, draw(kernels, seed), count, known, left)
        ]
    if broken := [e for _, e in found if e.outcome is Outcome.INFRA_ERROR]:
        raise SystemExit(f"{problem.name}: {broken[0].evidence[0].message}")
    return Record(
        seed=seed,
        problem=problem.name,
        subjects=tuple(s.name for s in kernels),
        mutants=len(found),
        killed=sum(e.outcome is not Outcome.OK for _, e in found),
        outcomes=dict(Counter(str(e.outcome) for _, e in found)),
        killers=dict(Counter(_killer(e) for _, e in found if e.outcome is not Outcome.OK)),
        operators=_by_operator(found),
        stillborn=left["stillborn"],
        same_code=left["same code"],
        accepted=tuple(_examine(problem, [m for m, e in found if e.outcome is Outcome.OK], cache)),
        seconds=time.perf_counter() - started,
    )


def _alive(
    judge: Evaluator,
    drawn: Iterator[Mutant],
    count: int,
    known: set[str | None],
    left: Counter[str],
) -> Iterator[Mutant]:
    """The first `count` mutants that compile to code not seen yet; `left` counts the others."""
    while count > 0:
        batch = [m for m, _ in zip(drawn, range(min(BATCH, count)), strict=False)]
        if not batch:
            return
        builds = judge.build_all([m.candidate for m in batch])
        for mutant, build in zip(batch, builds, strict=True):
            if build.failure is not None:
                left["stillborn"] += 1
            elif build.object_hash in known:
                left["same code"] += 1
            else:
                known.add(build.object_hash)
                count -= 1
                yield mutant


def _examine(problem: Problem, accepted: Sequence[Mutant], cache: Path) -> Iterator[Accepted]:
    if not accepted:
        return
    seed = Candidate(problem.name, "cpp", catalogue.seed_source(problem, "cpp"))
    comparer = Comparer(problem, seed, choose(), cache)
    try:
        for m in accepted:
            kin = comparer.compare(m.candidate, m.subject.candidate)
            digest = m.candidate.digest[:DIGITS]
            yield Accepted(
                digest, m.subject.name, m.operator, m.line, m.diff, str(kin.kin), kin.where
            )
    finally:
        comparer.close()


def _right(original: Subject, found: Evaluation) -> bool:
    """What a program made may be wrong, and is left out then; the others must not be."""
    if found.outcome is Outcome.OK:
        return True
    if original.is_opening:
        return False
    raise SystemExit(f"{original.problem}: {original.name} is {found.outcome}: "
                     f"{found.evidence[0].message if found.evidence else ''}")  # fmt: skip


def _killer(evaluation: Evaluation) -> str:
    workload = next((c.workload for c in evaluation.checks if not c.passed), None)
    return workload or evaluation.evidence[0].rule


def _by_operator(found: Sequence[tuple[Mutant, Evaluation]]) -> dict[str, tuple[int, int]]:
    drawn = Counter(m.operator for m, _ in found)
    killed = Counter(m.operator for m, e in found if e.outcome is not Outcome.OK)
    return {name: (killed[name], count) for name, count in sorted(drawn.items())}


def _stored() -> list[Record]:
    path = quiet.RESULTS / f"{NAME}{quiet.JSON_SUFFIX}"
    if not path.exists():
        return []
    return [_record(r) for r in json.loads(path.read_text())["records"]]


def _record(stored: dict[str, Any]) -> Record:
    accepted = tuple(Accepted(**a) for a in stored.pop("accepted"))
    return Record(**stored, accepted=accepted)


def _store(records: Sequence[Record]) -> None:
    head: list[object] = ["seed", "problem", "mutants", "equivalent", "killed", "survivors",
            "score", "seconds"]  # fmt: skip
    rows = [head]
    for seed in sorted({r.seed for r in records}):
        of_seed = [r for r in records if r.seed == seed]
        rows += [_row(r.problem, [r]) for r in of_seed]
        rows.append(_row("**all**", of_seed))
    facts = {"records": [asdict(r) for r in records]}
    quiet.write(NAME, facts, rows)
    with (quiet.RESULTS / f"{NAME}.md").open("a") as page:
        page.write(_details(records))


def _row(label: str, records: Sequence[Record]) -> list[object]:
    mutants, killed = sum(r.mutants for r in records), sum(r.killed for r in records)
    equivalent = sum(r.equivalent for r in records)
    score = f"{100 * killed / max(1, mutants - equivalent):.1f} %"
    seconds = f"{sum(r.seconds for r in records):.0f}"
    return [records[0].seed, label, mutants, equivalent, killed, mutants - equivalent - killed,
            score, seconds]  # fmt: skip


def _details(records: Sequence[Record]) -> str:
    pages = ["", "## Survivors", ""]
    pages += [_shown(r, a) for r in records for a in r.survivors] or ["None.", ""]
    pages += ["## Equivalent", "", "Accepted, and no faults: same outputs on inputs of their own,",
              "or errors no larger than the original's or the seed's, or argued.", ""]  # fmt: skip
    pages += [_shown(r, a) for r in records for a in r.accepted if a.equivalent]
    return "\n".join(pages)


def _shown(record: Record, mutant: Accepted) -> str:
    where = f" ({mutant.where})" if mutant.where else ""
    title = f"**{record.problem}, {mutant.subject}, {mutant.operator}**, seed {record.seed}, "
    title += f"`{mutant.digest}`: {mutant.kin}{where}. {mutant.argument}".rstrip()
    return f"{title}\n\n```diff\n{mutant.diff}\n```\n"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--per-problem", type=int, default=24)
    parser.add_argument(
        "--problems", nargs="+", choices=catalogue.builtin_names(),
        default=catalogue.builtin_names(),
    )  # fmt: skip
    return parser.parse_args()


if __name__ == "__main__":
    main()
