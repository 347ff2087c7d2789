"""Is an archive what it says it is? Every digest computed again, every reference followed."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import zstandard
from sqlalchemy import func, inspect, select, text
from sqlalchemy.orm import Session

from db.blobs import is_collected
from db.campaigns import load_candidates
from db.database import Database
from db.encoding import canonical, decompress, digest_of, unpack_json, unpack_rounds
from db.models import (
    Base,
    Blob,
    Campaign,
    Candidate,
    Evaluation,
    ImportRun,
    Measurement,
    ModelCallRow,
    Problem,
    Proposal,
    Tally,
)

_PAGE = 500
R = TypeVar("R", bound=Base)
_UNREADABLE = (zstandard.ZstdError, ValueError, KeyError, TypeError)


@dataclass(frozen=True)
class Fault:
    """Something is wrong.

    Attributes:
        what: Kind and name of it.
        message: What is wrong.
    """

    what: str
    message: str


@dataclass(frozen=True)
class Inspection:
    """What an inspection found.

    Attributes:
        looked_at: Things by kind.
        collected: Texts that garbage collection has taken.
        faults: What is wrong; the first thousand.
        notes: What is not wrong, and worth knowing.
    """

    looked_at: dict[str, int]
    collected: int
    faults: tuple[Fault, ...]
    notes: tuple[str, ...]


def examine(database: Database) -> Inspection:
    """See `Archive.verify`."""
    with database.reading() as session:
        counts: dict[str, int] = {}
        faults: list[Fault] = []
        checks: list[tuple[str, Callable[[Session], Iterator[Fault | None]]]] = [
            ("references", _database),
            ("texts", _texts),
            ("candidates", _candidates),
            ("problems", _problems),
            ("evaluations", _evaluations),
            ("measurements", _measurements),
            ("outcomes", _outcomes),
            ("campaigns", _campaigns),
            ("model calls", _calls),
        ]
        for name, check in checks:
            counts[name] = 0
            for fault in check(session):
                counts[name] += 1
                if fault is not None and len(faults) < 1000:
                    faults.append(fault)
        gone = session.scalar(select(func.count()).where(func.length(Blob.data) == 0)) or 0
        notes = [
            f"the import of {row.name} was broken off: import it again to complete it"
            for row in session.scalars(select(ImportRun).where(ImportRun.complete.is_(False)))
        ]
    return Inspection(counts, gone, tuple(faults), tuple(notes))


def _database(session: Session) -> Iterator[Fault | None]:
    """The database's own checks; PostgreSQL never lets a reference dangle."""
    if session.get_bind().dialect.name != "sqlite":
        return
    for (found,) in session.execute(text("PRAGMA integrity_check")):
        yield None if found == "ok" else Fault("database", str(found))
    for table, row, other, _ in session.execute(text("PRAGMA foreign_key_check")):
        yield Fault(f"{table} {row}", f"refers to a {other} that is not there")


def _texts(session: Session) -> Iterator[Fault | None]:
    for blob in _rows(session, Blob):
        yield None if is_collected(blob) else _text(session, blob)


def _text(session: Session, blob: Blob) -> Fault | None:
    what = f"text {blob.digest[:12]}"
    try:
        base = None if blob.base_id is None else session.get(Blob, blob.base_id)
        if base is not None and (is_collected(base) or base.base_id is not None):
            return Fault(what, "the text that it refers to cannot serve")
        data = decompress(blob.data, None if base is None else decompress(base.data))
    except _UNREADABLE as error:
        return Fault(what, f"cannot be unpacked ({error})")
    if digest_of(data) != blob.digest or len(data) != blob.size:
        return Fault(what, "is another text than its digest says")
    return None


def _candidates(session: Session) -> Iterator[Fault | None]:
    for row in _rows(session, Candidate):
        what = f"candidate {row.digest[:12]}"
        source = session.get(Blob, row.source_id)
        if source is None:
            yield Fault(what, "has no source")
        elif is_collected(source):
            yield None
        else:
            try:
                digest = load_candidates(session, [row.id])[row.id].digest
            except _UNREADABLE as error:
                yield Fault(what, f"cannot be loaded ({error})")
            else:
                yield None if digest == row.digest else Fault(what, "is not what its digest says")


def _problems(session: Session) -> Iterator[Fault | None]:
    for row in _rows(session, Problem):
        same = digest_of(canonical(row.spec)) == row.spec_digest
        yield None if same else Fault(f"problem {row.name}", "is not what its digest says")


def _evaluations(session: Session) -> Iterator[Fault | None]:
    for row in _rows(session, Evaluation):
        try:
            unpack_json(row.findings)
        except _UNREADABLE as error:
            yield Fault(f"evaluation {row.id}", f"cannot be unpacked ({error})")
        else:
            yield None


def _measurements(session: Session) -> Iterator[Fault | None]:
    for row in _rows(session, Measurement):
        try:
            unpack_rounds(row.rounds)
        except (*_UNREADABLE, struct.error) as error:
            yield Fault(f"measurement {row.id}", f"rounds cannot be unpacked ({error})")
        else:
            yield None


def _outcomes(session: Session) -> Iterator[Fault | None]:
    """What the tally says of each problem and target against a count."""
    place = (Evaluation.problem_id, Evaluation.target_id, Evaluation.outcome)
    counted = {
        (problem, target, outcome): count
        for problem, target, outcome, count in session.execute(
            select(*place, func.count()).where(~Evaluation.recheck).group_by(*place)
        )
    }
    rows = session.scalars(select(Tally))
    tally = {(row.problem_id, row.target_id, row.outcome): row.count for row in rows}
    for problem, target, outcome in sorted(counted.keys() | tally.keys()):
        key = (problem, target, outcome)
        said, found = tally.get(key, 0), counted.get(key, 0)
        what = f"tally of {outcome} for problem {problem} on target {target}"
        yield None if said == found else Fault(what, f"says {said}, and there are {found}")


def _campaigns(session: Session) -> Iterator[Fault | None]:
    for row in _rows(session, Campaign):
        count, last = session.execute(
            select(func.count(), func.max(Proposal.ordinal)).where(Proposal.campaign_id == row.id)
        ).one()
        whole = row.import_id is not None or count == (last or 0)
        yield None if whole else Fault(f"campaign {row.id}", "lacks proposals")


def _calls(session: Session) -> Iterator[Fault | None]:
    for row in _rows(session, ModelCallRow):
        known = set(
            session.scalars(select(Candidate.digest).where(Candidate.digest.in_(row.parents or ())))
        )
        lost = [digest for digest in row.parents or () if digest not in known]
        yield Fault(f"model call {row.id}", f"parent {lost[0][:12]} is gone") if lost else None


def _rows(session: Session, model: type[R]) -> Iterator[R]:
    """All rows by number; the session lets go of them page by page."""
    key, last = model.__table__.c.id, 0
    while True:
        page = session.scalars(select(model).where(key > last).order_by(key).limit(_PAGE)).all()
        if not page:
            return
        last = (inspect(page[-1]).identity or (0,))[0]
        yield from page
        session.expunge_all()
