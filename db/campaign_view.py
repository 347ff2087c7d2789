"""All about a campaign, finished or under way; and campaigns a page at a time."""

from __future__ import annotations

from sqlalchemy import Integer, func, select
from sqlalchemy.orm import Session

from db.events import event_of
from db.lesson_view import lesson_views
from db.listings import campaign_row, campaigns_in_lines
from db.lookup import find_campaign
from db.models import Campaign, Evaluation, EventRow, ModelCallRow, Problem, Proposal, Target
from db.overview import finalists
from db.progress import progress_of
from db.rows import CampaignRow, OutcomeCount
from db.selection import candidate_rows
from db.views import CampaignView, CandidatePage, OperatorCount, Turn
from db.workload_figures import rivals

_LATEST, _LESSONS, _TURNS = 20, 6, 30


def campaign_view(session: Session, name: int | str) -> CampaignView:
    """See `Gallery.campaign_view`."""
    campaign = find_campaign(session, name)
    row = named_row(session, campaign.id)
    table = finalists(session, [campaign.id]).get(campaign.id)
    calls, tokens = _asked(session, campaign.id)
    happened, turns = _turns(session, campaign.id)
    lessons, _ = lesson_views(session, campaign_id=campaign.id, limit=_LESSONS)
    return CampaignView(
        row=row,
        config=dict(campaign.config),
        target_facts=dict(campaign.target_facts),
        updated=campaign.updated,
        outcomes=_outcomes(session, campaign.id),
        pending=row.proposals - row.evaluated,
        progress=progress_of(session, [campaign.id])[0],
        operators=_operators(session, campaign.id),
        finalists=table,
        rivals={} if table is None else rivals(session, campaign.id),
        latest=proposals(session, campaign.id, None, _LATEST),
        turns=turns,
        more_turns=happened - len(turns),
        calls=calls,
        tokens=tokens,
        lessons=tuple(lessons),
    )


def named_row(session: Session, name: int | str) -> CampaignRow:
    """See `Gallery.campaign_row`."""
    campaign = find_campaign(session, name)
    problem = session.get_one(Problem, campaign.problem_id).name
    target = session.get_one(Target, campaign.target_id).name
    return campaign_row(session, campaign, problem, target)


def campaign_page(
    session: Session, before: int | None, limit: int
) -> tuple[list[CampaignRow], int | None]:
    """Campaigns, newest first, and the `before` of the next page, None at the end."""
    statement = (
        select(Campaign, Problem.name, Target.name)
        .join(Problem, Problem.id == Campaign.problem_id)
        .join(Target, Target.id == Campaign.target_id)
        .order_by(Campaign.id.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(Campaign.id < before)
    found = session.execute(statement).all()
    rows = campaigns_in_lines(
        session, [(c, problem, target) for c, problem, target in found[:limit]]
    )
    return rows, rows[-1].id if len(found) > limit else None


def proposals(session: Session, campaign_id: int, before: int | None, limit: int) -> CandidatePage:
    """A campaign's proposals that have a verdict, newest first."""
    statement = (
        select(Proposal.ordinal, Proposal.evaluation_id)
        .where(Proposal.campaign_id == campaign_id, Proposal.evaluation_id.is_not(None))
        .order_by(Proposal.ordinal.desc())
        .limit(limit + 1)
    )
    if before is not None:
        statement = statement.where(Proposal.ordinal < before)
    found = session.execute(statement).all()
    shown = dict.fromkeys(row.evaluation_id for row in found[:limit])
    rows = tuple(candidate_rows(session, list(shown)))
    return CandidatePage(rows, str(found[limit - 1].ordinal) if len(found) > limit else None)


def _outcomes(session: Session, campaign_id: int) -> tuple[OutcomeCount, ...]:
    statement = (
        select(Evaluation.outcome, func.count())
        .join(Proposal, Proposal.evaluation_id == Evaluation.id)
        .where(Proposal.campaign_id == campaign_id)
        .group_by(Evaluation.outcome)
    )
    counts = [OutcomeCount(outcome, count) for outcome, count in session.execute(statement)]
    return tuple(sorted(counts, key=lambda c: (-c.count, c.outcome)))


def _operators(session: Session, campaign_id: int) -> tuple[OperatorCount, ...]:
    improved = func.sum(func.coalesce(Evaluation.improved.cast(Integer), 0))
    statement = (
        select(Proposal.operator, func.count(), improved)
        .outerjoin(Evaluation, Evaluation.id == Proposal.evaluation_id)
        .where(Proposal.campaign_id == campaign_id)
        .group_by(Proposal.operator)
        .order_by(func.count().desc(), Proposal.operator)
    )
    return tuple(OperatorCount(*row) for row in session.execute(statement))


def _turns(session: Session, campaign_id: int) -> tuple[int, tuple[Turn, ...]]:
    """How many there were, and the latest, newest first."""
    count = session.scalar(
        select(func.count()).select_from(EventRow).where(EventRow.campaign_id == campaign_id)
    )
    statement = (
        select(EventRow)
        .where(EventRow.campaign_id == campaign_id)
        .order_by(EventRow.id.desc())
        .limit(_TURNS)
    )
    rows = session.scalars(statement)
    return count or 0, tuple(Turn(event_of(row), row.created) for row in rows)


def _asked(session: Session, campaign_id: int) -> tuple[int, int]:
    tokens = func.coalesce(ModelCallRow.prompt_tokens, 0) + func.coalesce(
        ModelCallRow.completion_tokens, 0
    )
    statement = select(func.count(), func.coalesce(func.sum(tokens), 0)).where(
        ModelCallRow.campaign_id == campaign_id
    )
    calls, total = session.execute(statement).one()
    return calls, total
