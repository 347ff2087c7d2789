"""What the archive has, problem by problem and target by target."""

from __future__ import annotations

import datetime
import math
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Integer, Subquery, and_, func, select, true
from sqlalchemy.orm import Session

from db import claims
from db.blobs import chunks
from db.evaluations import unpack_speedups
from db.models import Campaign, Candidate, Evaluation, Measurement, Problem, Proposal, Target
from db.records import CampaignStatus
from db.rows import Standing
from db.views import Best, Field, Finalists
from evaluator.evaluation import Interval


@dataclass(frozen=True)
class _Pair:
    """A revision of a problem on a target; `leader` is the evaluation of the best there."""

    problem: str
    target: str
    problem_id: int
    target_id: int
    summary: str
    leader: int | None
    campaigns: int
    proposals: int
    running: int
    updated: datetime.datetime | None
    table_of: int | None


def fields(session: Session, problem: str | None = None, target: str | None = None) -> list[Field]:
    """Every problem on every target that the archive knows something about.

    Revisions of a problem are one field; its figures are those of the latest revision that has any.

    Args:
        session: A reading one.
        problem: Only this problem.
        target: Only this target.
    """
    grouped: dict[tuple[str, str], list[_Pair]] = {}
    for pair in _pairs(session, problem, target):
        grouped.setdefault((pair.problem, pair.target), []).append(pair)
    shown = {key: _shown(group) for key, group in grouped.items()}
    leaders = _leaders(session, [p.leader for p in shown.values() if p.leader is not None])
    rooflines = roofline_of(session, list(leaders))
    own_table = _tables_with(session, [row.candidate_id for row, _ in leaders.values()])
    wanted = [p.table_of for p in shown.values() if p.table_of is not None]
    tables = finalists(session, [*wanted, *own_table.values()])
    found = []
    for key, group in sorted(grouped.items()):
        pair = shown[key]
        leading = None if pair.leader is None else leaders[pair.leader]
        if leading is None and not any(p.campaigns for p in group):
            continue
        own = None if leading is None else own_table.get(_table_key(leading[0]))
        table = tables.get(own or pair.table_of or 0)
        best = None if leading is None else _best(session, leading, table, rooflines)
        found.append(_field(pair, group, best, table))
    return found


def roofline_of(session: Session, evaluations: Sequence[int]) -> dict[int, float]:
    """Geometric mean over workloads of the fraction of the roofline, by evaluation."""
    found: dict[int, dict[str, dict[str, float]]] = {}
    for part in chunks(evaluations):
        statement = (
            select(
                Measurement.evaluation_id,
                Measurement.phase,
                Measurement.workload,
                Measurement.roofline,
            )
            .where(Measurement.evaluation_id.in_(part), Measurement.roofline > 0)
            .order_by(Measurement.evaluation_id, Measurement.position)
        )
        for key, phase, workload, share in session.execute(statement):
            if key is not None and share is not None:
                found.setdefault(key, {}).setdefault(phase, {})[workload] = share
    return {
        key: _mean(phases.get("confirm") or next(iter(phases.values())))
        for key, phases in found.items()
    }


def finalists(session: Session, campaigns: Sequence[int]) -> dict[int, Finalists]:
    """The last tables of campaigns that have one."""
    found = {}
    for part in chunks(sorted(set(campaigns))):
        statement = (
            select(
                Campaign.id,
                Campaign.key,
                Candidate.digest,
                Campaign.baseline_speedups,
                Campaign.import_id,
            )
            .join(Candidate, Candidate.id == Campaign.baseline_candidate_id)
            .where(Campaign.id.in_(part))
        )
        for number, key, digest, packed, origin in session.execute(statement):
            speedups = unpack_speedups(packed) if packed else ()
            found[number] = Finalists(number, key, digest, speedups, origin is not None)
    return found


def interval(estimate: float | None, low: float | None, high: float | None) -> Interval | None:
    """The three columns of a figure as one value."""
    if estimate is None or low is None or high is None:
        return None
    return Interval(estimate, low, high)


def _pairs(session: Session, problem: str | None, target: str | None) -> list[_Pair]:
    """All revisions with all targets: few, and the leader of each is found along an index."""
    leader = (
        select(Evaluation.id)
        .where(Evaluation.problem_id == Problem.id, Evaluation.target_id == Target.id)
        .where(claims.unreplaced())
        .order_by(Evaluation.seed_confirmed.desc(), Evaluation.seed_speedup.desc())
        .limit(1)
        .correlate(Problem, Target)
        .scalar_subquery()
    )
    counted = _campaigns_by_pair()
    statement = (
        select(
            Problem.name,
            Target.name,
            Problem.id,
            Target.id,
            func.coalesce(Problem.spec["summary"].as_string(), ""),
            leader,
            func.coalesce(counted.c.campaigns, 0),
            func.coalesce(counted.c.proposals, 0),
            func.coalesce(counted.c.running, 0),
            counted.c.updated,
            counted.c.table_of,
        )
        .select_from(Problem)
        .join(Target, true())
        .outerjoin(
            counted, and_(counted.c.problem_id == Problem.id, counted.c.target_id == Target.id)
        )
        .order_by(Problem.name, Target.name, Problem.id.desc())
    )
    if problem is not None:
        statement = statement.where(Problem.name == problem)
    if target is not None:
        statement = statement.where(Target.name == target)
    return [_Pair(*row) for row in session.execute(statement)]


def _campaigns_by_pair() -> Subquery:
    last = (  # ordinals count from 1 without gaps: no need to count them
        select(func.max(Proposal.ordinal))
        .where(Proposal.campaign_id == Campaign.id)
        .correlate(Campaign)
        .scalar_subquery()
    )
    running = Campaign.status == CampaignStatus.RUNNING.value
    with_table = Campaign.baseline_candidate_id.is_not(None)
    return (
        select(
            Campaign.problem_id,
            Campaign.target_id,
            func.count().label("campaigns"),
            func.sum(func.coalesce(last, 0)).label("proposals"),
            func.sum(running.cast(Integer)).label("running"),
            func.max(Campaign.updated).label("updated"),
            func.coalesce(
                func.max(Campaign.id).filter(with_table, Campaign.import_id.is_(None)),
                func.max(Campaign.id).filter(with_table),
            ).label("table_of"),
        )
        .group_by(Campaign.problem_id, Campaign.target_id)
        .subquery()
    )


def _shown(group: Sequence[_Pair]) -> _Pair:
    """The newest revision that has figures, else the newest."""
    return next((p for p in group if p.leader is not None), group[0])


def _leaders(session: Session, ids: Sequence[int]) -> dict[int, tuple[Evaluation, str]]:
    statement = (
        select(Evaluation, Candidate.digest)
        .join(Candidate, Candidate.id == Evaluation.candidate_id)
        .where(Evaluation.id.in_(ids))
    )
    return {row.id: (row, digest) for row, digest in session.execute(statement)}


def _tables_with(session: Session, candidates: Sequence[int]) -> dict[tuple[int, int, int], int]:
    """The latest campaign, on a problem and target, whose last table a candidate is in; one of
    this archive's own if there is any."""
    imported = Campaign.import_id.is_not(None)
    statement = (
        select(
            func.max(Campaign.id),
            Campaign.baseline_candidate_id,
            Campaign.problem_id,
            Campaign.target_id,
        )
        .where(Campaign.baseline_candidate_id.in_(candidates))
        .group_by(Campaign.baseline_candidate_id, Campaign.problem_id, Campaign.target_id, imported)
        .order_by(imported.desc())  # what comes later stands
    )
    return {
        (candidate or 0, problem, target): number
        for number, candidate, problem, target in session.execute(statement)
    }


def _table_key(leading: Evaluation) -> tuple[int, int, int]:
    return (leading.candidate_id, leading.problem_id, leading.target_id)


def _field(
    pair: _Pair, group: Sequence[_Pair], best: Best | None, table: Finalists | None
) -> Field:
    return Field(
        problem=pair.problem,
        target=pair.target,
        problem_id=pair.problem_id,
        target_id=pair.target_id,
        summary=pair.summary,
        campaigns=sum(p.campaigns for p in group),
        proposals=sum(p.proposals for p in group),
        running=sum(p.running for p in group),
        updated=max((p.updated for p in group if p.updated is not None), default=None),
        best=best,
        finalists=table,
    )


def _best(
    session: Session,
    leading: tuple[Evaluation, str],
    table: Finalists | None,
    rooflines: dict[int, float],
) -> Best:
    row, digest = leading
    found = interval(row.seed_speedup, row.seed_low, row.seed_high)
    assert found is not None  # it was selected by it
    # The figure that made it the best looks better than it is; the last table measured it anew.
    # A claimed table settles claims alone.
    worth = claims.standing(session, row)
    fits = table is not None and table.candidate == digest
    if table is not None and table.claimed and worth is Standing.FOUND:
        fits = False
    settled = table.over("seed") if table is not None and fits else None
    return Best(
        digest,
        found if settled is None else settled.interval,
        row.seed_confirmed or settled is not None,
        worth,
        rooflines.get(row.id),
    )


def _mean(shares: dict[str, float]) -> float:
    return math.exp(sum(map(math.log, shares.values())) / len(shares))
