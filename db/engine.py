"""Connections: SQLite set up for many readers and one writer, and explicit transactions.

The sqlite3 driver begins transactions late and only before some statements. Here it begins none:
SQLAlchemy's `begin` event does, with `BEGIN IMMEDIATE` for writes, so that a writer waits for its
turn at the start and never fails half-way through with a stale snapshot.

Who waits for a turn asks for it every millisecond or two. SQLite's own waiting grows to a tenth of
a second between two tries, which a few writers without pause leave no chance: of eight, some got
nothing for seconds, and would have been told in the end that the archive is locked.
"""

from __future__ import annotations

import random
import sqlite3
import time
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from db.errors import ArchiveError
from db.location import is_url

WRITES = "kernelmill_writes"
_BEGIN = "BEGIN IMMEDIATE"
_PAUSE = (0.0005, 0.002)
"""Seconds between two tries; drawn anew each time, so that nobody always comes second."""
_CACHE_KIB = 16 << 10
"""Of pages: enough for the indices that a campaign of ten thousand candidates touches at random."""
_LOG_PAGES = 4000
"""Of the write-ahead log; the more, the more changes of a page are written back as one."""
_dice = random.Random()
_WRITER_LOCK = 0x4B4D494C  # "KMIL": PostgreSQL advisory lock that makes writers take turns


def archive_url(location: str | Path) -> URL:
    """The database URL of a path or URL.

    Raises:
        ArchiveError: It is not a URL that SQLAlchemy understands.
    """
    if not is_url(location):
        return URL.create("sqlite", database=str(Path(location).expanduser().absolute()))
    try:
        return make_url(str(location))
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        raise ArchiveError(
            "the archive's URL is not understood; write a file path, or "
            "postgresql+psycopg://user@host/database"
        ) from None


def shown_name(url: URL) -> str:
    """How messages name the archive; never with a password."""
    if url.get_backend_name() == "sqlite" and url.database and not url.query:
        return url.database
    return url.render_as_string(hide_password=True)


def build_engine(url: URL, busy_seconds: float, *, read_only: bool = False) -> Engine:
    """An engine whose transactions begin as this module's docstring says.

    Args:
        url: From `archive_url`.
        busy_seconds: How long to wait for another process's write to end.
        read_only: The database refuses every change.

    Raises:
        ArchiveError: The driver of the URL is not installed.
    """
    sqlite = url.get_backend_name() == "sqlite"
    try:
        engine = create_engine(url, connect_args={"timeout": busy_seconds} if sqlite else {})
    except (ImportError, NoSuchModuleError) as error:
        raise ArchiveError(
            f"no driver for {url.drivername}: {error}; install it, e.g. `pip install psycopg`"
        ) from error
    if sqlite:
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", partial(_begin_sqlite, busy_seconds))
        if read_only:
            event.listen(engine, "connect", _refuse_changes)
    elif url.get_backend_name() == "postgresql":
        event.listen(engine, "begin", _begin_postgresql)
        if read_only:
            engine = engine.execution_options(postgresql_readonly=True)
    return engine


def for_reading(engine: Engine) -> Engine:
    """The engine with transactions that see one snapshot: those of SQLite do so anyway, those of
    PostgreSQL where they are asked to."""
    if engine.dialect.name != "postgresql":
        return engine
    return engine.execution_options(isolation_level="REPEATABLE READ")


def _prepare_sqlite(connection: Any, record: object) -> None:
    connection.isolation_level = None  # the driver begins nothing by itself
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")  # a commit survives a power cut
    connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_PAGES}")


def _refuse_changes(connection: Any, record: object) -> None:
    connection.execute("PRAGMA query_only = ON")


def _begin_sqlite(busy_seconds: float, connection: Connection) -> None:
    if not connection.get_execution_options().get(WRITES, False):
        connection.exec_driver_sql("BEGIN")
        return
    raw = connection.connection.dbapi_connection
    assert isinstance(raw, sqlite3.Connection)
    try:
        _take_turn(raw, busy_seconds)
    except sqlite3.Error as error:  # past SQLAlchemy, which would have wrapped it
        raise OperationalError(_BEGIN, None, error) from error


def _take_turn(raw: sqlite3.Connection, busy_seconds: float) -> None:
    """Begin writing as soon as nobody else does.

    Raises:
        sqlite3.Error: Somebody else did for too long, or it cannot be done at all.
    """
    until = time.monotonic() + busy_seconds
    raw.execute("PRAGMA busy_timeout = 0")
    try:
        while True:
            try:
                raw.execute(_BEGIN)
                return
            except sqlite3.OperationalError as error:
                busy = error.sqlite_errorcode & 0xFF == sqlite3.SQLITE_BUSY
                if not busy or time.monotonic() > until:
                    raise
            time.sleep(_dice.uniform(*_PAUSE))
    finally:
        raw.execute(f"PRAGMA busy_timeout = {round(busy_seconds * 1e3)}")


def _begin_postgresql(connection: Connection) -> None:
    if connection.get_execution_options().get(WRITES, False):
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_WRITER_LOCK})")
