"""Texts by content: the same source, prompt or log is stored once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TypeVar

from sqlalchemy import bindparam, func, select
from sqlalchemy.orm import Session

from db.direct import insert_row, run, table, update_row
from db.encoding import bytes_text, compress, decompress, digest_of, text_bytes
from db.models import Blob

_CHUNK = 500
SHORT = 0.2
"""A difference of less than this share of a text is not compared with the text compressed."""
_OF = table(Blob).c
_KNOWN = select(_OF.id, func.length(_OF.data)).where(_OF.digest == bindparam("wanted"))
_LIKE = table(Blob).alias("resembling")
_BASE = select(_OF.id, _OF.data).where(
    _OF.id == func.coalesce(_LIKE.c.base_id, _LIKE.c.id), _LIKE.c.id == bindparam("like")
)
_CONTENT = select(_OF.data).where(_OF.id == bindparam("base"))
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
    known = run(session, _KNOWN, {"wanted": digest}).first()
    if known is not None:
        key, stored = known
        if stored == 0:
            update_row(session, Blob, key, data=compress(data))  # it is back
        return int(key)
    base, frame = _packed(session, data, like)
    return insert_row(session, Blob, digest=digest, size=len(data), base_id=base, data=frame)


def _packed(session: Session, data: bytes, like: int | None) -> tuple[int | None, bytes]:
    """A text as it is stored: the blob that it is a difference from, if any, and its bytes."""
    rows = () if like is None else run(session, _BASE, {"like": like}).rows
    for base, packed in rows:
        if packed:
            shorter = compress(data, decompress(packed))
            if len(shorter) < SHORT * len(data):
                return base, shorter
            frame = compress(data)
            return (base, shorter) if len(shorter) < len(frame) else (None, frame)
    return None, compress(data)


def store_optional(session: Session, text: str | None) -> int | None:
    """As `store_text`; None for no text."""
    return None if text is None else store_text(session, text)


def load_texts(session: Session, ids: Iterable[int | None]) -> dict[int | None, str]:
    """The texts of blobs by id; the id None has no text, hence "" in the answer.

    Of what garbage collection has taken there is a line that says so.
    """
    wanted = sorted({i for i in ids if i is not None})
    texts: dict[int | None, str] = {None: ""}
    bases: dict[int, bytes] = {}
    for part in chunks(wanted):
        statement = select(Blob.id, Blob.base_id, Blob.data, Blob.size, Blob.digest)
        for key, base, data, size, digest in session.execute(statement.where(Blob.id.in_(part))):
            if not data:
                texts[key] = f"[a text of {size} bytes was collected as garbage; SHA-256 {digest}]"
                continue
            if base is not None and base not in bases:
                bases[base] = _content(session, base)
            texts[key] = bytes_text(decompress(data, None if base is None else bases[base]))
    return texts


def is_collected(blob: Blob) -> bool:
    """Garbage collection has taken the text; digest and size are left."""
    return not blob.data


def collected(session: Session, ids: Iterable[int]) -> dict[int, tuple[str, int]]:
    """Digest and size of those blobs whose texts garbage collection has taken."""
    found: dict[int, tuple[str, int]] = {}
    for part in chunks(sorted(set(ids))):
        statement = select(Blob.id, Blob.digest, Blob.size).where(
            Blob.id.in_(part), func.length(Blob.data) == 0
        )
        found.update((key, (digest, size)) for key, digest, size in session.execute(statement))
    return found


def chunks(values: Sequence[T]) -> Iterator[Sequence[T]]:
    """Cut into parts that fit the parameters of one statement."""
    for start in range(0, len(values), _CHUNK):
        yield values[start : start + _CHUNK]


def _content(session: Session, base: int) -> bytes:
    data: bytes = run(session, _CONTENT, {"base": base}).scalar()
    return decompress(data) if data else b""
