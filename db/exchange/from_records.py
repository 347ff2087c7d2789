"""From records that somebody wrote back to what the archive holds."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Mapping
from typing import Any

from db.exchange.fields import ComparisonPart, SpeedupPart, read_number
from db.exchange.records import CandidateRecord, EvaluationRecord, EventRecord
from db.records import Event, EventKind
from evaluator.candidate import Candidate
from evaluator.evaluation import (
    Check,
    Comparison,
    Evaluation,
    Evidence,
    Interval,
    Round,
    Speedup,
    Stage,
    Unreached,
)
from evaluator.outcome import Outcome


def candidate(record: CandidateRecord) -> Candidate:
    """The candidate; its digest is for the caller to compare.

    Raises:
        ValueError: There is no source, or `exact` is not what it should be.
    """
    source = record.source
    if source is None:
        raise ValueError("it has no source")
    if record.exact is not None:
        try:
            source = base64.b64decode(record.exact, validate=True).decode("utf-8", "surrogatepass")
        except (binascii.Error, UnicodeDecodeError) as error:
            raise ValueError("`exact` is not Base64 of a text") from error
    return Candidate(record.problem, record.backend, source, record.tunables)


def evaluation(record: EvaluationRecord) -> Evaluation:
    """The evaluation.

    Raises:
        ValueError: There is no such outcome.
    """
    return Evaluation(
        candidate=record.candidate,
        target=record.target,
        outcome=Outcome(record.outcome),
        evidence=tuple(
            Evidence(e.rule, e.message, e.workload, _details(e.details)) for e in record.evidence
        ),
        stages=tuple(Stage(s.name, s.seconds) for s in record.stages),
        build_log=record.build_log,
        object_hash=record.object_hash,
        same_object_as=record.same_object_as,
        profile=_details(record.profile),
        checks=tuple(Check(c.workload, c.passed, c.max_error) for c in record.checks),
        comparisons=comparisons(record.comparisons),
        speedups=speedups(record.speedups),
        improved=record.improved,
        unreached=tuple(Unreached(u.first, u.last, u.source, u.branch) for u in record.unreached),
    )


def event(record: EventRecord, call: int | None) -> Event:
    """The event; `call` is the row of the call it is about."""
    return Event(EventKind(record.what), _details(record.details), call)


def comparisons(parts: Iterable[ComparisonPart]) -> tuple[Comparison, ...]:
    """Comparisons; those without rounds have none."""
    return tuple(
        Comparison(
            workload=c.workload,
            other=c.other,
            seconds=c.seconds,
            other_seconds=c.other_seconds,
            speedup=Interval(c.estimate, c.low, c.high),
            rounds=()
            if c.rounds is None
            else tuple(
                Round(*columns)
                for columns in zip(
                    c.rounds.candidate, c.rounds.other, c.rounds.foreign, c.rounds.used, strict=True
                )
            ),
            phase=c.phase,
            roofline=c.roofline,
        )
        for c in parts
    )


def speedups(parts: Iterable[SpeedupPart]) -> tuple[Speedup, ...]:
    """Speedups over all workloads."""
    return tuple(
        Speedup(s.other, Interval(s.estimate, s.low, s.high), s.confirmed, s.distinguishable)
        for s in parts
    )


def _details(free: Mapping[str, Any]) -> dict[str, Any]:
    """Particulars are texts and numbers; whatever else a stranger put there becomes text."""
    plain = (str, int, float, type(None))
    return {k: read_number(v) if isinstance(v, plain) else str(v) for k, v in free.items()}
