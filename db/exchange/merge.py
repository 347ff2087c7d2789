"""Taking records of another archive in: content decides what is the same, nothing is overwritten.

Everything is done in short transactions of some records each, so that campaigns that write at the
same time wait for fractions of a second; a process that is killed leaves a valid archive, and
running the import again completes it. What is taken in are claims (see `db.claims`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.blobs import collected, store_text
from db.database import Database
from db.evaluations import load_evaluations, store_evaluation
from db.exchange import campaign_merge, from_records
from db.exchange.check import Source, checked
from db.exchange.ledger import Fate, Ledger
from db.exchange.records import (
    CallRecord,
    CampaignRecord,
    CandidateRecord,
    EliteRecord,
    EvaluationRecord,
    EventRecord,
    LessonRecord,
    ProblemRecord,
    ProposalRecord,
    Record,
    TargetRecord,
    kind_of,
)
from db.exchange.report import Imported
from db.exchange.to_records import evaluation_record, free
from db.models import Blob, Candidate, Evaluation, ImportRun, Problem, Target

_BATCH = 100


def merge(database: Database, source: Source) -> Imported:
    """Check all records, then take them in.

    Raises:
        BadRecords: Something is wrong with them; nothing was taken in.
        ArchiveError: The source cannot be read, or the archive not written.
    """
    for _ in checked(source):
        pass
    digest = source.digest
    with database.writing() as session:
        ledger = Ledger(_begin(session, digest, source.name))
    for batch in _batches(checked(source)):
        with database.writing() as session:
            for record in batch:
                ledger.note(kind_of(type(record)), _take(session, ledger, record))
    with database.writing() as session:
        session.get_one(ImportRun, ledger.import_id).complete = source.digest == digest
    return ledger.report(source.name)


def _begin(session: Session, digest: str, name: str) -> int:
    known = session.scalar(select(ImportRun).where(ImportRun.digest == digest))
    if known is not None:
        return known.id
    row = ImportRun(digest=digest, name=name[:200], complete=False)
    session.add(row)
    session.flush()
    return row.id


def _batches(records: Iterable[Record]) -> Iterator[list[Record]]:
    batch: list[Record] = []
    for record in records:
        batch.append(record)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _take(session: Session, ledger: Ledger, record: Record) -> Fate:
    match record:
        case ProblemRecord():
            return _problem(session, ledger, record)
        case TargetRecord():
            return _target(session, ledger, record)
        case CandidateRecord():
            return _candidate(session, ledger, record)
        case EvaluationRecord():
            return _evaluation(session, ledger, record)
        case CampaignRecord():
            return campaign_merge.campaign(session, ledger, record)
        case CallRecord():
            return campaign_merge.call(session, ledger, record)
        case ProposalRecord():
            return campaign_merge.proposal(session, ledger, record)
        case EliteRecord():
            return campaign_merge.elite(session, ledger, record)
        case LessonRecord():
            return campaign_merge.lesson(session, ledger, record)
        case EventRecord():
            return campaign_merge.event(session, ledger, record)
    raise AssertionError(f"{type(record)} is none of KINDS")


def _problem(session: Session, ledger: Ledger, record: ProblemRecord) -> Fate:
    key = (record.name, record.revision)
    where = (Problem.name == record.name, Problem.spec_digest == record.revision)
    if (known := session.scalar(select(Problem.id).where(*where))) is not None:
        ledger.problems[key] = known
        return Fate.KNOWN
    row = Problem(
        name=record.name, spec_digest=record.revision, spec=record.spec, created=record.created
    )
    session.add(row)
    session.flush()
    ledger.problems[key] = row.id
    return Fate.NEW


def _target(session: Session, ledger: Ledger, record: TargetRecord) -> Fate:
    known = session.scalar(select(Target).where(Target.name == record.name))
    if known is None:
        row = Target(name=record.name, facts=record.facts, created=record.created)
        session.add(row)
        session.flush()
        ledger.targets[record.name] = row.id
        return Fate.NEW
    ledger.targets[record.name] = known.id
    if free(known.facts) == record.facts:
        return Fate.KNOWN
    return ledger.differs(f"target {record.name}: other facts than here; those here stay")


def _candidate(session: Session, ledger: Ledger, record: CandidateRecord) -> Fate:
    known = session.scalar(select(Candidate).where(Candidate.digest == record.digest))
    if known is not None:
        ledger.candidates[record.digest] = known.id
        if record.source is None or not collected(session, [known.source_id]):
            return Fate.KNOWN
        known.source_id = store_text(session, from_records.candidate(record).source)
        return Fate.NEW
    like = ledger.likes.get(record.problem)
    row = Candidate(
        digest=record.digest,
        problem=record.problem,
        backend=record.backend,
        source_id=_source(session, record, like),
        tunables=dict(record.tunables),
        created=record.created,
    )
    session.add(row)
    session.flush()
    ledger.candidates[record.digest] = row.id
    if record.source is not None:
        ledger.likes.setdefault(record.problem, row.source_id)
    return Fate.NEW


def _source(session: Session, record: CandidateRecord, like: int | None) -> int:
    """The blob of a candidate's source, or the place of one that is not there."""
    if record.source is not None:
        return store_text(session, from_records.candidate(record).source, like)
    known = session.scalar(select(Blob.id).where(Blob.digest == record.source_digest))
    if known is not None:
        return known
    empty = Blob(digest=record.source_digest, size=record.source_size, data=b"")
    session.add(empty)
    session.flush()
    return empty.id


def _evaluation(session: Session, ledger: Ledger, record: EvaluationRecord) -> Fate:
    candidate_id = ledger.candidates[record.candidate]
    problem_id = ledger.problems[record.problem, record.revision]
    target_id = ledger.targets[record.target]
    known = _same(session, record, candidate_id, problem_id, target_id)
    if known is not None:
        ledger.evaluations[record.id] = known
        return Fate.KNOWN
    place = None if record.campaign is None else ledger.campaigns[record.campaign]
    evaluation_id = store_evaluation(
        session,
        from_records.evaluation(record),
        candidate_id=candidate_id,
        problem_id=problem_id,
        target_id=target_id,
        campaign_id=None if place is None or place.own else place.id,
        recheck=record.recheck,
    )
    row = session.get_one(Evaluation, evaluation_id)
    row.import_id = ledger.import_id
    row.digest = record.id
    row.created = record.created
    row.seed_confirmed = False  # nothing is confirmed here that was not measured here
    ledger.evaluations[record.id] = evaluation_id
    return Fate.NEW


def _same(
    session: Session, record: EvaluationRecord, candidate_id: int, problem_id: int, target_id: int
) -> int | None:
    """The row of an evaluation of that name; those found here are given it to compare."""
    rows = session.scalars(
        select(Evaluation).where(
            Evaluation.candidate_id == candidate_id,
            Evaluation.problem_id == problem_id,
            Evaluation.target_id == target_id,
            Evaluation.created == record.created,
        )
    ).all()
    for row in rows:
        if row.digest == record.id:
            return row.id
        if row.digest is None:
            found = load_evaluations(session, [row.id])[row.id]
            problem = (record.problem, record.revision)
            named = evaluation_record(row, found, problem=problem, campaign=None, rounds=True)
            if named.id == record.id:
                return row.id
    return None
