"""What can go wrong with a file, said in one clear line, with the archive intact."""

from __future__ import annotations

import contextlib
import os
import sqlite3
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from db.archive import Archive
from db.errors import ArchiveError
from evaluator.candidate import Candidate
from tests.db.samples import campaign, judged, kernel, propose
from tests.db.test_crash import check_integrity, kill_after, start_writer


@contextlib.contextmanager
def write_lock(path: Path) -> Iterator[None]:
    """Another program is in the middle of a write."""
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


def test_a_locked_archive(archive: Archive, path: Path) -> None:
    record = campaign(archive)
    with write_lock(path):
        with pytest.raises(ArchiveError) as refusal:
            propose(archive, record.id, kernel(0))
        assert str(refusal.value).startswith(f"archive {path} is locked by another process")
        assert archive.load_campaign(record.id).proposals == ()  # reading needs no lock
    propose(archive, record.id, kernel(0))
    assert len(archive.load_campaign(record.id).proposals) == 1


def test_a_short_lock_is_waited_for(archive: Archive, path: Path) -> None:
    record = campaign(archive)
    with Archive.open(path, busy_seconds=30) as patient:
        with write_lock(path):
            waiting = threading.Thread(target=propose, args=(patient, record.id, kernel(0)))
            waiting.start()
            waiting.join(0.2)
            assert waiting.is_alive()
        waiting.join()
    assert len(archive.load_campaign(record.id).proposals) == 1


def test_two_processes_write_one_archive(path: Path) -> None:
    Archive.open(path).close()
    writers = [start_writer(path, 0), start_writer(path, 5000)]
    told = [kill_after(writer, 41) for writer in writers]
    with Archive.open(path) as archive:
        for lines in told:
            state = archive.load_campaign(int(lines[0][1]))
            settled = {p.candidate.digest for p in state.proposals if p.evaluation is not None}
            assert {digest for what, digest in lines if what == "evaluation"} <= settled
            assert [p.ordinal for p in state.proposals] == [
                i + 1 for i in range(len(state.proposals))
            ]
    check_integrity(path)


def test_two_processes_make_one_archive(path: Path) -> None:
    writers = [start_writer(path, first) for first in (0, 5000, 9000)]
    told = [kill_after(writer, 1) for writer in writers]
    assert sorted(int(lines[0][1]) for lines in told) == [1, 2, 3]


def test_no_space_left(tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    try:
        _fill(disk / "archive.db", disk / "ballast")
    finally:
        subprocess.run(["umount", str(disk)], check=True)


def _fill(path: Path, ballast: Path) -> None:
    with Archive.open(path) as archive:
        record = campaign(archive)
        disk = os.statvfs(path.parent)
        ballast.write_bytes(b"x" * max(0, disk.f_bavail * disk.f_frsize - 300_000))
        stored: list[Candidate] = []
        with pytest.raises(ArchiveError) as refusal:
            _write_without_end(archive, record.id, stored)
        assert str(refusal.value).startswith(f"no space left for archive {path}")
        before = archive.load_campaign(record.id).proposals
        assert stored
        assert [p.candidate for p in before][: len(stored)] == stored
        assert all(p.evaluation == judged(p.candidate) for p in before[: len(stored)])
    check_integrity(path)
    ballast.unlink()
    with Archive.open(path) as archive:  # with space again, it goes on
        propose(archive, record.id, kernel(20_000))
        assert len(archive.load_campaign(record.id).proposals) == len(before) + 1


def _write_without_end(archive: Archive, campaign_id: int, stored: list[Candidate]) -> None:
    for number in range(10_000):
        propose(archive, campaign_id, kernel(number))
        archive.record_evaluation(campaign_id, judged(kernel(number)))
        stored.append(kernel(number))


def test_a_read_only_archive(archive: Archive, path: Path) -> None:
    record = campaign(archive)
    with Archive.open(f"sqlite:///file:{path}?mode=ro&uri=true") as reader:
        assert reader.load_campaign(record.id).record.id == record.id
        with pytest.raises(ArchiveError, match="is read-only"):
            propose(reader, record.id, kernel(0))


@pytest.mark.parametrize("content", [b"#include <immintrin.h>\n" * 100, b"SQLite format 2\0"])
def test_another_kind_of_file(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(ArchiveError, match="is not a Kernelmill archive"):
        Archive.open(path)
    assert path.read_bytes() == content


def test_a_folder_in_the_way(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be opened"):
        Archive.open(tmp_path)
    (tmp_path / "file").touch()
    with pytest.raises(ArchiveError, match="its folder cannot be made"):
        Archive.open(tmp_path / "file" / "archive.db")


def test_no_archive_to_read(path: Path) -> None:
    with pytest.raises(ArchiveError, match="no archive at"):
        Archive.open(path, create=False)
    assert not path.exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://user:secret@host:port/db", "the archive's URL is not understood"),
        ("nosuch://user:secret@host/db", "no driver for nosuch"),
    ],
)
def test_urls_that_lead_nowhere(url: str, message: str) -> None:
    with pytest.raises(ArchiveError, match=message) as refusal:
        Archive.open(url)
    assert "secret" not in str(refusal.value)


def test_every_message_is_one_line(archive: Archive, path: Path) -> None:
    with write_lock(path), pytest.raises(ArchiveError) as refusal:
        campaign(archive)
    assert "\n" not in str(refusal.value)
    assert refusal.value.exit_code == 2
