"""Texts are stored once, and what resembles another takes little room."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from db.archive import Archive
from db.encoding import compress, decompress
from evaluator.candidate import Candidate
from tests.db.samples import campaign, propose


def source(lines: int, changed: int) -> Candidate:
    """A long source of which one line depends on `changed`."""
    text = "".join(f"    y[{i}] = x[{i * 7919 % 1000}] * {i * i}.5f;\n" for i in range(lines))
    return Candidate("softmax", "cpp", text + f"    y[0] = {changed};\n")


def test_children_take_little_room_and_come_back(archive: Archive, path: Path) -> None:
    record = campaign(archive)
    parents: tuple[str, ...] = ()
    for number in range(20):
        propose(archive, record.id, source(100, number), parents)
        parents = (source(100, number).digest,)
    for number in range(20):
        assert archive.candidate(source(100, number).digest) == source(100, number)
    state = archive.load_campaign(record.id)
    assert [p.candidate for p in state.proposals] == [source(100, n) for n in range(20)]
    connection = sqlite3.connect(path)
    sizes = [n for (n,) in connection.execute("SELECT length(data) FROM blob ORDER BY id")]
    depth = (
        "SELECT count(*) FROM blob b JOIN blob a ON b.base_id = a.id WHERE a.base_id IS NOT NULL"
    )
    assert connection.execute(depth).fetchone() == (0,)
    connection.close()
    assert max(sizes[1:]) < sizes[0] / 10


def test_a_child_unlike_its_parent_stands_alone(archive: Archive, path: Path) -> None:
    record = campaign(archive)
    propose(archive, record.id, source(50, 0))
    other = Candidate("softmax", "cpp", "int main;")
    propose(archive, record.id, other, (source(50, 0).digest,))
    assert archive.candidate(other.digest) == other


def test_equal_texts_are_one_blob(archive: Archive, path: Path) -> None:
    record = campaign(archive)
    for tile in (1, 2, 3):
        candidate = Candidate("softmax", "cpp", "same text", {"TILE": tile})
        propose(archive, record.id, candidate)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT count(*) FROM blob").fetchone() == (1,)
    connection.close()


@settings(deadline=None)
@given(st.binary(max_size=200), st.binary(max_size=200))
def test_frames_with_a_base(data: bytes, base: bytes) -> None:
    assert decompress(compress(data, base), base) == data
