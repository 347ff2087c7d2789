"""Evaluations and comparisons between their dataclasses and their rows, without loss."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.blobs import chunks, load_texts, store_optional
from db.direct import insert_row, insert_rows
from db.encoding import pack_json, pack_rounds, unpack_json, unpack_rounds
from db.models import Candidate as CandidateRow
from db.models import Evaluation as EvaluationRow
from db.models import Measurement, Target
from evaluator.evaluation import (
    Check,
    Comparison,
    Evaluation,
    Evidence,
    Interval,
    Speedup,
    Stage,
    Unreached,
    attributes,
)
from evaluator.outcome import Outcome


def store_evaluation(
    session: Session,
    evaluation: Evaluation,
    *,
    candidate_id: int,
    problem_id: int,
    target_id: int,
    campaign_id: int | None,
    recheck: bool = False,
) -> int:
    """Store an evaluation with its measurements; returns its row id."""
    over_seed = evaluation.speedup_over("seed")
    key = insert_row(
        session,
        EvaluationRow,
        candidate_id=candidate_id,
        problem_id=problem_id,
        target_id=target_id,
        campaign_id=campaign_id,
        outcome=str(evaluation.outcome),
        improved=evaluation.improved,
        object_hash=evaluation.object_hash,
        same_object_as=evaluation.same_object_as,
        seed_confirmed=over_seed is not None and over_seed.confirmed,
        seed_speedup=over_seed.interval.estimate if over_seed else None,
        seed_low=over_seed.interval.low if over_seed else None,
        seed_high=over_seed.interval.high if over_seed else None,
        findings=pack_json(_findings(evaluation)),
        build_log_id=store_optional(session, evaluation.build_log or None),
        recheck=recheck,
    )
    store_comparisons(session, evaluation.comparisons, evaluation_id=key)
    return key


def store_comparisons(
    session: Session,
    comparisons: Sequence[Comparison],
    *,
    evaluation_id: int | None = None,
    campaign_id: int | None = None,
    purpose: str | None = None,
) -> None:
    """Store comparisons of an evaluation, or of a campaign for a purpose."""
    rows = [
        {
            "evaluation_id": evaluation_id,
            "campaign_id": campaign_id,
            "purpose": purpose,
            "position": position,
            "workload": c.workload,
            "other": c.other,
            "phase": c.phase,
            "seconds": c.seconds,
            "other_seconds": c.other_seconds,
            "estimate": c.speedup.estimate,
            "low": c.speedup.low,
            "high": c.speedup.high,
            "roofline": c.roofline,
            "rounds": pack_rounds(c.rounds),
        }
        for position, c in enumerate(comparisons)
    ]
    insert_rows(session, Measurement, rows)


def load_evaluations(session: Session, ids: Iterable[int]) -> dict[int, Evaluation]:
    """Evaluations by row id, complete with raw rounds."""
    wanted = sorted(set(ids))
    found: dict[int, Evaluation] = {}
    for part in chunks(wanted):
        statement = (
            select(EvaluationRow, CandidateRow.digest, Target.name)
            .join(CandidateRow, CandidateRow.id == EvaluationRow.candidate_id)
            .join(Target, Target.id == EvaluationRow.target_id)
            .where(EvaluationRow.id.in_(part))
        )
        rows = session.execute(statement).all()
        logs = load_texts(session, (row.build_log_id for row, _, _ in rows))
        comparisons = _comparisons_of(session, part)
        for row, digest, target in rows:
            measured = tuple(comparisons.get(row.id, ()))
            found[row.id] = _evaluation(row, digest, target, logs[row.build_log_id], measured)
    return found


def load_campaign_comparisons(
    session: Session, campaign_id: int, purpose: str
) -> tuple[Comparison, ...]:
    """The comparisons a campaign has for a purpose, in the order they were given."""
    statement = (
        select(Measurement)
        .where(Measurement.campaign_id == campaign_id, Measurement.purpose == purpose)
        .order_by(Measurement.position)
    )
    return tuple(_comparison(row) for row in session.scalars(statement))


def pack_speedups(speedups: Sequence[Speedup]) -> bytes:
    """Speedups alone, packed."""
    return pack_json([_speedup_fields(s) for s in speedups])


def unpack_speedups(data: bytes) -> tuple[Speedup, ...]:
    """The inverse of `pack_speedups`."""
    return tuple(_speedup(fields) for fields in unpack_json(data))


def _comparisons_of(session: Session, ids: Sequence[int]) -> dict[int, list[Comparison]]:
    statement = (
        select(Measurement)
        .where(Measurement.evaluation_id.in_(ids))
        .order_by(Measurement.evaluation_id, Measurement.position)
    )
    found: dict[int, list[Comparison]] = {}
    for row in session.scalars(statement):
        assert row.evaluation_id is not None  # it was selected by it
        found.setdefault(row.evaluation_id, []).append(_comparison(row))
    return found


def _findings(evaluation: Evaluation) -> dict[str, Any]:
    return {
        "profile": dict(evaluation.profile),
        "evidence": [{**vars(e), "details": dict(e.details)} for e in evaluation.evidence],
        "checks": [attributes(c) for c in evaluation.checks],
        "stages": [attributes(s) for s in evaluation.stages],
        "speedups": [_speedup_fields(s) for s in evaluation.speedups],
        **({"unreached": [vars(u) for u in evaluation.unreached]} if evaluation.unreached else {}),
    }


def _speedup_fields(speedup: Speedup) -> dict[str, Any]:
    return {**attributes(speedup), "interval": attributes(speedup.interval)}


def _speedup(fields: Mapping[str, Any]) -> Speedup:
    return Speedup(**{**fields, "interval": Interval(**fields["interval"])})


def _comparison(row: Measurement) -> Comparison:
    return Comparison(
        workload=row.workload,
        other=row.other,
        seconds=row.seconds,
        other_seconds=row.other_seconds,
        speedup=Interval(row.estimate, row.low, row.high),
        rounds=unpack_rounds(row.rounds),
        phase=row.phase,
        roofline=row.roofline,
    )


def _evaluation(
    row: EvaluationRow,
    digest: str,
    target: str,
    build_log: str,
    comparisons: tuple[Comparison, ...],
) -> Evaluation:
    findings = unpack_json(row.findings)
    return Evaluation(
        candidate=digest,
        target=target,
        outcome=Outcome(row.outcome),
        evidence=tuple(Evidence(**e) for e in findings["evidence"]),
        stages=tuple(Stage(**s) for s in findings["stages"]),
        build_log=build_log,
        object_hash=row.object_hash,
        same_object_as=row.same_object_as,
        profile=findings["profile"],
        checks=tuple(Check(**c) for c in findings["checks"]),
        comparisons=comparisons,
        speedups=tuple(_speedup(s) for s in findings["speedups"]),
        improved=row.improved,
        unreached=_unreached(findings),
    )


def unreached_of(row: EvaluationRow) -> tuple[Unreached, ...]:
    """Code that nothing executed, from an evaluation's row alone."""
    return _unreached(unpack_json(row.findings))


def _unreached(findings: Mapping[str, Any]) -> tuple[Unreached, ...]:
    """Absent in what was stored before vetting existed, and where there is none."""
    return tuple(Unreached(**fields) for fields in findings.get("unreached", ()))
