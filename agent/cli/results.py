"""The end of a campaign: the final table, where to look further, and the same as a document."""

from __future__ import annotations

import shlex
import shutil
import statistics
import sys
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from agent.cli.progress import duration, ratio, spending
from agent.report import Report
from db.location import default_location
from db.records import CampaignStatus
from evaluator.evaluation import Comparison, Interval, Speedup

_NARROWEST, _OVERALL, _WORKLOAD = 15, 20, 20
_PROSE = 98


@dataclass(frozen=True)
class Timing:
    """An implementation on one workload.

    Attributes:
        workload: Name.
        seconds: Per call.
        roofline: Fraction of the roofline reached; None if the target is not calibrated.
        best_is: Speedup of the best over it; None for the best itself.
    """

    workload: str
    seconds: float
    roofline: float | None
    best_is: Interval | None


@dataclass(frozen=True)
class Row:
    """An implementation in the final table; `best_is` is over all workloads."""

    name: str
    best_is: Speedup | None
    timings: tuple[Timing, ...]


def rows(report: Report) -> list[Row]:
    """The best, the seed, each PyTorch variant, and memory traffic; over the seed as confirmed, if
    it was not measured again at the end."""
    if report.best is None:
        return []
    comparisons = _over_seed(report.comparisons) if report.found else []
    speedups = {} if report.speedup is None else {"seed": report.speedup}
    if report.baselines is not None:
        measured = report.baselines.comparisons
        again = any(c.other == "seed" for c in measured)
        comparisons = [*([] if again else comparisons), *measured]
        speedups.update({s.other: s for s in report.baselines.speedups})
    others = dict.fromkeys(c.other for c in comparisons)
    if not comparisons and not report.comparisons:
        return []  # nothing was timed
    if not comparisons:
        return [Row("seed", None, tuple(map(_own, report.comparisons)))]
    found = [Row("best", None, _best_timings(comparisons))]
    for other in sorted(others, key=lambda name: name != "seed"):
        timings = tuple(_others(c) for c in comparisons if c.other == other)
        found.append(Row(other, speedups.get(other), timings))
    return found


def document(report: Report) -> dict[str, Any]:
    """Everything about the result, JSON-able."""
    return {
        "campaign": report.campaign,
        "problem": report.problem,
        "backend": report.backend,
        "target": report.target,
        "archive": report.archive,
        "status": str(report.status),
        "reason": report.reason,
        "found": report.found,
        "evaluations": report.evaluations,
        "duplicates": report.duplicates,
        "outcomes": dict(report.outcomes),
        "seconds": report.seconds,
        "noise_floor": report.noise_floor,
        "seed": report.seed,
        "best": report.best,
        "description": report.description,
        "speedup": None if report.speedup is None else asdict(report.speedup),
        "table": [asdict(row) for row in rows(report)],
        "models": None if report.spent is None else asdict(report.spent),
        "failures": [{"variant": name, "reason": why} for name, why in report.failures],
        "waiting": report.waiting,
        "unreached": [asdict(code) for code in report.unreached],
        "reviewed": None if report.reviewed is None else asdict(report.reviewed),
        "simplified": None if report.simplified is None else asdict(report.simplified),
        "commands": commands(report),
    }


def render(report: Report) -> str:
    """The result as text."""
    counts = ", ".join(f"{name} {n}" for name, n in sorted(report.outcomes.items()))
    same = f"; {report.duplicates} duplicates" if report.duplicates else ""
    noise = "" if report.noise_floor is None else f", noise floor {report.noise_floor:.1%}"
    lines = [
        f"{report.problem} on {report.target}: {report.reason}",
        f"{report.evaluations} evaluations in {duration(report.seconds)} ({counts}{same}){noise}",
        _headline(report),
    ]
    if report.spent is not None:
        lines.insert(2, f"models: {spending(report.spent)}")
    if (seen := report.reviewed) is not None:
        off = "" if seen.active else "; then it was asked no more"
        lines.insert(
            2,
            f"reviewer: rejected {seen.rejected} of {seen.answers} answers; of "
            f"{seen.right + seen.wrong} evaluated all the same {seen.right} failed{off}",
        )
    if report.found and report.description:
        lines += textwrap.wrap(report.description, _PROSE, initial_indent="  ",
                               subsequent_indent="  ", max_lines=4)  # fmt: skip
    lines += _simplified(report)
    lines += ["", *_table(rows(report), _width())]
    lines += [f"{name}: not measured ({why})" for name, why in report.failures]
    lines += _marks(report)
    lines += ["", "Look further:", *(f"  {line}" for line in commands(report))]
    return "\n".join(lines)


def commands(report: Report) -> list[str]:
    """Commands that show more, or go on."""
    where, program = "", _program()
    if report.archive != default_location():
        where = f" --archive {shlex.quote(report.archive)}"
    found = []
    if report.best is not None and report.seed is not None and report.found:
        best, seed = report.best[:12], report.seed[:12]
        found += [
            f"{program} archive show {best}{where}",
            f"{program} archive diff {seed} {best}{where}",
            f"{program} archive lineage {best}{where}",
            f"{program} archive show {best} --source{where} > best.cpp",
            f"{program} verify best.cpp --problem {shlex.quote(report.given or report.problem)}",
        ]
    more = "" if report.status is not CampaignStatus.FINISHED else (
        f" --evaluations {2 * max(report.evaluations, 1)}")  # fmt: skip
    return [*found, f"{program} resume {report.campaign}{more}{where}"]


def _program() -> str:
    """How this very command is called again: by name if that finds it, else by its path."""
    found, running = shutil.which("kernelmill"), Path(sys.argv[0])
    if running.name != "kernelmill" or (found and Path(found).resolve() == running.resolve()):
        return "kernelmill"
    return shlex.quote(sys.argv[0])


def _headline(report: Report) -> str:
    if report.waiting:
        wait = "one candidate waits" if report.waiting == 1 else f"{report.waiting} candidates wait"
        return (
            f"{wait} for a GPU: `kernelmill measure --pending` on a machine that has one "
            f"({report.target})"
        )
    if not report.found:
        return "no candidate was confirmed to be faster than the seed"
    assert report.best is not None
    over = f": {ratio(report.speedup)} over the seed" if report.speedup else ""
    return f"best {report.best[:12]}{over}"


def _simplified(report: Report) -> list[str]:
    """What was left out of the winner."""
    done = report.simplified
    if done is None or not report.found:
        return []
    if not done.steps:
        return [f"simplified: nothing could be left out ({done.tried} steps tried)"]
    line = (
        f"simplified: {done.before} to {done.after} tokens and no slower, in {len(done.steps)} of "
        f"{done.tried} steps tried: {'; '.join(done.steps)}"
    )
    return textwrap.wrap(line, _PROSE, subsequent_indent="  ", max_lines=6)


def _marks(report: Report) -> list[str]:
    """The best's code that no workload executed: nobody knows whether that is right."""
    if not report.found or not report.unreached:
        return []
    shown = "; ".join(f"line {code.first}: {code.source[:60]}" for code in report.unreached[:2])
    count = "one place" if len(report.unreached) == 1 else f"{len(report.unreached)} places"
    return [f"best: no workload executes {count} of it ({shown})"]


def _over_seed(comparisons: Sequence[Comparison]) -> list[Comparison]:
    """The comparisons with the seed; the first improvement's incumbent was the seed."""
    direct = [c for c in comparisons if c.other == "seed"]
    if direct:
        return direct
    return [replace(c, other="seed") for c in comparisons]


def _own(c: Comparison) -> Timing:
    return Timing(c.workload, c.seconds, c.roofline, None)


def _others(c: Comparison) -> Timing:
    share = None if c.roofline is None else c.roofline * c.seconds / c.other_seconds
    return Timing(c.workload, c.other_seconds, share, c.speedup)


def _best_timings(comparisons: Sequence[Comparison]) -> tuple[Timing, ...]:
    """The best was timed beside each of the others: the median of these."""
    found = []
    for workload in dict.fromkeys(c.workload for c in comparisons):
        own = [c for c in comparisons if c.workload == workload]
        shares = [c.roofline for c in own if c.roofline is not None]
        seconds = statistics.median(c.seconds for c in own)
        found.append(Timing(workload, seconds, statistics.median(shares) if shares else None, None))
    return tuple(found)


def _width() -> int:
    return shutil.get_terminal_size().columns if sys.stdout.isatty() else 120


def _table(table: Sequence[Row], width: int) -> list[str]:
    """As many workloads side by side as fit; further ones below."""
    if not table:
        return []
    workloads = [t.workload for t in table[0].timings]
    names = max(_NARROWEST, *(len(row.name) + 1 for row in table))
    wide = max(_WORKLOAD, *(len(name) + 2 for name in workloads))
    at_once = max(1, (width - names - _OVERALL) // wide)
    lines = ["time per call and share of the roofline; below it, speedup of the best over it "
             "(95 % interval)"]  # fmt: skip
    for start in range(0, len(workloads), at_once):
        shown = workloads[start : start + at_once]
        heads = "".join(f"{name:<{wide}}" for name in shown)
        lines.append(f"{'kernel':<{names}}{'all workloads':<{_OVERALL}}{heads}".rstrip())
        for row in table:
            lines += _row_lines(row, shown, names, wide)
    return lines


def _row_lines(row: Row, workloads: Sequence[str], names: int, wide: int) -> list[str]:
    timings = {t.workload: t for t in row.timings}
    first = f"{row.name:<{names}}{'' if row.best_is is None else ratio(row.best_is):<{_OVERALL}}"
    apart = row.best_is is None or row.best_is.distinguishable
    second = " " * names + f"{'' if apart else 'indistinguishable':<{_OVERALL}}"
    for name in workloads:
        timing = timings.get(name)
        first += f"{'-' if timing is None else _time_cell(timing):<{wide}}"
        best_is = None if timing is None else timing.best_is
        second += f"{'' if best_is is None else _interval_cell(best_is):<{wide}}"
    return [line.rstrip() for line in (first, second) if line.strip()]


def _time_cell(timing: Timing) -> str:
    share = "" if timing.roofline is None else f" {timing.roofline:.0%}"
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if timing.seconds * scale >= 1.0:
            return f"{timing.seconds * scale:.3g} {unit}{share}"
    return f"{timing.seconds * 1e9:.3g} ns{share}"


def _interval_cell(interval: Interval) -> str:
    return f"{interval.estimate:.3g}x ({interval.low:.3g}-{interval.high:.3g})"
