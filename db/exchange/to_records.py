"""From what the archive holds to records that stand for themselves."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

from db.encoding import plain
from db.exchange.fields import (
    CheckPart,
    ComparisonPart,
    EvidencePart,
    Rounds,
    SpeedupPart,
    StagePart,
    UnreachedPart,
    spelled,
)
from db.exchange.records import CandidateRecord, EvaluationRecord, Record
from db.models import Candidate as CandidateRow
from db.models import Evaluation as EvaluationRow
from evaluator.candidate import Candidate
from evaluator.evaluation import Comparison, Evaluation, Speedup, attributes

_OF_ONE_MACHINE = (
    "problem", "record", "recording", "prices", "base_url", "command", "archive", "cards",
)  # fmt: skip
"""Settings of a campaign that hold paths, addresses and commands of its owner."""
NO_ID = "0" * 64


def candidate_record(
    row: CandidateRow, candidate: Candidate, collected: tuple[str, int] | None
) -> CandidateRecord:
    """A candidate; a source that is no valid Unicode goes along exactly as well.

    Args:
        row: Its row.
        candidate: What it holds.
        collected: Digest and size of its source, if garbage collection has taken that.
    """
    source: str | None = valid(candidate.source)
    exact = None
    if collected is not None:
        source = None
    elif source != candidate.source:
        exact = base64.b64encode(candidate.source.encode("utf-8", "surrogatepass")).decode()
    return CandidateRecord(
        digest=row.digest,
        problem=row.problem,
        backend=row.backend,
        source=source,
        exact=exact,
        source_digest=None if collected is None else collected[0],
        source_size=None if collected is None else collected[1],
        tunables=dict(row.tunables),
        created=row.created,
    )


def evaluation_record(
    row: EvaluationRow,
    evaluation: Evaluation,
    *,
    problem: tuple[str, str],
    campaign: str | None,
    rounds: bool,
) -> EvaluationRecord:
    """An evaluation with its name for everywhere.

    Args:
        row: Its row.
        evaluation: What it holds.
        problem: Name and revision.
        campaign: Key.
        rounds: Keep the raw rounds; the name is the same without.
    """
    record = EvaluationRecord(
        id=NO_ID,
        candidate=evaluation.candidate,
        problem=problem[0],
        revision=problem[1],
        target=evaluation.target,
        campaign=campaign,
        recheck=row.recheck,
        outcome=str(evaluation.outcome),
        improved=evaluation.improved,
        object_hash=evaluation.object_hash,
        same_object_as=evaluation.same_object_as,
        profile=free(evaluation.profile),
        evidence=[
            EvidencePart(
                rule=valid(e.rule),
                message=valid(e.message),
                workload=None if e.workload is None else valid(e.workload),
                details=free(e.details),
            )
            for e in evaluation.evidence
        ],
        checks=[CheckPart(**attributes(c)) for c in evaluation.checks],
        stages=[StagePart(**attributes(s)) for s in evaluation.stages],
        unreached=[
            UnreachedPart(first=u.first, last=u.last, source=valid(u.source), branch=u.branch)
            for u in evaluation.unreached
        ],
        speedups=speedup_parts(evaluation.speedups),
        comparisons=comparison_parts(evaluation.comparisons, rounds=True),
        build_log=valid(evaluation.build_log),
        created=row.created,
    )
    named = record.model_copy(update={"id": row.digest or name_of(record)})
    return named if rounds else without_rounds(named)


def name_of(record: EvaluationRecord) -> str:
    """SHA-256 over the canonical JSON of what was found, wherever that happened."""
    content = fields_of(record)
    for circumstance in ("id", "campaign", "recheck", "build_log"):
        del content[circumstance]
    text = json.dumps(content, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def without_rounds(record: EvaluationRecord) -> EvaluationRecord:
    """The same evaluation without its raw rounds."""
    bare = [c.model_copy(update={"rounds": None}) for c in record.comparisons]
    return record.model_copy(update={"comparisons": bare})


def comparison_parts(comparisons: Iterable[Comparison], *, rounds: bool) -> list[ComparisonPart]:
    """Comparisons, with their rounds as columns."""
    return [
        ComparisonPart(
            workload=c.workload,
            other=c.other,
            phase=c.phase,
            seconds=c.seconds,
            other_seconds=c.other_seconds,
            estimate=c.speedup.estimate,
            low=c.speedup.low,
            high=c.speedup.high,
            roofline=c.roofline,
            rounds=Rounds(
                candidate=[r.candidate for r in c.rounds],
                other=[r.other for r in c.rounds],
                foreign=[r.foreign for r in c.rounds],
                used=[r.used for r in c.rounds],
            )
            if rounds
            else None,
        )
        for c in comparisons
    ]


def speedup_parts(speedups: Iterable[Speedup]) -> list[SpeedupPart]:
    """Speedups over all workloads."""
    return [
        SpeedupPart(
            other=s.other,
            estimate=s.interval.estimate,
            low=s.interval.low,
            high=s.interval.high,
            confirmed=s.confirmed,
            distinguishable=s.distinguishable,
        )
        for s in speedups
    ]


def portable(config: Mapping[str, Any]) -> dict[str, Any]:
    """A campaign's configuration without what means something on its machine alone."""
    return free({k: v for k, v in config.items() if k not in _OF_ONE_MACHINE})


def free(value: Mapping[str, Any]) -> dict[str, Any]:
    """A structure as strict JSON can hold it."""
    cleaned = _clean(plain(value))
    assert isinstance(cleaned, dict)
    return cleaned


def valid(text: str) -> str:
    """The text with replacement characters where it is no valid Unicode."""
    return text.encode("utf-8", "replace").decode()


def fields_of(record: Record) -> dict[str, Any]:
    """A record as JSON-able fields."""
    return record.model_dump(mode="json")


def _clean(value: object) -> object:
    if isinstance(value, dict):
        return {valid(str(k)): _clean(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_clean(v) for v in value]
    return valid(value) if isinstance(value, str) else spelled(value)
