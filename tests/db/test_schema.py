"""Layouts: the models, the migrations and the constant agree; others are refused by name."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine
from sqlalchemy.dialects import postgresql
from sqlalchemy.schema import CreateIndex, CreateTable

import db
from db.archive import Archive
from db.errors import ArchiveError
from db.location import default_location
from db.models import Base
from db.schema import HEAD, REVISIONS, refusal
from tests.db.samples import campaign, judged, kernel, refused

ROOT = Path(__file__).parents[2]
MIGRATIONS = Path(db.__path__[0]) / "migrations"


def test_the_constant_agrees_with_the_migrations() -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    scripts = ScriptDirectory.from_config(config)
    assert scripts.get_current_head() == HEAD
    assert [s.revision for s in scripts.walk_revisions()] == list(reversed(REVISIONS))


def test_the_models_agree_with_the_migrations(archive: Archive, path: Path) -> None:
    with create_engine(f"sqlite:///{path}").connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_the_tables_are_good_for_postgresql() -> None:
    dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
    for table in Base.metadata.sorted_tables:
        assert "CREATE TABLE" in str(CreateTable(table).compile(dialect=dialect))
        for index in table.indexes:
            assert "CREATE INDEX" in str(CreateIndex(index).compile(dialect=dialect))
            assert len(str(index.name)) <= 63


def test_a_new_archive_is_set_up_for_many_processes(archive: Archive, path: Path) -> None:
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connection.execute("SELECT version_num FROM alembic_version").fetchone() == (HEAD,)
    connection.close()


def stamp(path: Path, revision: str) -> None:
    """Make the archive say that it has another layout."""
    connection = sqlite3.connect(path)
    connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
    connection.commit()
    connection.close()


def test_an_archive_of_a_newer_version(path: Path) -> None:
    Archive.open(path).close()
    stamp(path, "0999")
    for attempt in (Archive.open, Archive.migrate):
        with pytest.raises(ArchiveError) as error:
            attempt(path)
        message = str(error.value)
        assert message.startswith(f"archive {path} was written by a newer Kernelmill (layout 0999")
        assert "upgrade Kernelmill" in message
        assert "\n" not in message


def test_an_archive_of_an_older_version_names_the_command(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("db.schema.REVISIONS", ("0000", HEAD))
    message = refusal("0000", "a.db")
    assert message is not None
    assert "kernelmill archive migrate --archive a.db" in message
    assert refusal(HEAD, "a.db") is None


def test_an_archive_of_the_first_layout_is_migrated(path: Path) -> None:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    with create_engine(f"sqlite:///{path}").begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
    with pytest.raises(ArchiveError, match="kernelmill archive migrate"):
        Archive.open(path)
    old = sqlite3.connect(path)
    old.execute("INSERT INTO model_call (campaign_id, model, seconds, created) VALUES (1,'m',1,0)")
    old.commit()
    old.close()
    done = Archive.migrate(path)
    assert (done.before, done.after) == ("0001", HEAD)
    migrated = sqlite3.connect(path)
    assert migrated.execute("SELECT model, state FROM model_call").fetchall() == [
        ("m", "concluded")
    ]
    migrated.close()
    Archive.open(path).close()


def test_migrating_a_current_archive_changes_nothing(archive: Archive, path: Path) -> None:
    record = campaign(archive)
    done = Archive.migrate(path)
    assert (done.archive, done.before, done.after) == (str(path), HEAD, HEAD)
    assert archive.load_campaign(record.id).record == record_at(archive, record.id)


def record_at(archive: Archive, campaign_id: int) -> object:
    """The campaign's record as it is now."""
    return archive.load_campaign(campaign_id).record


def test_an_empty_file_becomes_an_archive(path: Path) -> None:
    path.touch()
    done = Archive.migrate(path)
    assert (done.before, done.after) == (None, HEAD)


def test_somebody_elses_database_is_left_alone(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE invoice (id INTEGER)")
    connection.commit()
    connection.close()
    for attempt in (Archive.open, Archive.migrate):
        with pytest.raises(ArchiveError, match="not a Kernelmill archive"):
            attempt(path)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("invoice",)]
    connection.close()


def test_opening_loads_no_more_than_it_needs(archive: Archive, path: Path) -> None:
    program = (
        "import sys, db.location, db.errors, db.records, agent.cli.archive\n"
        "assert 'sqlalchemy' not in sys.modules\n"
        "from db.archive import Archive\n"
        f"Archive.open({str(path)!r}).close()\n"
        "assert 'alembic' not in sys.modules\n"
        "assert not {'torch', 'numpy'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True)


def test_where_the_archive_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("KERNELMILL_ARCHIVE", raising=False)
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    assert default_location() == f"{tmp_path}/.local/share/kernelmill/archive.db"
    monkeypatch.setenv("XDG_DATA_HOME", "/data")
    assert default_location() == "/data/kernelmill/archive.db"
    monkeypatch.setenv("KERNELMILL_ARCHIVE", "/elsewhere.db")
    assert default_location() == "/elsewhere.db"


@pytest.mark.parametrize("revision", REVISIONS[:-1])
def test_an_archive_of_an_earlier_layout_is_brought_up(revision: str, path: Path) -> None:
    script = (Path(__file__).parent / "layouts" / f"{revision}.sql").read_text(encoding="utf-8")
    connection = sqlite3.connect(path)
    connection.executescript(script)
    connection.close()
    with pytest.raises(ArchiveError, match="kernelmill archive migrate"):
        Archive.open(path)
    done = Archive.migrate(path)
    assert (done.before, done.after) == (revision, HEAD)
    with create_engine(f"sqlite:///{path}").connect() as opened:
        context = MigrationContext.configure(opened, opts={"compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []
    with Archive.open(path) as archive:
        state = archive.load_campaign(1)
        assert [p.candidate for p in state.proposals] == [kernel(n) for n in range(3)]
        assert [p.evaluation for p in state.proposals] == [
            judged(kernel(0), 1.0),
            judged(kernel(1), 2.0),
            refused(kernel(2)),
        ]
        assert [row.candidate for row in archive.top()] == [kernel(1).digest, kernel(0).digest]
        counts = {c.outcome: c.count for c in archive.outcomes()}
        assert counts == {"ok": 2, refused(kernel(2)).outcome: 1}
        assert archive.verify().faults == ()
