"""`kernelmill verify`: the evaluator as a regression test for a kernel somebody already has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import command
from agent.cli.output import JsonFlag, emit_document, emit_text

if TYPE_CHECKING:
    from evaluator.evaluation import Evaluation
    from evaluator.problem import Problem

EXIT_NO, EXIT_INFRASTRUCTURE = 1, 3


@command
def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A kernel source.")],
    problem: Annotated[
        str, typer.Option("--problem", "-p", help="A listed problem, or a problem folder.")
    ],
    backend: Annotated[
        str, typer.Option("--backend", envvar="KERNELMILL_BACKEND", help="The kernel language.")
    ] = "cpp",
    sandbox: Annotated[
        str, typer.Option("--sandbox", envvar="KERNELMILL_SANDBOX", help="Isolation provider.")
    ] = "auto",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the random inputs.")] = 0,
    timing: Annotated[
        bool, typer.Option("--timing/--no-timing", help="Time it against the problem's seed.")
    ] = True,
    json: JsonFlag = False,
) -> None:
    """Judge one kernel source against a problem."""
    from evaluator import catalogue
    from evaluator.candidate import Candidate
    from evaluator.cascade import Evaluator
    from evaluator.errors import SourceError
    from evaluator.screen import read_source
    from sandbox.select import choose

    source = read_source(file)
    loaded = catalogue.load(problem)
    candidate = Candidate(loaded.name, backend, source)
    with Evaluator(loaded, choose(sandbox), backend=backend, random_seed=seed) as evaluator:
        if timing:
            rival = Candidate(loaded.name, backend, catalogue.seed_source(loaded, backend))
            evaluation = evaluator.evaluate(candidate, None, rival, always_confirm=True)
        else:
            evaluation = evaluator.verify_only(candidate)
    document = report(evaluation, loaded)
    no_kernel = [e.message for e in evaluation.evidence if e.rule == "signature"]
    if json:
        emit_document(document, json=True)
    elif not no_kernel:
        emit_text(render(document))
    if no_kernel:
        raise SourceError(f"{file}: {no_kernel[0]}")
    raise typer.Exit(_exit_code(evaluation))


def report(evaluation: Evaluation, problem: Problem) -> dict[str, Any]:
    """The verdict as a JSON-able document; keys are a public contract."""
    errors = [c.max_error for c in evaluation.checks if c.max_error is not None]
    speedup = evaluation.speedup_over("incumbent")
    timings = {c.workload: c for c in evaluation.comparisons if c.other == "incumbent"}
    workloads = []
    for check in evaluation.checks:
        row: dict[str, Any] = {
            "workload": check.workload, "passed": check.passed, "max_error": check.max_error,
        }  # fmt: skip
        if timed := timings.get(check.workload):
            row |= {
                "seconds": timed.seconds, "seed_seconds": timed.other_seconds,
                "speedup": _interval(timed.speedup), "roofline": timed.roofline,
                "rounds": len(timed.rounds), "rounds_used": sum(r.used for r in timed.rounds),
            }  # fmt: skip
        workloads.append(row)
    return {
        "problem": problem.name,
        "candidate": evaluation.candidate,
        "target": evaluation.target,
        "outcome": str(evaluation.outcome),
        "max_error": max(errors, default=None),
        "workloads": workloads,
        "speedup": None if speedup is None else {
            "over": "seed", **_interval(speedup.interval), "confirmed": speedup.confirmed,
            "distinguishable": speedup.distinguishable,
        },
        "evidence": [
            {"rule": e.rule, "message": e.message, "workload": e.workload, **e.details}
            for e in evaluation.evidence
        ],
        "build_log": evaluation.build_log,
    }  # fmt: skip


def render(document: dict[str, Any]) -> str:
    """The verdict for a person."""
    lines = [f"{document['outcome']}  {document['problem']}  {document['candidate'][:12]}"]
    passed = sum(w["passed"] for w in document["workloads"])
    if document["workloads"]:
        worst = document["max_error"]
        error = f", largest error {worst:.2g} of what is allowed" if worst is not None else ""
        lines.append(f"  {passed} of {len(document['workloads'])} workloads agree{error}")
    for evidence in document["evidence"]:
        where = f" [{evidence['workload']}]" if evidence["workload"] else ""
        lines.append(f"  {evidence['rule']}{where}: {evidence['message']}")
    if document["outcome"] == "build_failed":
        lines += ["    " + line for line in document["build_log"].splitlines()[:12]]
    for row in document["workloads"]:
        if "seconds" in row:
            s = row["speedup"]
            lines.append(
                f"  {row['workload']}: {row['seconds'] * 1e3:.4g} ms, {s['estimate']:.2f}x the "
                f"seed ({s['low']:.2f} to {s['high']:.2f}), {row['roofline']:.0%} of roofline"
            )
    if document["speedup"]:
        s = document["speedup"]
        verdict = "" if s["distinguishable"] else ", not distinguishable from it"
        lines.append(
            f"  speedup over the seed {s['estimate']:.2f}x "
            f"(95 % interval {s['low']:.2f} to {s['high']:.2f}){verdict}"
        )
    return "\n".join(lines)


def _interval(interval: Any) -> dict[str, float]:
    return {"estimate": interval.estimate, "low": interval.low, "high": interval.high}


def _exit_code(evaluation: Evaluation) -> int:
    from evaluator.outcome import Outcome

    if evaluation.outcome is Outcome.OK:
        return 0
    return EXIT_INFRASTRUCTURE if evaluation.outcome is Outcome.INFRA_ERROR else EXIT_NO
