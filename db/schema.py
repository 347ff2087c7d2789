"""The layout of an archive: which revision it has, whether we can read it, how it is brought up.

Alembic takes 0.4 s to import, so it is loaded only to create or migrate; opening an existing
archive compares one stored word with `REVISIONS` (a test holds that to the migrations).
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

from db.engine import WRITES
from db.errors import ArchiveError

REVISIONS = ("0001", "0002", "0003", "0004", "0005", "0006", "0007")
"""Every layout there has been, oldest first."""
HEAD = REVISIONS[-1]


def revision_of(connection: Connection, shown: str) -> str | None:
    """The stored revision; None for an empty database.

    Raises:
        ArchiveError: The database holds something else.
    """
    tables = inspect(connection).get_table_names()
    if "alembic_version" in tables:
        stored = connection.execute(text("SELECT version_num FROM alembic_version")).scalar()
        if stored is not None:
            return str(stored)
    if [t for t in tables if t != "alembic_version"]:
        raise ArchiveError(
            f"{shown} is a database but not a Kernelmill archive; name another with --archive"
        )
    return None


def refusal(revision: str, shown: str) -> str | None:
    """Why an archive of that revision cannot be used as it is; None if it can."""
    if revision == HEAD:
        return None
    if revision in REVISIONS:
        return (
            f"archive {shown} has an older layout ({revision}, this version reads {HEAD}); "
            f"run `kernelmill archive migrate --archive {shown}`"
        )
    return (
        f"archive {shown} was written by a newer Kernelmill (layout {revision}, this version "
        f"reads {HEAD}); upgrade Kernelmill, or name another with --archive"
    )


def require_current(engine: Engine, shown: str) -> None:
    """Make sure the archive has the layout of this version; an empty database is given it.

    Raises:
        ArchiveError: Older, newer, or not an archive.
    """
    with engine.connect() as connection:
        revision = revision_of(connection, shown)
    if revision is None:
        upgrade(engine, shown)
    elif reason := refusal(revision, shown):
        raise ArchiveError(reason)


def upgrade(engine: Engine, shown: str) -> tuple[str | None, str]:
    """Bring the archive to this version's layout in one transaction.

    Returns:
        The revision before (None: it was empty) and after.

    Raises:
        ArchiveError: It is newer than this version, or not an archive.
    """
    if engine.dialect.name == "sqlite":
        _use_wal(engine)
    writing = engine.execution_options(**{WRITES: True})
    with writing.begin() as connection:  # the lock first: two processes may both find it empty
        before = revision_of(connection, shown)
        if before == HEAD:
            return before, HEAD
        if before is not None and before not in REVISIONS:
            raise ArchiveError(refusal(before, shown) or "")
        _run_migrations(connection)
    return before, HEAD


def _use_wal(engine: Engine) -> None:
    # Kept in the file; cannot change inside a transaction, so it goes past SQLAlchemy's `begin`.
    raw = engine.raw_connection()
    try:
        raw.cursor().execute("PRAGMA journal_mode = WAL")
    finally:
        raw.close()


def _run_migrations(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
