"""Finding rows by what users and the search call them: digests, prefixes, numbers, names."""

from __future__ import annotations

import string
from collections.abc import Iterable

from sqlalchemy import ColumnElement, bindparam, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.blobs import chunks
from db.column_types import HexDigest
from db.direct import run, table
from db.errors import ArchiveError
from db.models import Campaign, Candidate, Problem, Target

_DIGEST_LENGTH = 64
_KEY_LENGTH = 16
_KEY_PREFIX = 4  # fewer are a number, never the beginning of a key
_SHOWN = 12
_OFFERED = 5
_CANDIDATES = table(Candidate).c
_CANDIDATE = select(_CANDIDATES.id).where(_CANDIDATES.digest == bindparam("wanted"))


def candidate_id_of(session: Session, digest: str) -> int:
    """Row id of the candidate with exactly that digest.

    Raises:
        ArchiveError: It was never recorded.
    """
    if _is_hex(digest) and len(digest) == _DIGEST_LENGTH:
        found = run(session, _CANDIDATE, {"wanted": digest}).scalar()
        if found is not None:
            return int(found)
    raise ArchiveError(f"candidate {digest[:_SHOWN]} is not in the archive; record it first")


def digests_of(session: Session, candidates: Iterable[int]) -> dict[int, str]:
    """Digests of candidates by row id."""
    found: dict[int, str] = {}
    for part in chunks(sorted(set(candidates))):
        rows = select(Candidate.id, Candidate.digest).where(Candidate.id.in_(part))
        found.update((key, digest) for key, digest in session.execute(rows))
    return found


def find_candidate(session: Session, prefix: str) -> Candidate:
    """The one candidate whose digest begins with `prefix`.

    Raises:
        ArchiveError: None does, or several do (some are named).
    """
    wanted = prefix.strip().lower()
    if not _is_hex(wanted) or len(wanted) > _DIGEST_LENGTH:
        raise ArchiveError(
            f"{prefix!r} is not a candidate's digest; give the first hex digits that "
            "`kernelmill archive top` shows"
        )
    matches = session.scalars(
        select(Candidate)
        .where(begins_with(Candidate.digest, wanted, _DIGEST_LENGTH))
        .order_by(Candidate.digest)
        .limit(_OFFERED + 1)
    ).all()
    if not matches:
        raise ArchiveError(
            f"no candidate begins with {prefix!r}; `kernelmill archive top` lists the best"
        )
    if len(matches) > 1:
        raise ArchiveError(_ambiguous("candidates", prefix, [m.digest for m in matches]))
    return matches[0]


def find_campaign(session: Session, name: int | str) -> Campaign:
    """The campaign of that number, or the one whose key begins with `name` (4 digits or more).

    Raises:
        ArchiveError: There is none, or several keys begin so.
    """
    wanted = str(name).strip().lower()
    if wanted.isdecimal() and len(wanted) < 10:
        by_number = session.get(Campaign, int(wanted))
        if by_number is not None:
            return by_number
    matches: list[Campaign] = []
    if _is_hex(wanted) and _KEY_PREFIX <= len(wanted) <= _KEY_LENGTH:
        where = begins_with(Campaign.key, wanted, _KEY_LENGTH)
        matches = list(session.scalars(select(Campaign).where(where).limit(_OFFERED + 1)))
    if not matches:
        raise ArchiveError(f"no campaign {name!r}; `kernelmill archive ls` lists them")
    if len(matches) > 1:
        raise ArchiveError(_ambiguous("campaigns", str(name), [m.key for m in matches]))
    return matches[0]


def require_own(campaign: Campaign) -> None:
    """Refuse to go on with a campaign of another archive.

    Raises:
        ArchiveError: It was imported.
    """
    if campaign.import_id is not None:
        raise ArchiveError(
            f"campaign {campaign.id} was imported and its results are claims: start one of your "
            "own with `kernelmill optimize`, or check them with `kernelmill verify --archive`"
        )


def latest_problem(session: Session, name: str) -> Problem | None:
    """The latest revision of a problem."""
    return session.scalar(
        select(Problem).where(Problem.name == name).order_by(Problem.id.desc()).limit(1)
    )


def target_named(session: Session, name: str) -> Target | None:
    """The target of that name."""
    return session.scalar(select(Target).where(Target.name == name))


def begins_with(
    column: InstrumentedAttribute[str], prefix: str, length: int
) -> ColumnElement[bool]:
    """A digest's first hex digits, as a range that an index answers.

    Args:
        column: Of type `HexDigest`.
        prefix: Lower-case hex digits, at most `length`.
        length: Hex digits of a whole digest.
    """
    assert isinstance(column.type, HexDigest)
    return column.between(prefix.ljust(length, "0"), prefix.ljust(length, "f"))


def _is_hex(text: str) -> bool:
    return bool(text) and set(text) <= set(string.hexdigits.lower())


def _ambiguous(what: str, prefix: str, found: list[str]) -> str:
    offered = ", ".join(digest[:_SHOWN] for digest in found[:_OFFERED])
    more = ", ..." if len(found) > _OFFERED else ""
    return f"several {what} begin with {prefix!r}: {offered}{more}; give more digits"
