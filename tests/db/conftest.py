"""An archive for each test: a file of its own, or with `--database postgresql` one on a server.

The contract is the same for both, and so are the tests, but for those that look into the file.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.archive import Archive
from db.database import Database
from tests.db.server import NoServerError, Server, running


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """A PostgreSQL server; skips where there is none, fails where one was asked for."""
    pytest.importorskip("psycopg")
    try:
        with running() as started:
            yield started
    except NoServerError as error:
        if request.config.getoption("--database") == "postgresql":
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Where the archive's file is, or will be."""
    if request.config.getoption("--database") == "postgresql":
        pytest.skip("looks into the file of an archive")
    return tmp_path / "archive.db"


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where the archive is, or will be: path or URL."""
    if request.config.getoption("--database") == "postgresql":
        server: Server = request.getfixturevalue("server")
        return server.new_database()
    return str(tmp_path / "archive.db")


@pytest.fixture
def archive(place: str) -> Iterator[Archive]:
    """An open, empty archive at `place`."""
    with Archive.open(place, busy_seconds=0.2) as opened:
        yield opened


@pytest.fixture
def database(archive: Archive, place: str) -> Iterator[Database]:
    """The archive underneath."""
    opened = Database(place, busy_seconds=5.0)
    yield opened
    opened.close()
