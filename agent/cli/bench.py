"""`kernelmill bench`: many problems under one budget, or one kernel against everything else."""

from __future__ import annotations

import json as json_format
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from agent.cli.errors import command
from agent.cli.output import JsonFlag, emit_document, emit_text
from evaluator.errors import ConfigError

if TYPE_CHECKING:
    from agent.suite.measured import Measured
    from agent.suite.runs import Suite

EXIT_NO = 1
FOLDER = Path("kernelmill-suite")
app = typer.Typer(help="Measure kernels against seeds and PyTorch.", no_args_is_help=True)

ArchiveFlag = Annotated[
    str | None,
    typer.Option("--archive", envvar="KERNELMILL_ARCHIVE", help="The archive. Default: see above."),
]


@app.command()
@command
def suite(
    problems: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="PROBLEM",
            help="Names, problem folders, and folders of problem folders. Default: the catalogue.",
        ),
    ] = None,
    evaluations: Annotated[
        int | None, typer.Option(min=1, help="Budget of each problem. Default: 60.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.1, help="At most so many minutes for each problem.")
    ] = None,
    quick: Annotated[
        bool, typer.Option("--quick", help="Eight problems, 12 evaluations each.")
    ] = False,
    from_archive: Annotated[
        bool,
        typer.Option(
            "--from-archive",
            help="Search nothing: measure the best kernel that the archive has of each problem.",
        ),
    ] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Search nothing where there is a result: measure its kernel once more.",
        ),
    ] = False,
    random_seed: Annotated[
        int, typer.Option("--seed", min=0, help="Seed of every random choice of the search.")
    ] = 0,
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="Where results go, and are found again.")
    ] = FOLDER,
    archive: ArchiveFlag = None,
    json: JsonFlag = False,
) -> None:
    """Give every problem the same budget and hold what is found against PyTorch.

    Results, with the archive of the campaigns, go into a folder: suite.json, suite.md and a
    picture (suite.svg, with the extra `kernelmill[picture]`). The same command again does what is
    left. A problem that is broken, or fails, is reported and counted; the others go on. With
    --from-archive kernels come from the archive in your data folder, unless another is given. After
    --again was cut off, it measures what it had not come to. Exit code 1: some problem gave no
    result.
    """
    from agent.suite.runs import QUICK_EVALUATIONS, Settings, Suite, chosen
    from db.location import default_location

    if from_archive and (evaluations is not None or minutes is not None):
        raise ConfigError("--from-archive searches nothing: leave out --evaluations and --minutes")
    limit = evaluations or (QUICK_EVALUATIONS if quick else 60)
    settings = Settings(0 if from_archive else limit, minutes, random_seed, from_archive)
    out.mkdir(parents=True, exist_ok=True)
    where = archive or (default_location() if from_archive else str(out / "archive.db"))
    asked = Suite(out, where, chosen(problems or [], quick=quick), settings, again)
    found = _run(asked)
    document = _write(asked, found)
    if json:
        emit_document(document, json=True)
    else:
        emit_text((out / "suite.md").read_text(encoding="utf-8"))
    raise typer.Exit(EXIT_NO if any(run.state == "failed" for run in found) else 0)


@app.command()
@command
def best(
    problem: Annotated[
        str, typer.Argument(metavar="PROBLEM", help="A listed name, or a problem folder.")
    ],
    sandbox: Annotated[
        str,
        typer.Option(
            "--sandbox",
            envvar="KERNELMILL_SANDBOX",
            help="Isolation: auto, bubblewrap, docker or process.",
        ),
    ] = "auto",
    kernel: Annotated[
        str | None, typer.Option("--kernel", metavar="DIGEST", help="Not the best but this one.")
    ] = None,
    archive: ArchiveFlag = None,
    json: JsonFlag = False,
) -> None:
    """Measure the best known kernel of a problem afresh, against its seed and PyTorch.

    It comes from the archive in your data folder, or another one, and must have been found on this
    machine for the problem as it is now. Nothing is proposed, nothing stored. Exit code 1: there
    is none, or it is not right any more.
    """
    from agent.cli import results
    from agent.suite.known import measure
    from db.archive import Archive
    from sandbox.select import choose

    def tell(stage: str, detail: str) -> None:
        print(f"{stage} {detail}", file=sys.stderr)

    with Archive.open(archive, create=False) as opened:
        report = measure(problem, opened, choose(sandbox), tell, "cpp", kernel)
    if json:
        emit_document(results.document(report), json=True)
    else:
        emit_text(results.render(report))
    raise typer.Exit(0 if report.found else EXIT_NO)


def _run(asked: Suite) -> list[Measured]:
    found: list[Measured] = []
    try:
        for measured, kept in asked.run():
            found.append(measured)
            _tell(measured, len(found), len(asked.problems), kept=kept)
    except KeyboardInterrupt:
        if found:
            _write(asked, found)
        print("kernelmill: stopped; the same command again goes on", file=sys.stderr)
        raise
    return found


def _tell(run: Measured, number: int, count: int, *, kept: bool) -> None:
    said = run.state if run.state != "failed" else f"failed: {run.reason}"
    figures = [
        f"{interval.estimate:.2f}x ({interval.low:.2f}-{interval.high:.2f}) over {name}"
        for name, interval in (("the seed", run.over("seed")), ("PyTorch", run.over("best")))
        if interval is not None
    ]
    again = " (kept)" if kept else ""
    line = "; ".join([f"[{number}/{count}] {run.problem}: {said}{again}", *figures])
    print(line, file=sys.stderr, flush=True)


def _write(asked: Suite, found: list[Measured]) -> dict[str, Any]:
    """JSON, Markdown and, where it can be drawn, a picture."""
    from agent.suite.document import document, markdown
    from agent.suite.figures import figures
    from agent.suite.picture import chart, draw
    from evaluator.target import local_cpu

    machine, summed, settings = local_cpu().name, figures(found), asdict(asked.settings)
    whole = document(found, summed, settings, machine)
    (asked.folder / "suite.json").write_text(json_format.dumps(whole, indent=1) + "\n")
    text = markdown(found, summed, settings, machine)
    (asked.folder / "suite.md").write_text(text, encoding="utf-8")
    try:
        draw(chart(found), asked.folder / "suite.svg", f"{len(found)} problems on {machine}")
    except ConfigError as error:
        print(f"kernelmill: {error}", file=sys.stderr)
    return whole
