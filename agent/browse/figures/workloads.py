"""Candidates and PyTorch variants by workload: a heat map, and how near each is to the roofline."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.browse.figures.scales import Scale, Tick, ratio_steps
from db.views import Leader, WorkloadFigure
from evaluator.evaluation import TRAFFIC

BINS = 9
_NAMED = 16
ROW, LEFT, RIGHT, WIDTH, TOP = 34, 150, 700, 720, 8


@dataclass(frozen=True)
class Cell:
    """Speedup over the seed on a workload; `bin` is its colour, 0 the slowest, 4 as the seed."""

    speedup: float | None
    seconds: float | None
    bin: int | None


@dataclass(frozen=True)
class HeatRow:
    """A candidate or a PyTorch variant; `candidate` is None for the latter."""

    name: str
    candidate: str | None
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class HeatMap:
    """Rows against workloads."""

    workloads: tuple[str, ...]
    rows: tuple[HeatRow, ...]


@dataclass(frozen=True)
class Mark:
    """The share of the roofline that something reached on a workload.

    Attributes:
        kind: `best`, `candidate`, `seed`, `pytorch` or `traffic`.
        x: Place.
    """

    name: str
    kind: str
    share: float
    x: float
    candidate: str | None


@dataclass(frozen=True)
class Lane:
    """A workload with its marks at height `y`."""

    workload: str
    y: float
    marks: tuple[Mark, ...]


@dataclass(frozen=True)
class RooflineFigure:
    """Shares of the roofline by workload, on one scale up to 1 (what the hardware can do)."""

    x: Scale
    ticks: tuple[Tick, ...]
    lanes: tuple[Lane, ...]
    height: float


def heat_map(
    leaders: Sequence[Leader], rivals: Mapping[str, Sequence[WorkloadFigure]]
) -> HeatMap | None:
    """Speedups over the seed by workload; a variant's come from its own and the seed's times."""
    workloads = tuple(
        dict.fromkeys(
            w.workload
            for figures in [*(k.workloads for k in leaders), *rivals.values()]
            for w in figures
        )
    )
    if not workloads:
        return None
    at_seed = {w.workload: w.seconds for w in rivals.get("seed", ())}
    values: list[tuple[str, str | None, dict[str, tuple[float | None, float]]]] = []
    for leader in leaders[:_NAMED]:
        own = {w.workload: (_over_seed(w, at_seed), w.seconds) for w in leader.workloads}
        values.append((leader.row.candidate[:10], leader.row.candidate, own))
    for name, figures in rivals.items():
        if name not in ("seed", TRAFFIC):
            theirs = {w.workload: (_quotient(w, at_seed), w.seconds) for w in figures}
            values.append((name, None, theirs))
    known = [v for _, _, row in values for v, _ in row.values() if v is not None and v > 0]
    furthest = max((abs(math.log(v)) for v in known), default=1.0) or 1.0
    rows = tuple(
        HeatRow(name, digest, tuple(_cell(row.get(w), furthest) for w in workloads))
        for name, digest, row in values
    )
    return HeatMap(workloads, rows)


def roofline_figure(
    leaders: Sequence[Leader], rivals: Mapping[str, Sequence[WorkloadFigure]]
) -> RooflineFigure | None:
    """What share of the roofline candidates and PyTorch variants reach; None uncalibrated."""
    found: dict[str, list[tuple[str, str, float, str | None]]] = {}
    for rank, leader in reversed(list(enumerate(leaders))):
        kind = "best" if rank == 0 else "candidate"
        for figure in leader.workloads:
            if figure.roofline:
                digest = leader.row.candidate
                entry = (digest[:10], kind, figure.roofline, digest)
                found.setdefault(figure.workload, []).insert(0, entry)
    for name, figures in rivals.items():
        for figure in figures:
            if figure.roofline:
                kind = {"seed": "seed", TRAFFIC: "traffic"}.get(name, "pytorch")
                found.setdefault(figure.workload, []).insert(0, (name, kind, figure.roofline, None))
    if not found:
        return None
    shares = [share for marks in found.values() for _, _, share, _ in marks]
    x = Scale(min([*shares, 0.1]) * 0.8, max([*shares, 1.0]) * 1.05, LEFT, RIGHT, logarithmic=True)
    lanes = tuple(
        Lane(
            workload,
            TOP + ROW * (index + 0.5),
            tuple(Mark(n, kind, s, x.at(s), d) for n, kind, s, d in marks),
        )
        for index, (workload, marks) in enumerate(found.items())
    )
    ticks = tuple(Tick(x.at(v), f"{v * 100:g} %") for v in ratio_steps(x.low, min(x.high, 1.0)))
    return RooflineFigure(x, ticks, lanes, TOP + ROW * len(lanes) + 24)


def _over_seed(figure: WorkloadFigure, at_seed: Mapping[str, float]) -> float | None:
    if figure.speedup is not None:
        return figure.speedup.estimate
    return _quotient(figure, at_seed)


def _quotient(figure: WorkloadFigure, at_seed: Mapping[str, float]) -> float | None:
    seed = at_seed.get(figure.workload)
    return None if seed is None or not figure.seconds > 0 else seed / figure.seconds


def _cell(value: tuple[float | None, float] | None, furthest: float) -> Cell:
    if value is None:
        return Cell(None, None, None)
    speedup, seconds = value
    if speedup is None or not speedup > 0:
        return Cell(None, seconds, None)
    middle = BINS // 2
    return Cell(speedup, seconds, middle + round(middle * math.log(speedup) / furthest))
