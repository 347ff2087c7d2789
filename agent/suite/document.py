"""A suite as JSON and as Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from agent.suite.figures import Against, Figures
from agent.suite.measured import SEED, Measured
from evaluator.evaluation import Interval

HEAD = ("problem", "over the seed", "over PyTorch eager", "over torch.compile",
        "over the best PyTorch variant", "which", "roofline", "memory traffic", "evaluations",
        "minutes")  # fmt: skip


def document(
    runs: Sequence[Measured], summed: Figures, settings: Mapping[str, Any], machine: str
) -> dict[str, Any]:
    """Everything, JSON-able.

    Args:
        runs: In the order they were asked for.
        summed: From `agent.suite.figures.figures`.
        settings: The budget.
        machine: Name of the target.
    """
    return {
        "target": machine,
        "settings": dict(settings),
        "figures": asdict(summed),
        "problems": [asdict(run) for run in runs],
    }


def markdown(
    runs: Sequence[Measured], summed: Figures, settings: Mapping[str, Any], machine: str
) -> str:
    """Tables for people; see `document`."""
    head = ["| " + " | ".join(HEAD) + " |", "|" + "---|" * len(HEAD)]
    rows = ["| " + " | ".join(_row(run)) + " |" for run in runs]
    means = {a.rival: f"{a.mean:.2f}x" for a in summed.against}
    total = ["geometric mean", means[SEED], means["eager"], means["compile"], means["best"],
             "", "", "", str(summed.evaluations), f"{summed.seconds / 60:.0f}"]  # fmt: skip
    parts = [
        f"{summed.problems} problems on {machine}, {_budget(settings)}: {summed.faster} faster "
        f"than their seed, {summed.failed} without a result. Speedups with 95 % intervals; a "
        "problem without a figure counts as 1 in geometric means. Memory traffic: the share of the "
        "kernel's time that moving its data alone takes, measured beside it.",
        "\n".join([*head, *rows, "| " + " | ".join(total) + " |"]),
        _paces(summed.against),
    ]
    if lost := [run for run in runs if run.state == "failed"]:
        parts.append("\n".join(f"- {run.problem}: {_cell(run.reason)}" for run in lost))
    missing = [f"- {run.problem}, {_cell(text)}" for run in runs for text in run.unmeasured]
    if missing:
        parts.append("\n".join(["PyTorch variants that were not measured:", "", *missing]))
    return "\n\n".join(parts) + "\n"


def _row(run: Measured) -> list[str]:
    nearest = run.nearest
    return [
        run.problem,
        "failed" if run.state == "failed" else _figure(run.speedup),
        _figure(run.over("eager")),
        _figure(run.over("compile")),
        _figure(None if nearest is None else nearest.interval),
        "" if nearest is None else nearest.name,
        "" if run.roofline is None else f"{run.roofline:.0%}",
        "" if run.traffic is None else f"{run.traffic.estimate:.0%}",
        str(run.evaluations),
        f"{run.seconds / 60:.1f}",
    ]


def _paces(rows: Sequence[Against]) -> str:
    """fast_p: the share of all problems that are right and more than p times as fast."""
    paces = [pace for pace, _ in rows[0].fast]
    lines = [
        "| fast_p over | " + " | ".join(f"p = {pace:g}" for pace in paces)
        + " | interval above 1 |",
        "|" + "---|" * (len(paces) + 2),
    ]  # fmt: skip
    for row in rows:
        shares = " | ".join(f"{share:.0%}" for _, share in row.fast)
        name = "the best PyTorch variant" if row.rival == "best" else row.rival
        lines.append(f"| {name} | {shares} | {row.surely} of {row.measured} |")
    return "\n".join(lines)


def _figure(interval: Interval | None) -> str:
    if interval is None:
        return "-"
    return f"{interval.estimate:.2f}x ({interval.low:.2f}–{interval.high:.2f})"


def _budget(settings: Mapping[str, Any]) -> str:
    if settings["from_archive"]:
        return "the best known kernels of an archive measured again"
    minutes = settings["minutes"]
    within = "" if minutes is None else f", at most {minutes:g} minutes each"
    return f"{settings['evaluations']} evaluations each{within}"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "/")
