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


def store_text(session: Session, text: str | None) -> int | None:
    """The blob's id, stored now unless it was there; None for no text."""
    if text is None:
        return None
    data = text_bytes(text)
    digest = digest_of(data)
    if (known := session.scalar(select(Blob.id).where(Blob.digest == digest))) is not None:
        return known
    blob = Blob(digest=digest, size=len(data), data=compress(data))
    session.add(blob)
    session.flush()
    return blob.id


def load_texts(session: Session, ids: Iterable[int | None]) -> dict[int | None, str]:
    """The texts of blobs by id; the id None has no text, hence "" in the answer."""
    wanted = sorted({i for i in ids if i is not None})
    texts: dict[int | None, str] = {None: ""}
    for part in chunks(wanted):
        for key, data in session.execute(select(Blob.id, Blob.data).where(Blob.id.in_(part))):
            texts[key] = bytes_text(decompress(data))
    return texts


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut into parts that fit the parameters of one statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]
