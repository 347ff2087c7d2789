"""The same archive on a real PostgreSQL server, where one is installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from db.archive import Archive
from db.errors import ArchiveError
from db.models import Base
from db.records import Elite
from db.schema import HEAD
from tests.db.samples import TARGET, campaign, comparison, judged, kernel, propose, refused

pytest.importorskip("psycopg")
INITDB, CONTROL = shutil.which("initdb"), shutil.which("pg_ctl")
pytestmark = pytest.mark.skipif(not (INITDB and CONTROL), reason="needs a PostgreSQL server")


def as_server(*command: str) -> None:
    """Run as a user that is not root: PostgreSQL refuses to serve as root."""
    prefix = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
    done = subprocess.run([*prefix, *command], check=False, capture_output=True, text=True)
    if done.returncode != 0:
        pytest.skip(f"PostgreSQL does not start here: {done.stderr.strip()[-200:]}")


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """A server on a socket of its own; its empty database."""
    folder = Path(tempfile.mkdtemp(prefix="pg"))  # short: a socket's path is limited
    data = folder / "data"
    if os.geteuid() == 0:
        shutil.chown(folder, "postgres")
    try:
        as_server(str(INITDB), "-D", str(data), "-U", "kernelmill", "-A", "trust", "-E", "UTF8")
        options = f"-c listen_addresses='' -c fsync=off -k {folder}"
        log = str(folder / "log")
        as_server(str(CONTROL), "-w", "-D", str(data), "-l", log, "-o", options, "start")
        yield f"postgresql+psycopg://kernelmill@/postgres?host={folder}"
        as_server(str(CONTROL), "-w", "-D", str(data), "-m", "immediate", "stop")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def server(url: str) -> Iterator[Archive]:
    """An archive on the server."""
    with Archive.open(url) as archive:
        yield archive


def test_a_campaign_comes_back_whole(server: Archive, url: str) -> None:
    record = campaign(server)
    propose(server, record.id, kernel(0))
    propose(server, record.id, kernel(1), (kernel(0).digest,))
    elite = Elite(0, "cell", kernel(1).digest, 3.0)
    server.record_evaluation(record.id, judged(kernel(0), 1.0))
    server.record_evaluation(record.id, judged(kernel(1), 3.0), elite=elite, random_state="s")
    server.record_noise_floor(record.id, 0.01, [comparison("self")])
    with Archive.open(url) as again:
        state = again.load_campaign(record.key[:7])
    assert [p.evaluation for p in state.proposals] == [
        judged(kernel(0), 1.0),
        judged(kernel(1), 3.0),
    ]
    assert state.elites == (elite,)
    assert state.random_state == "s"
    assert state.noise_floor is not None
    assert state.noise_floor.comparisons == (comparison("self"),)


def test_listings(server: Archive) -> None:
    record = campaign(server)
    propose(server, record.id, kernel(10))
    propose(server, record.id, kernel(11), (kernel(10).digest,))
    server.record_evaluation(record.id, judged(kernel(10), 50.0))
    server.record_evaluation(record.id, refused(kernel(11)))
    assert server.top("softmax", TARGET, 1)[0].candidate == kernel(10).digest
    assert server.campaigns()[0].evaluated == 2
    assert {c.outcome: c.count for c in server.outcomes(record.id)} == {"ok": 1, "build_failed": 1}
    assert [r.generation for r in server.lineage(kernel(10).digest[:9])] == [0, 1]
    assert server.diff(kernel(10).digest, kernel(11).digest).source
    assert server.show(kernel(10).digest).children == 1
    object_hash = judged(kernel(10)).object_hash or ""
    assert server.evaluation_by_object(object_hash, "softmax", TARGET) is not None
    assert server.last_unfinished_campaign() is not None


def test_writers_take_turns(server: Archive) -> None:
    record = campaign(server)
    writers = [
        threading.Thread(target=propose, args=(server, record.id, kernel(100 + number)))
        for number in range(4)
    ]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    assert [p.ordinal for p in server.load_campaign(record.id).proposals] == [1, 2, 3, 4]


def test_the_models_agree_with_the_migrations(server: Archive, url: str) -> None:
    with create_engine(url).connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Base.metadata) == []
    assert Archive.migrate(url).after == HEAD


def test_a_server_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="archive postgresql") as refusal:
        Archive.open(f"postgresql+psycopg://kernelmill:secret@/postgres?host={tmp_path}")
    assert "secret" not in str(refusal.value)
    assert "\n" not in str(refusal.value)
