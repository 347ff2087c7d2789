"""Column types: digests as bytes, instants as microseconds, small structures as JSON, reals, and
texts that every database can hold."""

from __future__ import annotations

import datetime
import math
from typing import Any

from sqlalchemy import JSON, BigInteger, Dialect, Double, Integer, LargeBinary, String
from sqlalchemy.types import TypeDecorator

Key = BigInteger().with_variant(Integer, "sqlite")
"""Surrogate keys: 64 bits everywhere (SQLite numbers rows only in a column it calls INTEGER)."""

Structure = JSON(none_as_null=True)
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
_TICK = datetime.timedelta(microseconds=1)


class HexDigest(TypeDecorator[str]):
    """A hex digest in Python, half its length as raw bytes in the database."""

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """Hex to bytes; ValueError where it is not hex."""
        return None if value is None else bytes.fromhex(value)

    def process_result_value(self, value: Any | None, dialect: Dialect) -> str | None:
        """Bytes to hex."""
        return None if value is None else bytes(value).hex()


class Words(TypeDecorator[str]):
    """Any text in Python; lone surrogates and NUL, which databases do not take, are replaced."""

    impl = String
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> Any:
        """What can be stored."""
        if value is None or (value.isascii() and "\0" not in value):
            return value
        text = value.encode("utf-8", "replace").decode()
        return text.replace("\0", "\N{REPLACEMENT CHARACTER}")


class Instant(TypeDecorator[datetime.datetime]):
    """An aware UTC datetime in Python, microseconds since 1970 in the database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime.datetime | None, dialect: Dialect) -> Any:
        """Aware datetime to microseconds."""
        return None if value is None else (value - _EPOCH) // _TICK

    def process_result_value(self, value: Any | None, dialect: Dialect) -> datetime.datetime | None:
        """Microseconds to an aware datetime in UTC."""
        return None if value is None else _EPOCH + value * _TICK


class Real(TypeDecorator[float]):
    """A float that may be NaN; SQLite knows no NaN, so it is NULL in the database."""

    impl = Double
    cache_ok = True

    def process_bind_param(self, value: float | None, dialect: Dialect) -> Any:
        """NaN to NULL."""
        return None if value is None or math.isnan(value) else value

    def process_result_value(self, value: Any | None, dialect: Dialect) -> float:
        """NULL to NaN."""
        return math.nan if value is None else float(value)


def now() -> datetime.datetime:
    """This instant, in UTC."""
    return datetime.datetime.now(datetime.UTC)
