"""Counting, checking, copying an archive, and letting go of what nobody will miss."""

from __future__ import annotations

import re
import sqlite3
import threading
from pathlib import Path

import pytest

from db.archive import Archive
from db.errors import ArchiveError
from tests.db.samples import campaign, full_campaign, judged, kernel, propose, refused
from tests.db.test_crash import check_integrity, kill_after, start_writer


def lines_of(archive: Archive, folder: Path, name: str) -> list[str]:
    """An export, but for when it was made."""
    archive.export(folder / name)
    return (folder / name).read_text().splitlines()[1:]


def test_counts(archive: Archive) -> None:
    full_campaign(archive)
    found = archive.stats()
    assert (found.candidates, found.evaluations, found.claims, found.calls) == (3, 4, 0, 1)
    assert found.stored_bytes > 0
    assert found.file_bytes is None or found.file_bytes > found.stored_bytes
    assert found.text_bytes > 0


@pytest.fixture
def failures(archive: Archive) -> Archive:
    """A seed, a failure with a good child (1, 2), a failure (3) with a failed child (4), and a
    failure (5) of a campaign that goes on."""
    for numbers in ((0, 1, 2, 3, 4), (5,)):
        record = campaign(archive)
        for number in numbers:
            parent = {2: 1, 4: 3}.get(number, 0)
            parents = () if number == numbers[0] else (kernel(parent).digest,)
            propose(archive, record.id, kernel(number), parents)
            found = judged if number in (0, 2) else refused
            archive.record_evaluation(record.id, found(kernel(number)))
    archive.finish_campaign(1, "finished")
    return archive


def test_garbage_is_dominated_failures_and_lineage_stays(failures: Archive, tmp_path: Path) -> None:
    before = failures.lineage(kernel(0).digest)
    asked = failures.collect_garbage(ask_only=True)
    assert (asked.candidates, asked.texts, asked.done) == (2, 2, False)
    assert failures.candidate(kernel(3).digest) == kernel(3)
    done = failures.collect_garbage()
    assert (done.candidates, done.texts, done.done) == (2, 2, True)
    assert failures.lineage(kernel(0).digest) == before
    for kept in (0, 1, 2, 5):
        assert failures.candidate(kernel(kept).digest) == kernel(kept)
    gone = failures.show(kernel(4).digest)
    assert "was collected as garbage" in gone.candidate.source
    assert gone.evaluations[0].evaluation == refused(kernel(4))
    assert failures.collect_garbage().texts == 0
    assert failures.verify().faults == ()
    assert failures.verify().collected == 2
    with Archive.open(tmp_path / "other.db") as other:
        lines = lines_of(failures, tmp_path, "a.jsonl")
        other.take_in(tmp_path / "a.jsonl")
        assert lines_of(other, tmp_path, "b.jsonl") == lines
        assert other.verify().faults == ()
        propose(other, campaign(other).id, kernel(4))
        assert other.candidate(kernel(4).digest) == kernel(4), "proposed again, it is back"


def test_prompts_and_completions_of_failures(archive: Archive) -> None:
    full_campaign(archive)
    assert archive.collect_garbage(calls=False).texts == 1
    assert archive.show(kernel(2).digest).proposals[0].prompt == "make it fast"
    assert archive.collect_garbage().texts == 2
    assert "collected as garbage" in (archive.show(kernel(2).digest).proposals[0].prompt or "")
    assert archive.load_campaign(1).spending.cost == 0.25


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        ("UPDATE blob SET data = x'00' WHERE id = 1", "cannot be unpacked"),
        (
            "UPDATE blob SET data = (SELECT data FROM blob WHERE id = 2) WHERE id = 1",
            "unpacked|digest",
        ),
        ("UPDATE candidate SET tunables = '{}' WHERE id = 1", "not what its digest says"),
        ("UPDATE problem SET spec = '{}'", "not what its digest says"),
        ("UPDATE evaluation SET findings = x'0100' WHERE id = 1", "cannot be unpacked"),
        ("UPDATE measurement SET rounds = x'05000000ff' WHERE id = 1", "cannot be unpacked"),
        ("UPDATE proposal SET candidate_id = 77 WHERE id = 3", "is not there"),
        ("UPDATE tally SET count = 7", "says 7, and there"),
        ("UPDATE proposal SET ordinal = 9 WHERE id = 3", "lacks proposals"),
        ("""UPDATE model_call SET parents = '["00"]'""", "parent 00 is gone"),
    ],
)
def test_damage_is_found(archive: Archive, path: Path, damage: str, message: str) -> None:
    full_campaign(archive)
    assert archive.verify().faults == ()
    connection = sqlite3.connect(path)
    connection.execute(damage)
    connection.commit()
    connection.close()
    faults = archive.verify().faults
    assert any(re.search(message, f.message) for f in faults), faults


def test_a_backup_while_somebody_writes(path: Path, tmp_path: Path) -> None:
    writer = start_writer(path, 0)
    assert writer.stdout is not None
    for _ in range(20):
        writer.stdout.readline()
    copy = tmp_path / "backups" / "copy.db"
    with Archive.open(path) as archive:
        assert archive.backup(copy) == copy.stat().st_size
        with pytest.raises(ArchiveError, match="is there already"):
            archive.backup(copy)
    kill_after(writer, 5)
    check_integrity(copy)
    assert sqlite3.connect(copy).execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with Archive.open(copy) as copied, Archive.open(path) as archive:
        assert copied.verify().faults == ()
        mine, theirs = (a.load_campaign(1).proposals for a in (copied, archive))
        assert mine[:-1] == theirs[: len(mine) - 1]
        assert 10 <= len(mine) <= len(theirs)
    assert [p.name for p in copy.parent.iterdir() if p.suffix not in (".db-shm", ".db-wal")] == [
        "copy.db"
    ]


def test_garbage_collection_beside_a_campaign(failures: Archive, place: str) -> None:
    def work() -> None:
        with Archive.open(place) as other:
            record = campaign(other)
            for number in range(3, 40):
                propose(other, record.id, kernel(number))
                other.record_evaluation(record.id, judged(kernel(number)))

    worker = threading.Thread(target=work)
    worker.start()
    with Archive.open(place) as patient:
        patient.collect_garbage(compact=False)
    worker.join()
    assert failures.verify().faults == ()
    assert failures.candidate(kernel(4).digest) == kernel(4)
