"""Statements given to the database's driver, for what is recorded with every candidate.

Each flush of a changed object costs several times what its statement does, and SQLAlchemy's
execution of a statement several times what the driver does with it. So what is recorded with every
candidate is inserted, updated and looked up directly: SQLAlchemy writes the SQL once, its types
convert values, and in between there is nothing. Objects are for reading and for what is rare.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, cast
from weakref import WeakKeyDictionary

from sqlalchemy import (
    Connection,
    Dialect,
    Executable,
    Insert,
    Table,
    Update,
    bindparam,
    insert,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.types import TypeEngine

from db.models import Base

_KEY = "row_key"
_DRIVER = "driver"
_Converter = Callable[[Any], Any]
_Values = Mapping[str, Any]


@dataclass(frozen=True)
class Found:
    """What a statement gave back.

    Attributes:
        rows: All of them.
        count: How many rows it changed.
    """

    rows: Sequence[tuple[Any, ...]]
    count: int

    def first(self) -> tuple[Any, ...] | None:
        """The first row, None if there is none."""
        return self.rows[0] if self.rows else None

    def scalar(self) -> Any:
        """The first column of the first row, None if there is none."""
        return self.rows[0][0] if self.rows else None


@dataclass(frozen=True)
class _Compiled:
    """A statement for a database.

    Attributes:
        sql: As the driver takes it.
        names: Of its parameters in order; None where the driver takes them by name.
        own: Values that the statement brings itself.
        inward, outward: Converters of parameters by name, and of columns of its rows by place.
    """

    sql: str
    names: tuple[str, ...] | None
    own: dict[str, Any]
    inward: dict[str, _Converter]
    outward: tuple[tuple[int, _Converter], ...]

    def given(self, values: _Values) -> Any:
        """Parameters as the driver takes them."""
        every = {**self.own, **values}
        for name, convert in self.inward.items():
            every[name] = convert(every[name])
        return every if self.names is None else [every[name] for name in self.names]

    def taken(self, rows: Sequence[tuple[Any, ...]]) -> Sequence[tuple[Any, ...]]:
        """Rows with values as the rest of the program knows them."""
        if not self.outward:
            return rows
        converted = []
        for row in rows:
            values = list(row)
            for place, convert in self.outward:
                values[place] = convert(values[place])
            converted.append(tuple(values))
        return converted


_compiled: WeakKeyDictionary[Dialect, dict[tuple[Executable, tuple[str, ...]], _Compiled]] = (
    WeakKeyDictionary()
)


@cache
def table(model: type[Base]) -> Table:
    """The table of a model."""
    found = model.__table__
    assert isinstance(found, Table)
    return found


def attach(session: Session, connection: Connection) -> None:
    """Let a session's direct statements go to the driver of this connection, on which it is."""
    dialect = connection.dialect
    known = _compiled.setdefault(dialect, {})
    session.info[_DRIVER] = (connection.connection.dbapi_connection, dialect, known)


def run(session: Session, statement: Executable, values: _Values) -> Found:
    """Execute a statement on tables, in the session's transaction.

    Args:
        session: Nothing that waits in it is written first.
        statement: Made once and kept: what was compiled is found by its identity.
        values: Of all its parameters that have names.
    """
    return _execute(session, statement, values)


def insert_row(session: Session, model: type[Base], /, **values: Any) -> int:
    """Insert a row; columns that are not named take their defaults.

    Returns:
        The first column of its primary key.
    """
    values = {**_defaults(model, values), **values}
    return int(run(session, _insert(model), values).scalar())


def insert_rows(session: Session, model: type[Base], rows: Sequence[_Values]) -> None:
    """Insert rows that all name the same columns, and every one without a default."""
    if rows:
        _execute(session, _insert_many(model), rows[0], rows)


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
    statement = _update(model, tuple(values), tuple(where))
    given = {_KEY: key}
    given.update((f"new_{name}", value) for name, value in values.items())
    given.update((f"old_{name}", value) for name, value in where.items())
    return run(session, statement, given).count == 1


def _execute(
    session: Session,
    statement: Executable,
    values: _Values,
    many: Sequence[_Values] | None = None,
) -> Found:
    """Once with `values`, or for each of `many` that name the same as these."""
    keys = tuple(values)
    driver, dialect, known = session.info[_DRIVER]
    compiled = known.get((statement, keys))
    if compiled is None:
        compiled = known[statement, keys] = _compile(statement, keys, dialect)
    assert dialect.dbapi is not None  # it has connected
    cursor = driver.cursor()
    try:
        if many is None:
            cursor.execute(compiled.sql, compiled.given(values))
        else:
            cursor.executemany(compiled.sql, [compiled.given(row) for row in many])
        rows = cursor.fetchall() if cursor.description else ()
        return Found(compiled.taken(rows), cursor.rowcount)
    except dialect.dbapi.Error as error:
        base = cast("type[Exception]", dialect.dbapi.Error)
        raise DBAPIError.instance(
            compiled.sql, None, error, base, dialect=dialect
        ) from error  # as SQLAlchemy would have raised it
    finally:
        cursor.close()


def _compile(statement: Executable, keys: tuple[str, ...], dialect: Dialect) -> _Compiled:
    compiler = cast("Any", statement).compile(dialect=dialect, column_keys=list(keys))
    assert isinstance(compiler, SQLCompiler)
    binds = cast("Mapping[str, Any]", cast("Any", compiler).binds)
    inward = {name: _inward(bind.type, dialect) for name, bind in binds.items()}
    columns = getattr(statement, "exported_columns", ())
    return _Compiled(
        compiler.string,
        None if compiler.positiontup is None else tuple(compiler.positiontup),
        {name: value for name, value in compiler.params.items() if name not in keys},
        {name: convert for name, convert in inward.items() if convert is not None},
        tuple(
            (place, convert)
            for place, column in enumerate(columns)
            if (convert := _outward(column.type, dialect)) is not None
        ),
    )


def _inward(kind: TypeEngine[Any], dialect: Dialect) -> _Converter | None:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _outward(kind: TypeEngine[Any], dialect: Dialect) -> _Converter | None:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _defaults(model: type[Base], values: _Values) -> dict[str, Any]:
    """Of the columns that are not named."""
    return {
        name: default(None) if callable(default) else default
        for name, default in _all_defaults(model)
        if name not in values
    }


@cache
def _all_defaults(model: type[Base]) -> tuple[tuple[str, Any], ...]:
    return tuple(
        (column.name, cast("Any", column.default).arg)
        for column in table(model).columns
        if column.default is not None
    )


@cache
def _insert(model: type[Base]) -> Insert:
    return _insert_many(model).returning(next(iter(table(model).primary_key)))


@cache
def _insert_many(model: type[Base]) -> Insert:
    return insert(table(model))


@cache
def _update(model: type[Base], columns: tuple[str, ...], conditions: tuple[str, ...]) -> Update:
    of = table(model).c
    new: dict[str, Any] = {name: bindparam(f"new_{name}") for name in columns}
    old = [of[name] == bindparam(f"old_{name}") for name in conditions]
    return update(table(model)).where(of.id == bindparam(_KEY), *old).values(new)
