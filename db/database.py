"""An open database: one session, one transaction, errors in words."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from db.engine import WRITES, archive_url, build_engine, for_reading, shown_name
from db.errors import ArchiveError
from db.faults import translated
from db.schema import require_current, upgrade
from db.seats import Seats


class Database:
    """Connections to one archive and the transactions on it."""

    def __init__(
        self, location: str | Path, busy_seconds: float, *, read_only: bool = False
    ) -> None:
        """Prepare; nothing is opened yet. With `read_only` the database refuses to write.

        Raises:
            ArchiveError: The location is not understood, or its driver is not installed.
        """
        url = archive_url(location)
        self.shown = shown_name(url)
        self.file = Path(self.shown) if self.shown == url.database else None
        self._engine = build_engine(url, busy_seconds, read_only=read_only)
        self._readers = Seats(for_reading(self._engine))
        self._writers = Seats(self._engine.execution_options(**{WRITES: True}))

    def open(self, *, create: bool) -> None:
        """Check that it is an archive of this version; make one where there is nothing.

        Raises:
            ArchiveError: See `db.schema.require_current`; or there is nothing and `create` is off.
        """
        self._ensure_place(create)
        with translated(self.shown):
            require_current(self._engine, self.shown)

    def migrate(self) -> tuple[str | None, str]:
        """Bring an existing archive up to this version; returns the revisions before and after.

        Raises:
            ArchiveError: There is none, it is newer, or not an archive.
        """
        self._ensure_place(create=False)
        with translated(self.shown):
            return upgrade(self._engine, self.shown)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A session on one consistent snapshot.

        Raises:
            ArchiveError: See `db.faults.translated`.
        """
        with translated(self.shown), self._readers.transaction() as session:
            yield session

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """A session that holds the write lock; committed to disk when the block ends.

        Raises:
            ArchiveError: See `db.faults.translated`; nothing of the block is stored then.
        """
        with translated(self.shown), self._writers.transaction() as session:
            yield session

    def compact(self) -> None:
        """Give room that is no longer used back to the disk; a server does that by itself.

        Raises:
            ArchiveError: See `db.faults.translated`; nothing has changed then.
        """
        self._outside_transactions("VACUUM")

    def copy_to(self, path: Path) -> None:
        """Write a copy of this moment; others may go on writing. SQLite only.

        Raises:
            ArchiveError: See `db.faults.translated`.
        """
        self._outside_transactions("VACUUM INTO ?", str(path))

    def _outside_transactions(self, statement: str, *values: str) -> None:
        if self.file is None:
            return
        with translated(self.shown), closing(self._engine.raw_connection()) as raw:
            try:
                raw.cursor().execute(statement, values)
            except sqlite3.Error as error:  # past SQLAlchemy, which would have wrapped it
                raise DBAPIError(statement, values, error) from error

    def close(self) -> None:
        """Close every connection."""
        self._readers.close()
        self._writers.close()
        self._engine.dispose()

    def _ensure_place(self, create: bool) -> None:
        if self.file is None or self.file.exists():
            return
        if not create:
            raise ArchiveError(
                f"no archive at {self.file}; `kernelmill optimize` makes one, or name another "
                "with --archive"
            )
        try:
            self.file.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ArchiveError(
                f"archive {self.file}: its folder cannot be made ({error.strerror}); name "
                "another with --archive"
            ) from error
