"""Database errors in words: what happened to which archive, and what to do about it."""

from __future__ import annotations

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError, OperationalError

from db.errors import ArchiveError

_FULL = "no space left for archive {0}: free some disk space and run again; nothing stored is lost"
_MESSAGES = {
    "SQLITE_BUSY": "archive {0} is locked by another process; wait until it is done (or stop it) "
    "and run again",
    "SQLITE_LOCKED": "archive {0} is locked by another connection; run again",
    "SQLITE_FULL": _FULL,
    "SQLITE_READONLY": "archive {0} is read-only; make the file and its folder writable, or name "
    "another with --archive",
    "SQLITE_CANTOPEN": "archive {0} cannot be opened; check that it is a file in a folder that "
    "you may write to, or name another with --archive",
    "SQLITE_NOTADB": "{0} is not a Kernelmill archive; name another with --archive",
    "SQLITE_CORRUPT": "archive {0} is damaged; restore it from a copy, or name another with "
    "--archive",
    "SQLITE_PERM": "archive {0} may not be accessed; check its permissions",
    "SQLITE_TOOBIG": "archive {0} cannot take a text this large (SQLite's limit is 1 GB)",
}


@contextmanager
def translated(shown: str) -> Iterator[None]:
    """Turn the database errors a user can do something about into `ArchiveError`.

    Anything else (a constraint broken, wrong SQL) is our bug and passes through.

    Args:
        shown: How messages name the archive: its path, or its URL without the password.

    Raises:
        ArchiveError: Locked, full, read-only, not a database, damaged, or not reachable.
    """
    try:
        yield
    except DBAPIError as error:
        message = _explain(error, shown)
        if message is None:
            raise
        raise ArchiveError(message) from error


def _explain(error: DBAPIError, shown: str) -> str | None:
    cause = error.orig
    if isinstance(cause, sqlite3.Error):
        name = getattr(cause, "sqlite_errorname", None) or ""
        if name.startswith("SQLITE_IOERR"):
            return _explain_io(name, shown)
        primary = "_".join(name.split("_")[:2])  # SQLITE_BUSY_SNAPSHOT is a kind of SQLITE_BUSY
        message = _MESSAGES.get(primary)
        return message.format(shown) if message else None
    if isinstance(error, OperationalError):  # another server: not reachable, login refused, ...
        first = str(cause).strip().splitlines()[0] if str(cause).strip() else "no answer"
        return f"archive {shown}: {first}"
    return None


def _explain_io(name: str, shown: str) -> str:
    folder = Path(shown).parent
    if folder.is_dir() and shutil.disk_usage(folder).free < 1 << 20:
        return _FULL.format(shown)
    return f"archive {shown}: the disk failed to read or write ({name}); check it and run again"
