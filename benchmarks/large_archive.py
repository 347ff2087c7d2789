"""A made-up archive of any size: some thousand candidates recorded one by one, then multiplied.

Recording a million candidates as campaigns do takes an hour. Copies of what was recorded, with keys
and digests of their own and slightly other speedups, take minutes, and every table and index gets
the size and the shape it would have had.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Column, Table

from db.column_types import HexDigest
from db.models import Base

SHARED = frozenset({"problem", "target", "import_run", "tally"})
"""What all copies refer to, or what the database keeps itself."""
_SPEEDUPS = frozenset({"seed_speedup", "seed_low", "seed_high"})
_STEP = 1e-6
"""Two copies of a candidate differ by so much in speed."""


def multiply(path: Path, copies: int) -> None:
    """Add `copies` of all that an archive holds to it; its own contents stay as they are.

    Args:
        path: An SQLite archive that nobody else has open.
        copies: How often, 0 or more.
    """
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -1000000")
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("PRAGMA defer_foreign_keys = ON")
        tables = [t for t in Base.metadata.sorted_tables if t.name not in SHARED]
        last = {t.name: _last(connection, t) for t in tables}
        for copy in range(1, copies + 1):
            for table in tables:
                connection.execute(_statement(table, last, copy))
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        connection.close()


def _last(connection: sqlite3.Connection, table: Table) -> int:
    if "id" not in table.c:
        return 0
    found = connection.execute(f"SELECT coalesce(max(id), 0) FROM {table.name}").fetchone()
    return int(found[0])


def _statement(table: Table, last: dict[str, int], copy: int) -> str:
    names = ", ".join(f'"{c.name}"' for c in table.columns)
    values = ", ".join(_value(c, last, copy) for c in table.columns)
    source = f'"{table.name}"{_own(table, last)}'
    return f'INSERT INTO "{table.name}" ({names}) SELECT {values} FROM {source}'


def _own(table: Table, last: dict[str, int]) -> str:
    """Only what was there before the first copy."""
    owner = next(_owners(table), None)
    if owner is None:
        return f" WHERE id <= {last[table.name]}"
    return f' WHERE "{owner.name}" <= {last[_target(owner)]}'


def _owners(table: Table) -> Iterator[Column[object]]:
    """Columns that tell whose row it is, where it has no key of its own."""
    if "id" not in table.c:
        yield from (c for c in table.primary_key if c.foreign_keys)


def _value(column: Column[object], last: dict[str, int], copy: int) -> str:
    name = f'"{column.name}"'
    if column.foreign_keys and _target(column) not in SHARED:
        return f"{name} + {copy * last[_target(column)]}"
    if column.primary_key and not column.foreign_keys and column.name == "id":
        return f"{name} + {copy * last[column.table.name]}"
    if isinstance(column.type, HexDigest):
        return f"CASE WHEN {name} IS NULL THEN NULL ELSE randomblob(length({name})) END"
    if column.name in _SPEEDUPS:
        return f"{name} * {1 + copy * _STEP!r}"
    return name


def _target(column: Column[object]) -> str:
    return next(iter(column.foreign_keys)).column.table.name
