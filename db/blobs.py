"""Texts by content: the same source, prompt or log is stored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.encoding import bytes_text, compress, decompress, digest_of, text_bytes
from db.models import Blob

_CHUNK = 500
T = TypeVar("T")


def store_text(session: Session, text: str, like: int | None = None) -> int:
    """The id of the text's blob, which is stored now unless it was there.

    Args:
        session: A writing one.
        text: What to store.
        like: Blob of a text that resembles it, to store only what differs.
    """
    data = text_bytes(text)
    digest = digest_of(data)
    if (known := session.scalar(select(Blob.id).where(Blob.digest == digest))) is not None:
        return known
    frame, base = compress(data), None
    if like is not None:
        resembling = session.get_one(Blob, like)
        base = resembling.base_id or resembling.id
        shorter = compress(data, _content(session, base))
        frame, base = (shorter, base) if len(shorter) < len(frame) else (frame, None)
    blob = Blob(digest=digest, size=len(data), base_id=base, data=frame)
    session.add(blob)
    session.flush()
    return blob.id


def store_optional(session: Session, text: str | None) -> int | None:
    """As `store_text`; None for no text."""
    return None if text is None else store_text(session, text)


def load_texts(session: Session, ids: Iterable[int | None]) -> dict[int | None, str]:
    """The texts of blobs by id; the id None has no text, hence "" in the answer."""
    wanted = sorted({i for i in ids if i is not None})
    texts: dict[int | None, str] = {None: ""}
    bases: dict[int, bytes] = {}
    for part in chunks(wanted):
        statement = select(Blob.id, Blob.base_id, Blob.data).where(Blob.id.in_(part))
        for key, base, data in session.execute(statement).all():
            if base is not None and base not in bases:
                bases[base] = _content(session, base)
            texts[key] = bytes_text(decompress(data, None if base is None else bases[base]))
    return texts


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut into parts that fit the parameters of one statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _content(session: Session, base: int) -> bytes:
    return decompress(session.scalars(select(Blob.data).where(Blob.id == base)).one())
