"""Loading campaigns as the search wants them back, and what it looks up while it runs."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, select
from sqlalchemy.orm import Session

from db import events, model_calls
from db.blobs import chunks, load_texts
from db.column_types import now
from db.direct import run, table
from db.encoding import decompress
from db.evaluations import load_campaign_comparisons, load_evaluations, unpack_speedups
from db.lookup import find_campaign, find_candidate, latest_problem, require_own, target_named
from db.models import Campaign, EliteRow, LessonRow, Parent, Problem, Target
from db.models import Candidate as CandidateRow
from db.models import Evaluation as EvaluationRow
from db.models import Proposal as ProposalRow
from db.records import (
    Baselines,
    CampaignRecord,
    CampaignState,
    CampaignStatus,
    Elite,
    Lesson,
    NoiseFloor,
    Proposal,
)
from evaluator.candidate import Candidate
from evaluator.evaluation import Evaluation
from evaluator.outcome import Outcome

_EVALUATIONS, _CANDIDATES, _TARGETS = table(EvaluationRow), table(CandidateRow), table(Target)
_LATEST = (
    select(_EVALUATIONS.c.id)
    .join(_CANDIDATES, _CANDIDATES.c.id == _EVALUATIONS.c.candidate_id)
    .join(_TARGETS, _TARGETS.c.id == _EVALUATIONS.c.target_id)
    .where(
        _CANDIDATES.c.digest == bindparam("wanted"),
        _TARGETS.c.name == bindparam("here"),
        ~_EVALUATIONS.c.recheck,
        _EVALUATIONS.c.import_id.is_(None),
    )
    .order_by(_EVALUATIONS.c.id.desc())
    .limit(1)
)
_LATEST_OF_PROBLEM = _LATEST.where(_EVALUATIONS.c.problem_id == bindparam("problem"))


def campaign_record(session: Session, campaign: Campaign) -> CampaignRecord:
    """A campaign's row with names for its references."""
    return CampaignRecord(
        id=campaign.id,
        key=campaign.key,
        problem_id=campaign.problem_id,
        problem=session.get_one(Problem, campaign.problem_id).name,
        backend=campaign.backend,
        target=session.get_one(Target, campaign.target_id).name,
        config=campaign.config,
        seed=campaign.seed,
        status=CampaignStatus(campaign.status),
        reason=campaign.reason,
        started=campaign.started,
        active_seconds=campaign.active_seconds,
    )


def load(session: Session, name: int | str) -> CampaignState:
    """See `Archive.load_campaign`."""
    campaign = find_campaign(session, name)
    return CampaignState(
        record=campaign_record(session, campaign),
        random_state=decompress(campaign.random_state).decode(),
        proposals=_proposals(session, campaign.id),
        elites=_elites(session, campaign.id),
        noise_floor=_noise_floor(session, campaign),
        baselines=_baselines(session, campaign),
        spending=model_calls.spending(session, campaign.id),
        calls=model_calls.load(session, campaign.id),
        events=events.load(session, campaign.id),
    )


def reopen(session: Session, name: int | str) -> CampaignState:
    """See `Archive.resume_campaign`."""
    campaign = find_campaign(session, name)
    require_own(campaign)
    campaign.status = CampaignStatus.RUNNING.value
    campaign.reason = ""
    campaign.updated = now()
    session.flush()
    return load(session, campaign.id)


def last_unfinished(session: Session) -> CampaignRecord | None:
    """See `Archive.last_unfinished_campaign`."""
    campaign = session.scalar(
        select(Campaign)
        .where(Campaign.status != CampaignStatus.FINISHED.value, Campaign.import_id.is_(None))
        .order_by(Campaign.updated.desc(), Campaign.id.desc())
        .limit(1)
    )
    return None if campaign is None else campaign_record(session, campaign)


def load_candidate(session: Session, prefix: str) -> Candidate:
    """See `Archive.candidate`."""
    row = find_candidate(session, prefix)
    return load_candidates(session, [row.id])[row.id]


def evaluation_of(
    session: Session, digest: str, target: str, problem_id: int | None
) -> Evaluation | None:
    """See `Archive.evaluation_of`."""
    given: dict[str, str | int] = {"wanted": digest, "here": target}
    statement = _LATEST
    if problem_id is not None:
        given["problem"] = problem_id
        statement = _LATEST_OF_PROBLEM
    return _loaded(session, run(session, statement, given).scalar())


def evaluation_by_object(
    session: Session, object_hash: str, problem: str | int, target: str
) -> Evaluation | None:
    """See `Archive.evaluation_by_object`."""
    target_row = target_named(session, target)
    if isinstance(problem, str):
        problem_row = latest_problem(session, problem)
    else:
        problem_row = session.get(Problem, problem)
    if target_row is None or problem_row is None:
        return None
    statement = (
        select(EvaluationRow.id)
        .where(
            EvaluationRow.object_hash == object_hash,
            EvaluationRow.problem_id == problem_row.id,
            EvaluationRow.target_id == target_row.id,
            EvaluationRow.outcome != Outcome.INFRA_ERROR.value,
            ~EvaluationRow.recheck,
            EvaluationRow.import_id.is_(None),
        )
        .order_by(EvaluationRow.id.desc())
        .limit(1)
    )
    return _loaded(session, session.scalar(statement))


def lessons(session: Session, problem: str | None, target: str | None, limit: int) -> list[Lesson]:
    """See `Archive.lessons`."""
    statement = (
        select(LessonRow, CandidateRow.digest)
        .join(Problem, Problem.id == LessonRow.problem_id)
        .join(Target, Target.id == LessonRow.target_id)
        .outerjoin(CandidateRow, CandidateRow.id == LessonRow.candidate_id)
        .where(LessonRow.import_id.is_(None))
        .order_by(LessonRow.id.desc())
        .limit(limit)
    )
    if problem is not None:
        statement = statement.where(Problem.name == problem)
    if target is not None:
        statement = statement.where(Target.name == target)
    return [
        Lesson(row.text, digest, row.speedup, row.confirmed)
        for row, digest in session.execute(statement)
    ]


def parents_of(session: Session, proposals: Sequence[int]) -> dict[int, tuple[str, ...]]:
    """Digests of the parents of proposals (by row id), the main parent first."""
    found: dict[int, tuple[str, ...]] = {}
    for part in chunks(proposals):
        statement = (
            select(Parent.proposal_id, CandidateRow.digest)
            .join(CandidateRow, CandidateRow.id == Parent.parent_id)
            .where(Parent.proposal_id.in_(part))
            .order_by(Parent.proposal_id, Parent.position)
        )
        for proposal_id, digest in session.execute(statement):
            found[proposal_id] = (*found.get(proposal_id, ()), digest)
    return found


def _loaded(session: Session, evaluation_id: int | None) -> Evaluation | None:
    if evaluation_id is None:
        return None
    return load_evaluations(session, [evaluation_id])[evaluation_id]


def _proposals(session: Session, campaign_id: int) -> tuple[Proposal, ...]:
    rows = session.scalars(
        select(ProposalRow)
        .where(ProposalRow.campaign_id == campaign_id)
        .order_by(ProposalRow.ordinal)
    ).all()
    candidates = load_candidates(session, sorted({row.candidate_id for row in rows}))
    parents = parents_of(session, [row.id for row in rows])
    settled = {row.evaluation_id for row in rows if row.evaluation_id is not None}
    evaluations = load_evaluations(session, settled)
    return tuple(
        Proposal(
            ordinal=row.ordinal,
            candidate=candidates[row.candidate_id],
            operator=row.operator,
            proposer=row.proposer,
            parents=parents.get(row.id, ()),
            description=row.description,
            rules=tuple(row.rules or ()),
            evaluation=None if row.evaluation_id is None else evaluations[row.evaluation_id],
            call=row.model_call_id,
        )
        for row in rows
    )


def load_candidates(session: Session, ids: Sequence[int]) -> dict[int, Candidate]:
    """Candidates by row id."""
    found: dict[int, Candidate] = {}
    for part in chunks(ids):
        rows = session.scalars(select(CandidateRow).where(CandidateRow.id.in_(part))).all()
        sources = load_texts(session, (row.source_id for row in rows))
        for row in rows:
            found[row.id] = Candidate(
                row.problem, row.backend, sources[row.source_id], row.tunables
            )
    return found


def _elites(session: Session, campaign_id: int) -> tuple[Elite, ...]:
    statement = (
        select(EliteRow, CandidateRow.digest)
        .join(CandidateRow, CandidateRow.id == EliteRow.candidate_id)
        .where(EliteRow.campaign_id == campaign_id)
        .order_by(EliteRow.island, EliteRow.cell)
    )
    return tuple(
        Elite(row.island, row.cell, digest, row.score) for row, digest in session.execute(statement)
    )


def _noise_floor(session: Session, campaign: Campaign) -> NoiseFloor | None:
    if campaign.noise_floor is None:
        return None
    comparisons = load_campaign_comparisons(session, campaign.id, "noise")
    return NoiseFloor(campaign.noise_floor, comparisons)


def _baselines(session: Session, campaign: Campaign) -> Baselines | None:
    if campaign.baseline_candidate_id is None:
        return None
    best = session.get_one(CandidateRow, campaign.baseline_candidate_id)
    comparisons = load_campaign_comparisons(session, campaign.id, "baseline")
    speedups = unpack_speedups(campaign.baseline_speedups or b"")
    return Baselines(best.digest, comparisons, speedups)
