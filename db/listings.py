"""Queries behind the archive's listings."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from db import claims, model_calls
from db.blobs import chunks, load_texts
from db.campaigns import load_candidate, parents_of
from db.errors import UnknownNameError
from db.evaluations import load_evaluations, unreached_of
from db.lookup import find_campaign, find_candidate
from db.models import (
    Campaign,
    Candidate,
    Evaluation,
    ImportRun,
    LessonRow,
    ModelCallRow,
    Parent,
    Problem,
    Proposal,
    Tally,
    Target,
)
from db.rows import (
    CampaignRow,
    CandidateDetail,
    EvaluationDetail,
    LessonEntry,
    OutcomeCount,
    ProposalDetail,
    TopRow,
)
from evaluator.evaluation import Interval


def campaign_rows(session: Session, limit: int | None) -> list[CampaignRow]:
    """See `Archive.campaigns`."""
    statement = (
        select(Campaign, Problem.name, Target.name)
        .join(Problem, Problem.id == Campaign.problem_id)
        .join(Target, Target.id == Campaign.target_id)
        .order_by(Campaign.id.desc())
        .limit(limit)
    )
    return campaigns_in_lines(
        session, [(c, problem, target) for c, problem, target in session.execute(statement)]
    )


def top_rows(session: Session, problem: str | None, target: str | None, limit: int) -> list[TopRow]:
    """See `Archive.top`: each candidate once per problem revision and target, by its latest word.

    The rank is read along an index; evaluations that a later one has replaced are passed over,
    and so are claims that were refuted here.
    """
    statement = (
        select(Evaluation)
        .where(claims.unreplaced())
        .order_by(Evaluation.seed_confirmed.desc(), Evaluation.seed_speedup.desc())
        .limit(limit)
    )
    if problem is not None:
        revisions = known_ids(session, "problem", Problem, problem)
        statement = statement.where(Evaluation.problem_id.in_(revisions))
    if target is not None:
        statement = statement.where(
            Evaluation.target_id.in_(known_ids(session, "target", Target, target))
        )
    found = session.scalars(statement).all()
    return [_top_row(session, rank, row) for rank, row in enumerate(found, start=1)]


def outcome_counts(session: Session, campaign: int | str | None) -> list[OutcomeCount]:
    """See `Archive.outcomes`."""
    if campaign is None:
        return list(tallied(session))
    row = find_campaign(session, campaign)
    settled = select(Proposal.evaluation_id).where(Proposal.campaign_id == row.id)
    statement = (
        select(Evaluation.outcome, func.count())
        .where(~Evaluation.recheck, Evaluation.id.in_(settled))
        .group_by(Evaluation.outcome)
        .order_by(func.count().desc(), Evaluation.outcome)
    )
    return [OutcomeCount(outcome, count) for outcome, count in session.execute(statement)]


def tallied(session: Session, *where: ColumnElement[bool]) -> tuple[OutcomeCount, ...]:
    """How many evaluations ended how, most frequent first, without looking at any of them.

    Args:
        session: A reading one.
        where: Conditions on `Tally`.
    """
    total = func.sum(Tally.count)
    statement = (
        select(Tally.outcome, total)
        .where(*where)
        .group_by(Tally.outcome)
        .order_by(total.desc(), Tally.outcome)
    )
    return tuple(OutcomeCount(outcome, int(n)) for outcome, n in session.execute(statement))


def candidate_detail(session: Session, prefix: str) -> CandidateDetail:
    """See `Archive.show`."""
    row = find_candidate(session, prefix)
    evaluations = session.scalars(
        select(Evaluation).where(Evaluation.candidate_id == row.id).order_by(Evaluation.id)
    ).all()
    loaded = load_evaluations(session, [e.id for e in evaluations])
    children = session.scalar(
        select(func.count(func.distinct(Proposal.candidate_id)))
        .join(Parent, Parent.proposal_id == Proposal.id)
        .where(Parent.parent_id == row.id)
    )
    return CandidateDetail(
        digest=row.digest,
        candidate=load_candidate(session, row.digest),
        created=row.created,
        children=children or 0,
        proposals=_proposal_details(session, row.id),
        evaluations=tuple(
            EvaluationDetail(
                e.campaign_id, e.created, loaded[e.id], e.recheck, claims.standing(session, e)
            )
            for e in evaluations
        ),
    )


def lesson_entries(
    session: Session, problem: str | None, target: str | None, limit: int
) -> list[LessonEntry]:
    """See `Archive.lesson_entries`."""
    statement = (
        select(LessonRow, Problem.name, Target.name, Candidate.digest)
        .join(Problem, Problem.id == LessonRow.problem_id)
        .join(Target, Target.id == LessonRow.target_id)
        .outerjoin(Candidate, Candidate.id == LessonRow.candidate_id)
        .order_by(LessonRow.id.desc())
        .limit(limit)
    )
    if problem is not None:
        revisions = known_ids(session, "problem", Problem, problem)
        statement = statement.where(LessonRow.problem_id.in_(revisions))
    if target is not None:
        here = known_ids(session, "target", Target, target)
        statement = statement.where(LessonRow.target_id.in_(here))
    return [
        LessonEntry(
            row.text,
            name,
            where,
            row.campaign_id,
            digest,
            row.speedup,
            row.confirmed,
            row.import_id is not None,
            row.created,
        )
        for row, name, where, digest in session.execute(statement)
    ]


def course(session: Session, campaign_id: int) -> list[float]:
    """See `Archive.course`."""
    statement = (
        select(Evaluation.seed_speedup)
        .join(Proposal, Proposal.evaluation_id == Evaluation.id)
        .where(Proposal.campaign_id == campaign_id)
        .order_by(Proposal.ordinal)
    )
    best, found = 1.0, []
    for speedup in session.scalars(statement):
        best = max(best, speedup or 0.0)
        found.append(best)
    return found


def interval_of(row: Evaluation) -> Interval | None:
    """The speedup over the seed of an evaluation's row."""
    if row.seed_speedup is None or row.seed_low is None or row.seed_high is None:
        return None
    return Interval(row.seed_speedup, row.seed_low, row.seed_high)


def campaign_row(session: Session, campaign: Campaign, problem: str, target: str) -> CampaignRow:
    """A campaign in a list, with its best by the search's own figures."""
    return campaigns_in_lines(session, [(campaign, problem, target)])[0]


def campaigns_in_lines(
    session: Session, named: Sequence[tuple[Campaign, str, str]]
) -> list[CampaignRow]:
    """Campaigns with the names of their problems and targets, each as `campaign_row`."""
    keys = [campaign.id for campaign, _, _ in named]
    counts = _counts(session, keys)
    best = _best(session, keys)
    return [
        _line(session, campaign, problem, target, counts.get(campaign.id), best.get(campaign.id))
        for campaign, problem, target in named
    ]


def _counts(session: Session, campaigns: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Proposals and settled ones by campaign."""
    found: dict[int, tuple[int, int]] = {}
    for part in chunks(campaigns):
        statement = (
            select(Proposal.campaign_id, func.count(), func.count(Proposal.evaluation_id))
            .where(Proposal.campaign_id.in_(part))
            .group_by(Proposal.campaign_id)
        )
        found.update((key, (all_, settled)) for key, all_, settled in session.execute(statement))
    return found


def _best(session: Session, campaigns: Sequence[int]) -> dict[int, tuple[Evaluation, str]]:
    """By campaign, the evaluation with the best figure, confirmed ones first, and whose it is."""
    found: dict[int, tuple[Evaluation, str]] = {}
    for part in chunks(campaigns):
        rank = func.row_number().over(
            partition_by=Proposal.campaign_id,
            order_by=(Evaluation.seed_confirmed.desc(), Evaluation.seed_speedup.desc()),
        )
        ranked = (
            select(Proposal.campaign_id, Evaluation.id, rank.label("rank"))
            .join(Evaluation, Evaluation.id == Proposal.evaluation_id)
            .where(Proposal.campaign_id.in_(part), Evaluation.seed_speedup.is_not(None))
            .subquery()
        )
        statement = (
            select(ranked.c.campaign_id, Evaluation, Candidate.digest)
            .join(Evaluation, Evaluation.id == ranked.c.id)
            .join(Candidate, Candidate.id == Evaluation.candidate_id)
            .where(ranked.c.rank == 1)
        )
        found.update((key, (row, digest)) for key, row, digest in session.execute(statement))
    return found


def _line(
    session: Session,
    campaign: Campaign,
    problem: str,
    target: str,
    counts: tuple[int, int] | None,
    best: tuple[Evaluation, str] | None,
) -> CampaignRow:
    proposals, evaluated = counts or (0, 0)
    return CampaignRow(
        id=campaign.id,
        key=campaign.key,
        problem=problem,
        backend=campaign.backend,
        target=target,
        status=campaign.status,
        reason=campaign.reason,
        started=campaign.started,
        active_seconds=campaign.active_seconds,
        proposals=proposals,
        evaluated=evaluated,
        best=best[1] if best else None,
        speedup=interval_of(best[0]) if best else None,
        confirmed=bool(best and best[0].seed_confirmed),
        noise_floor=campaign.noise_floor,
        imported=import_name(session, campaign),
    )


def _top_row(session: Session, rank: int, row: Evaluation) -> TopRow:
    candidate = session.get_one(Candidate, row.candidate_id)
    proposal = session.scalar(
        select(Proposal)
        .where(Proposal.candidate_id == row.candidate_id)
        .order_by(Proposal.evaluation_id != row.id, Proposal.id)
        .limit(1)
    )
    interval = interval_of(row)
    assert interval is not None  # it was selected by it
    return TopRow(
        rank=rank,
        candidate=candidate.digest,
        problem=candidate.problem,
        backend=candidate.backend,
        target=session.get_one(Target, row.target_id).name,
        speedup=interval,
        confirmed=row.seed_confirmed,
        campaign=row.campaign_id,
        operator=proposal.operator if proposal else None,
        description=proposal.description if proposal else None,
        unreached=len(unreached_of(row)),
        standing=claims.standing(session, row),
    )


def import_name(session: Session, campaign: Campaign) -> str | None:
    """The file a campaign came from; None for one of this archive."""
    if campaign.import_id is None:
        return None
    return session.get_one(ImportRun, campaign.import_id).name


def known_ids(
    session: Session, what: str, table: type[Problem] | type[Target], name: str
) -> Sequence[int]:
    """Row ids of a problem's revisions, or of a target.

    Raises:
        UnknownNameError: There is none; the known names are in the message.
    """
    ids = session.scalars(select(table.id).where(table.name == name)).all()
    if not ids:
        names = session.scalars(select(table.name).distinct().order_by(table.name)).all()
        known = f"it knows {', '.join(names)}" if names else "it is empty"
        raise UnknownNameError(f"the archive has nothing on {what} {name!r}; {known}")
    return ids


def _proposal_details(session: Session, candidate_id: int) -> tuple[ProposalDetail, ...]:
    rows = session.execute(
        select(Proposal, ModelCallRow)
        .outerjoin(ModelCallRow, ModelCallRow.id == Proposal.model_call_id)
        .where(Proposal.candidate_id == candidate_id)
        .order_by(Proposal.id)
    ).all()
    parents = parents_of(session, [proposal.id for proposal, _ in rows])
    calls = [call for _, call in rows if call is not None]
    texts = load_texts(session, [i for c in calls for i in (c.prompt_id, c.completion_id)])
    return tuple(
        ProposalDetail(
            campaign=proposal.campaign_id,
            ordinal=proposal.ordinal,
            operator=proposal.operator,
            proposer=proposal.proposer,
            parents=parents.get(proposal.id, ()),
            description=proposal.description,
            rules=tuple(proposal.rules or ()),
            proposed=proposal.created,
            model_call=None if call is None else model_calls.figures_of(call),
            prompt=None if call is None or call.prompt_id is None else texts[call.prompt_id],
            completion=(
                None if call is None or call.completion_id is None else texts[call.completion_id]
            ),
        )
        for proposal, call in rows
    )
