"""Statements past the unit of work, for what is recorded with every candidate.

Each flush of a changed object costs several times what its statement does, and reading one first
costs as much again. So what is recorded is inserted and updated directly; objects are for reading,
and for what happens rarely.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import CursorResult, Executable, Insert, Table, Update, bindparam, insert, update
from sqlalchemy.orm import Session

from db.models import Base

_KEY = "row_key"


@cache
def table(model: type[Base]) -> Table:
    """The table of a model."""
    found = model.__table__
    assert isinstance(found, Table)
    return found


def run(
    session: Session,
    statement: Executable,
    values: Mapping[str, Any] | Sequence[Mapping[str, Any]],
) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement on tables, in the session's transaction."""
    return session.connection().execute(statement, values)


def insert_row(session: Session, model: type[Base], /, **values: Any) -> int:
    """Insert a row; columns that are not named take their defaults.

    Returns:
        The first column of its primary key.
    """
    key = run(session, _insert(model), values).inserted_primary_key
    assert key is not None
    return int(key[0])


def insert_rows(session: Session, model: type[Base], rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert rows that all name the same columns."""
    if rows:
        run(session, _insert(model), list(rows))


def update_row(
    session: Session,
    model: type[Base],
    key: int,
    /,
    where: Mapping[str, Any] | None = None,
    **values: Any,
) -> bool:
    """Set columns of the row with that `id`, if the columns of `where` are as it says.

    Returns:
        There is such a row.
    """
    where = where or {}
    result = run(
        session,
        _update(model, tuple(values), tuple(where)),
        {
            _KEY: key,
            **{f"new_{name}": value for name, value in values.items()},
            **{f"old_{name}": value for name, value in where.items()},
        },
    )
    return result.rowcount == 1


@cache
def _insert(model: type[Base]) -> Insert:
    return insert(table(model))


@cache
def _update(model: type[Base], columns: tuple[str, ...], conditions: tuple[str, ...]) -> Update:
    of = table(model).c
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    old = [of[name] == bindparam(f"old_{name}") for name in conditions]
    return update(table(model)).where(of.id == bindparam(_KEY), *old).values(new)
