"""`kill -9` at any moment: all that was acknowledged is there, and nothing is half there."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from db.archive import Archive
from db.errors import ArchiveError
from tests.db.samples import TARGET, judged

ROOT = Path(__file__).parents[2]


def start_writer(path: Path, first: int) -> subprocess.Popen[str]:
    """A process that writes until it is killed."""
    command = [sys.executable, "-m", "tests.db.writer", str(path), str(first)]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def kill_after(writer: subprocess.Popen[str], lines: int) -> list[list[str]]:
    """Kill -9 after so many acknowledgements; returns all that were given."""
    assert writer.stdout is not None
    told = [writer.stdout.readline() for _ in range(lines)]
    writer.kill()
    told += writer.stdout.readlines()
    writer.wait()
    writer.stdout.close()
    return [line.split() for line in told if line.endswith("\n")]


def test_what_was_acknowledged_survives_kill_9(path: Path) -> None:
    for turn, lines in enumerate((1, 2, 17, 40, 75)):
        told = kill_after(start_writer(path, 1000 * turn), lines)
        campaign_id = int(told[0][1])
        with Archive.open(path) as archive:
            state = archive.load_campaign(campaign_id)
            proposed = [p.candidate.digest for p in state.proposals]
            settled = {p.candidate.digest for p in state.proposals if p.evaluation is not None}
            acknowledged = [digest for what, digest in told if what == "candidate"]
            assert proposed[: len(acknowledged)] == acknowledged
            assert len(proposed) - len(acknowledged) <= 1
            assert {digest for what, digest in told if what == "evaluation"} <= settled
            for proposal in state.proposals:  # never an evaluation without its measurements
                if proposal.evaluation is not None:
                    assert proposal.evaluation == judged(proposal.candidate)
            assert {e.candidate for e in state.elites} <= settled
            assert len(state.pending) <= 1
        check_integrity(path)


def test_a_campaign_goes_on_where_it_was_killed(path: Path) -> None:
    kill_after(start_writer(path, 0), 12)
    with Archive.open(path) as archive:
        last = archive.last_unfinished_campaign()
        assert last is not None
        state = archive.resume_campaign(last.id)
        for proposal in state.pending:
            archive.record_evaluation(last.id, judged(proposal.candidate))
        assert archive.load_campaign(last.id).pending == ()
        digest = state.proposals[0].candidate.digest
        assert archive.evaluation_of(digest, TARGET) == state.proposals[0].evaluation


@pytest.mark.parametrize("kept", [8, 4096])
def test_a_copy_cut_short_is_refused(path: Path, kept: int) -> None:
    Archive.open(path).close()
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ArchiveError, match=r"not a Kernelmill archive|damaged"):
        Archive.open(path)


def check_integrity(path: Path) -> None:
    """SQLite's own checks find nothing."""
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
    connection.close()
