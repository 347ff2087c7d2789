"""Figures by workload: of the best candidates, and of the PyTorch variants beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from db.blobs import chunks
from db.models import Measurement
from db.overview import interval
from db.views import WorkloadFigure

_Row = Row[*tuple[Any, ...]]
_PHASES = ("race", "confirm")  # what comes later is better supported


def by_evaluation(
    session: Session, evaluations: Sequence[int]
) -> dict[int, tuple[WorkloadFigure, ...]]:
    """Of each evaluation, a figure by workload: confirmed ones before raced ones; the speedup is
    over the seed, None where it was compared with others only."""
    rows: dict[int, list[_Row]] = {}
    for part in chunks(evaluations):
        statement = (
            select(Measurement.evaluation_id, *_COLUMNS)
            .where(Measurement.evaluation_id.in_(part))
            .order_by(Measurement.evaluation_id, Measurement.position)
        )
        for row in session.execute(statement):
            rows.setdefault(row.evaluation_id, []).append(row)
    return {key: _figures(found) for key, found in rows.items()}


def rivals(session: Session, campaign_id: int) -> dict[str, tuple[WorkloadFigure, ...]]:
    """Seed, PyTorch variants and memory traffic by workload from a campaign's last table; the
    speedup is of the campaign's best over each, the share of the roofline each one's own."""
    statement = (
        select(Measurement.other, *_COLUMNS)
        .where(Measurement.campaign_id == campaign_id, Measurement.purpose == "baseline")
        .order_by(Measurement.position)
    )
    found: dict[str, tuple[WorkloadFigure, ...]] = {}
    for row in session.execute(statement):
        share = None
        if row.roofline is not None and row.other_seconds > 0:
            share = row.roofline * row.seconds / row.other_seconds
        figure = WorkloadFigure(
            row.workload, row.other_seconds, interval(row.estimate, row.low, row.high), share
        )
        found[row.other] = (*found.get(row.other, ()), figure)
    return found


_COLUMNS = (
    Measurement.workload,
    Measurement.other,
    Measurement.phase,
    Measurement.seconds,
    Measurement.other_seconds,
    Measurement.estimate,
    Measurement.low,
    Measurement.high,
    Measurement.roofline,
)


def _figures(rows: Sequence[_Row]) -> tuple[WorkloadFigure, ...]:
    """The best supported row of each workload, one with the seed if there is any."""
    chosen: dict[str, _Row] = {}
    for row in rows:
        if row.workload not in chosen or _support(row) >= _support(chosen[row.workload]):
            chosen[row.workload] = row
    return tuple(
        WorkloadFigure(
            row.workload,
            row.seconds,
            interval(row.estimate, row.low, row.high) if row.other == "seed" else None,
            row.roofline,
        )
        for row in chosen.values()
    )


def _support(row: _Row) -> tuple[bool, int]:
    return row.other == "seed", _PHASES.index(row.phase) if row.phase in _PHASES else -1
