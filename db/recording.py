"""What is recorded of each candidate: proposal, evaluation, elite."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, func, select, update
from sqlalchemy.orm import Session

from db.blobs import store_text
from db.campaign_recording import Running
from db.claims import found_here
from db.column_types import now
from db.direct import insert_row, insert_rows, run, table
from db.errors import ArchiveError
from db.evaluations import load_evaluations, store_evaluation
from db.lookup import candidate_id_of, latest_problem, target_named
from db.models import Blob, EliteRow, Parent, Problem, Target
from db.models import Candidate as CandidateRow
from db.models import Evaluation as EvaluationRow
from db.models import Proposal as ProposalRow
from db.records import CandidateRecord, Elite
from evaluator.candidate import Candidate
from evaluator.evaluation import Evaluation

_PROPOSALS, _ELITES, _EVALUATIONS = table(ProposalRow), table(EliteRow), table(EvaluationRow)
_CANDIDATES, _BLOBS, _TARGETS = table(CandidateRow), table(Blob), table(Target)
_OF_CAMPAIGN = _PROPOSALS.c.campaign_id == bindparam("campaign")
_EARLIER = (
    select(_PROPOSALS.c.evaluation_id)
    .where(_OF_CAMPAIGN, _PROPOSALS.c.candidate_id == bindparam("candidate"))
    .limit(1)
)
_LAST = select(func.max(_PROPOSALS.c.ordinal)).where(_OF_CAMPAIGN)
_STORED = (
    select(_CANDIDATES.c.id, func.length(_BLOBS.c.data))
    .join(_BLOBS, _BLOBS.c.id == _CANDIDATES.c.source_id)
    .where(_CANDIDATES.c.digest == bindparam("wanted"))
)
_SOURCE = select(_CANDIDATES.c.source_id).where(_CANDIDATES.c.id == bindparam("candidate"))
_TARGET_NAME = select(_TARGETS.c.name).where(_TARGETS.c.id == bindparam("target"))
_LATEST = (
    select(_EVALUATIONS.c.id)
    .where(
        _EVALUATIONS.c.candidate_id == bindparam("candidate"),
        _EVALUATIONS.c.problem_id == bindparam("problem"),
        _EVALUATIONS.c.target_id == bindparam("target"),
        ~_EVALUATIONS.c.recheck,
        _EVALUATIONS.c.import_id.is_(None),
    )
    .order_by(_EVALUATIONS.c.id.desc())
    .limit(1)
)
_SETTLE = (
    update(_PROPOSALS)
    .where(
        _PROPOSALS.c.campaign_id == bindparam("campaign"),
        _PROPOSALS.c.candidate_id == bindparam("candidate"),
    )
    .values(evaluation_id=bindparam("evaluation"))
    .returning(_PROPOSALS.c.id)
)
_REPLACE_ELITE = (
    update(_ELITES)
    .where(
        _ELITES.c.campaign_id == bindparam("campaign"),
        _ELITES.c.island == bindparam("on"),
        _ELITES.c.cell == bindparam("place"),
    )
    .values(candidate_id=bindparam("candidate"), score=bindparam("points"), created=bindparam("at"))
    .returning(_ELITES.c.island)
)


@dataclass(frozen=True)
class Step:
    """How a candidate came to be proposed."""

    operator: str
    proposer: str
    parents: tuple[str, ...]
    description: str
    rules: tuple[str, ...]
    model_call_id: int | None


def record_candidate(
    session: Session, campaign: Running, candidate: Candidate, step: Step
) -> CandidateRecord:
    """See `Archive.record_candidate`."""
    digest = candidate.digest
    parents = [candidate_id_of(session, parent) for parent in step.parents]
    candidate_id, new = _ensure_candidate(session, candidate, digest, parents)
    here = {"campaign": campaign.id, "candidate": candidate_id}
    earlier = None if new else run(session, _EARLIER, here).first()
    ordinal = (run(session, _LAST, {"campaign": campaign.id}).scalar() or 0) + 1
    evaluation_id = earlier[0] if earlier else None
    proposal = insert_row(
        session,
        ProposalRow,
        campaign_id=campaign.id,
        ordinal=ordinal,
        candidate_id=candidate_id,
        operator=step.operator,
        proposer=step.proposer,
        description=step.description,
        rules=list(step.rules) or None,
        model_call_id=step.model_call_id,
        evaluation_id=evaluation_id,
    )
    edges = [
        {"proposal_id": proposal, "position": position, "parent_id": parent}
        for position, parent in enumerate(parents)
    ]
    insert_rows(session, Parent, edges)
    evaluation = (
        load_evaluations(session, [evaluation_id])[evaluation_id] if evaluation_id else None
    )
    return CandidateRecord(digest, ordinal, earlier is not None, evaluation)


def record_evaluation(session: Session, campaign: Running, evaluation: Evaluation) -> None:
    """See `Archive.record_evaluation`."""
    candidate_id = candidate_id_of(session, evaluation.candidate)
    target = run(session, _TARGET_NAME, {"target": campaign.target_id}).scalar()
    if evaluation.target != target:
        raise ArchiveError(
            f"an evaluation on target {evaluation.target} cannot go into campaign {campaign.id}, "
            f"which is on {target}: start a campaign for that target"
        )
    evaluation_id = _same_evaluation(
        session, evaluation, candidate_id, campaign.problem_id, campaign.target_id
    ) or store_evaluation(
        session,
        evaluation,
        candidate_id=candidate_id,
        problem_id=campaign.problem_id,
        target_id=campaign.target_id,
        campaign_id=campaign.id,
    )
    settled = run(
        session,
        _SETTLE,
        {"campaign": campaign.id, "candidate": candidate_id, "evaluation": evaluation_id},
    ).first()
    if settled is None:
        raise ArchiveError(
            f"candidate {evaluation.candidate[:12]} was not proposed in campaign {campaign.id}; "
            "record it there first"
        )


def record_stray_evaluation(session: Session, evaluation: Evaluation) -> None:
    """Store an evaluation that belongs to no campaign, for the latest revision of its problem."""
    candidate_id = candidate_id_of(session, evaluation.candidate)
    candidate = session.get_one(CandidateRow, candidate_id)
    problem = latest_problem(session, candidate.problem)
    target = target_named(session, evaluation.target)
    if problem is None or target is None:
        raise ArchiveError(
            f"problem {candidate.problem} or target {evaluation.target} is not in the archive; "
            "record both before evaluations"
        )
    if _same_evaluation(session, evaluation, candidate_id, problem.id, target.id) is None:
        store_evaluation(
            session,
            evaluation,
            candidate_id=candidate_id,
            problem_id=problem.id,
            target_id=target.id,
            campaign_id=None,
        )


def record_recheck(session: Session, evaluation: Evaluation, problem_id: int) -> None:
    """See `Archive.record_recheck`."""
    candidate_id = candidate_id_of(session, evaluation.candidate)
    target = target_named(session, evaluation.target)
    if target is None or session.get(Problem, problem_id) is None:
        missing = f"target {evaluation.target}" if target is None else f"problem {problem_id}"
        raise ArchiveError(f"{missing} is not in the archive; record it before evaluations")
    store_evaluation(
        session,
        evaluation,
        candidate_id=candidate_id,
        problem_id=problem_id,
        target_id=target.id,
        campaign_id=None,
        recheck=evaluation.speedup_over("seed") is None
        or found_here(session, candidate_id, problem_id, target.id),
    )


def store_elite(session: Session, campaign: Running, elite: Elite) -> None:
    """Put a candidate into its cell, in the place of the one before."""
    place = {"campaign_id": campaign.id, "island": elite.island, "cell": elite.cell}
    holder = candidate_id_of(session, elite.candidate)
    replaced = run(
        session,
        _REPLACE_ELITE,
        {"campaign": campaign.id, "on": elite.island, "place": elite.cell, "candidate": holder,
         "points": elite.score, "at": now()},
    ).first()  # fmt: skip
    if replaced is None:
        insert_row(session, EliteRow, **place, candidate_id=holder, score=elite.score)


def _ensure_candidate(
    session: Session, candidate: Candidate, digest: str, parents: list[int]
) -> tuple[int, bool]:
    """The row of a candidate, and whether it is new."""
    known = run(session, _STORED, {"wanted": digest}).first()
    if known is not None:
        candidate_id, stored = known
        if stored == 0:
            store_text(session, candidate.source)  # garbage collection had taken it
        return int(candidate_id), False
    like = None
    if parents:
        like = run(session, _SOURCE, {"candidate": parents[0]}).scalar()
    key = insert_row(
        session,
        CandidateRow,
        digest=digest,
        problem=candidate.problem,
        backend=candidate.backend,
        source_id=store_text(session, candidate.source, like),
        tunables=dict(candidate.tunables),
    )
    return key, True


def _same_evaluation(
    session: Session, evaluation: Evaluation, candidate_id: int, problem_id: int, target_id: int
) -> int | None:
    latest: int | None = run(
        session, _LATEST, {"candidate": candidate_id, "problem": problem_id, "target": target_id}
    ).scalar()
    if latest is not None and load_evaluations(session, [latest])[latest] == evaluation:
        return latest
    return None
