"""How campaigns got better: against candidates proposed, time, and money."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Row, and_, func, or_, select
from sqlalchemy.orm import Session

from db.lookup import digests_of
from db.models import Campaign, Evaluation, ModelCallRow, Proposal
from db.overview import interval
from db.views import Progress, Step

_Row = Row[*tuple[Any, ...]]


def progress_of(session: Session, campaigns: Sequence[int]) -> list[Progress]:
    """The progress of campaigns, in the order given. Only confirmed figures are steps."""
    statement = select(
        Campaign.id,
        Campaign.key,
        Campaign.started,
        Campaign.updated,
        select(func.max(Proposal.ordinal))
        .where(Proposal.campaign_id == Campaign.id)
        .correlate(Campaign)
        .scalar_subquery()
        .label("proposals"),
    ).where(Campaign.id.in_(campaigns))
    found = {row.id: row for row in session.execute(statement)}
    rises = _rises(session, campaigns)
    digests = digests_of(session, (row.candidate_id for own in rises.values() for row in own))
    spent = _spent(session, campaigns)
    return [
        _progress(found[key], rises.get(key, []), digests, *spent.get(key, ([], [])))
        for key in campaigns
    ]


def _rises(session: Session, campaigns: Sequence[int]) -> dict[int, list[_Row]]:
    """By campaign, the confirmed figures that were higher than all before them; of an imported
    one, what it says were improvements."""
    claimed = and_(Evaluation.import_id.is_not(None), Evaluation.improved)
    best_before = func.max(Evaluation.seed_speedup).over(
        partition_by=Proposal.campaign_id, order_by=Proposal.ordinal, rows=(None, -1)
    )
    sure = (
        select(
            Proposal.campaign_id,
            Proposal.ordinal,
            Evaluation.created,
            Evaluation.candidate_id,
            Evaluation.seed_speedup,
            Evaluation.seed_low,
            Evaluation.seed_high,
            best_before.label("before"),
        )
        .join(Evaluation, Evaluation.id == Proposal.evaluation_id)
        .where(Proposal.campaign_id.in_(campaigns), or_(Evaluation.seed_confirmed, claimed))
        .where(Evaluation.seed_speedup.is_not(None))
        .subquery()
    )
    statement = (
        select(sure)
        .where(or_(sure.c.before.is_(None), sure.c.seed_speedup > sure.c.before))
        .order_by(sure.c.campaign_id, sure.c.ordinal)
    )
    rises: dict[int, list[_Row]] = {}
    for row in session.execute(statement):
        rises.setdefault(row.campaign_id, []).append(row)
    return rises


def _progress(
    campaign: _Row,
    rises: Sequence[_Row],
    digests: Mapping[int, str],
    times: Sequence[Any],
    totals: Sequence[float],
) -> Progress:
    steps = []
    for row in rises:
        figure = interval(row.seed_speedup, row.seed_low, row.seed_high)
        if figure is None:
            continue
        paid = bisect.bisect_right(times, row.created)
        steps.append(
            Step(
                ordinal=row.ordinal,
                seconds=max(0.0, (row.created - campaign.started).total_seconds()),
                cost=totals[paid - 1] if paid else 0.0,
                speedup=figure,
                candidate=digests[row.candidate_id],
            )
        )
    return Progress(
        campaign=campaign.id,
        key=campaign.key,
        proposals=campaign.proposals or 0,
        seconds=max(0.0, (campaign.updated - campaign.started).total_seconds()),
        cost=totals[-1] if totals else 0.0,
        steps=tuple(steps),
    )


def _spent(session: Session, campaigns: Sequence[int]) -> dict[int, tuple[list[Any], list[float]]]:
    """By campaign, when it asked models, and the dollars it had spent after each."""
    cost = func.coalesce(ModelCallRow.cost, ModelCallRow.expected_cost, 0.0)
    statement = (
        select(ModelCallRow.campaign_id, ModelCallRow.created, cost)
        .where(ModelCallRow.campaign_id.in_(campaigns))
        .order_by(ModelCallRow.created)
    )
    found: dict[int, tuple[list[Any], list[float]]] = {}
    for campaign, created, paid in session.execute(statement):
        times, totals = found.setdefault(campaign, ([], []))
        times.append(created)
        totals.append((totals[-1] if totals else 0.0) + paid)
    return found
