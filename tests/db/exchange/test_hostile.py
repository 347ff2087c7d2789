"""Exports written by an enemy: refused whole, or stored as inert text."""

from __future__ import annotations

import gzip
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import zstandard

from db.archive import Archive
from db.errors import ArchiveError
from db.exchange import limits
from db.exchange.limits import BadRecords
from tests.db.samples import full_campaign, kernel

Lines = list[dict[str, Any]]


@pytest.fixture(scope="module")
def honest(tmp_path_factory: pytest.TempPathFactory) -> str:
    """An export that is as it should be."""
    folder: Path = tmp_path_factory.mktemp("honest")
    with Archive.open(folder / "archive.db") as archive:
        full_campaign(archive)
        archive.export(folder / "honest.jsonl")
    return (folder / "honest.jsonl").read_text()


@pytest.fixture
def lines(honest: str) -> Lines:
    """Its records, to be spoilt."""
    return [json.loads(line) for line in honest.splitlines()]


@pytest.fixture(scope="module")
def victim(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Archive]:
    """An empty archive that must stay so."""
    with Archive.open(tmp_path_factory.mktemp("victim") / "archive.db") as opened:
        yield opened


def first(lines: Lines, kind: str) -> dict[str, Any]:
    return next(line for line in lines if line["kind"] == kind)


def drop(lines: Lines, kind: str) -> None:
    lines.remove(first(lines, kind))


def change(of: str, /, **fields: object) -> Callable[[Lines], None]:
    return lambda lines: first(lines, of).update(fields)


SPOILT: dict[str, tuple[Callable[[Lines], object], str]] = {
    "no header": (lambda x: x.pop(0), "first record is not"),
    "two headers": (lambda x: x.insert(1, x[0]), "second beginning"),
    "newer format": (change("archive", format=2), "upgrade Kernelmill"),
    "cut short": (lambda x: x.pop(), "cut short"),
    "a record gone": (lambda x: drop(x, "lesson"), "cut short"),
    "more behind the end": (lambda x: x.append(x[1]), "after the end"),
    "out of order": (lambda x: x.insert(2, x[-2]), "comes too late|has not come before"),
    "doubled": (lambda x: x.insert(2, x[1]), "comes twice"),
    "unknown kind": (change("elite", kind="script"), "not a record"),
    "unknown field": (change("elite", run="rm -rf /"), "elite.run"),
    "missing field": (lambda x: first(x, "elite").pop("cell"), "elite.cell"),
    "a path for a name": (change("target", name="../../etc/passwd"), "target.name"),
    "an absolute name": (change("candidate", problem="/tmp/evil"), "candidate.problem"),
    "an escape sequence": (change("elite", cell="\x1b]0;gotcha\x07"), "elite.cell"),
    "another source": (change("candidate", source="int x;"), "digest is not that of its source"),
    "another spec": (change("problem", spec={}), "not the digest of its spec"),
    "another verdict": (change("evaluation", outcome="ok", improved=False), "id is not the digest"),
    "an unknown outcome": (
        lambda x: first(x, "evaluation").update(outcome="perfect", comparisons=[]),
        "id is not the digest",
    ),
    "another's evaluation": (change("proposal", evaluation="ab" * 32), "another candidate's"),
    "no such parent": (change("proposal", parents=["ab" * 32]), "has not come before"),
    "no such call": (change("proposal", call=7), "no call 7"),
    "an elite out of nowhere": (change("elite", campaign="ab" * 8), "never proposed"),
    "a number too large": (change("proposal", ordinal=1 << 40), "proposal.ordinal"),
    "before the epoch": (change("candidate", created="1492-10-12T00:00:00Z"), "candidate.created"),
    "rounds of two lengths": (
        lambda x: first(x, "evaluation")["comparisons"][0]["rounds"]["used"].pop(),
        "different lengths",
    ),
    "an unknown turn": (change("event", what="coup"), "event.what"),
    "a turn too early": (change("event", index=2), "out of order"),
    "a turn about no call": (change("event", call=7), "no call 7"),
    "not a number": (change("elite", score="fast"), "elite.score"),
    "Base64 of nothing": (change("candidate", exact="!"), "not Base64"),
}


@pytest.mark.parametrize("name", SPOILT)
def test_a_spoilt_export_is_refused_whole(
    lines: Lines, victim: Archive, tmp_path: Path, name: str
) -> None:
    spoil, message = SPOILT[name]
    spoil(lines)
    path = tmp_path / "spoilt.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with pytest.raises(BadRecords, match=message) as refusal:
        victim.take_in(path)
    assert "\n" not in str(refusal.value)
    assert "\x1b" not in str(refusal.value)
    assert victim.stats().imports == 0
    victim.export(tmp_path / "after.jsonl")
    assert len((tmp_path / "after.jsonl").read_text().splitlines()) == 2, "header and end alone"


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\x00\xff\xfe", "not a line of JSON"),
        (b"[" * 200_000, "not a line of JSON"),
        (b'{"kind": "elite", "score": NaN}', "NaN is not JSON"),
        (b"[]", "not a record"),
        (b'{"kind": ["archive"]}', "not a record"),
        (b"", "cut short"),
    ],
)
def test_what_is_no_record_at_all(
    archive: Archive, tmp_path: Path, content: bytes, message: str
) -> None:
    (tmp_path / "x.jsonl").write_bytes(content)
    with pytest.raises(BadRecords, match=message):
        archive.take_in(tmp_path / "x.jsonl")


def test_bombs(archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "UNSUSPICIOUS", 1 << 20)
    archive.export(tmp_path / "honest.jsonl")
    space = b" " * (16 << 20)
    bomb = (tmp_path / "honest.jsonl").read_bytes().splitlines()[0] + b"\n" + space
    (tmp_path / "x.jsonl.gz").write_bytes(gzip.compress(bomb))
    (tmp_path / "x.jsonl.zst").write_bytes(zstandard.ZstdCompressor().compress(bomb))
    for name in ("x.jsonl.zst", "x.jsonl.gz"):
        with pytest.raises(BadRecords, match="which no archive does"):
            archive.take_in(tmp_path / name)
    wide = zstandard.ZstdCompressionParameters.from_level(3, window_log=30)
    frame = zstandard.ZstdCompressor(compression_params=wide).compressobj(size=1 << 30)
    (tmp_path / "wide.jsonl.zst").write_bytes(
        frame.compress(space) + frame.flush(zstandard.COMPRESSOBJ_FLUSH_BLOCK)
    )
    with pytest.raises(BadRecords, match="damaged"):
        archive.take_in(tmp_path / "wide.jsonl.zst")


def test_a_record_without_end(
    archive: Archive, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("db.exchange.jsonl.MOST_LINE", 1 << 20)
    (tmp_path / "x.jsonl").write_bytes(b'{"kind": "' + b"x" * (3 << 20))
    with pytest.raises(BadRecords, match="a record of more than 1 MiB"):
        archive.take_in(tmp_path / "x.jsonl")


def test_neither_pipes_nor_links_out_of_a_folder(archive: Archive, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.jsonl")
    with pytest.raises(ArchiveError, match="not a file"):
        archive.take_in(tmp_path / "pipe.jsonl")
    pytest.importorskip("pyarrow")
    full_campaign(archive)
    archive.export(tmp_path / "tables")
    (tmp_path / "tables" / "elites.parquet").rename(tmp_path / "elsewhere")
    (tmp_path / "tables" / "elites.parquet").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(ArchiveError, match="cannot be read"):
        archive.take_in(tmp_path / "tables")


def test_damaged_tables(archive: Archive, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    full_campaign(archive)
    archive.export(tmp_path / "tables")
    elites = tmp_path / "tables" / "elites.parquet"
    honest = elites.read_bytes()
    for content, message in (
        (honest[:-9], "damaged"),
        (b"PAR1" * 9, "damaged"),
    ):
        elites.write_bytes(content)
        with pytest.raises(BadRecords, match=message):
            archive.take_in(tmp_path / "tables")
    parquet.write_table(pyarrow.table({"kind": ["elite"], "run": ["x"]}), elites)
    with pytest.raises(BadRecords, match="other columns"):
        archive.take_in(tmp_path / "tables")


def test_scripts_stay_text(lines: Lines, tmp_path: Path) -> None:
    script = "<script>alert(1)</script>\x1b[2J"
    first(lines, "proposal")["description"] = script
    first(lines, "call").update(prompt=script, completion="'; DROP TABLE candidate; --")
    path = tmp_path / "x.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    with Archive.open(tmp_path / "victim.db") as victim:
        victim.take_in(path)
        assert victim.load_campaign(1).proposals[0].description == script
        proposal = victim.show(kernel(2).digest).proposals[0]
        assert (proposal.prompt, proposal.completion) == (script, "'; DROP TABLE candidate; --")
