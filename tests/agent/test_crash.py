"""`kill -9` at any moment, then `resume`: no evaluation is lost, none is repeated."""

from __future__ import annotations

import json
import os
import random
import signal
import sqlite3
import subprocess
import threading
import time
from pathlib import Path

import pytest

from agent.questions import LOST
from db.archive import Archive
from db.records import CallState
from tests.agent.chat_server import Reply, Request, said, serving
from tests.agent.command import finish, start
from tests.agent.kernels import fenced, variant

EVALUATIONS = 3


def wait_for_rows(path: Path, table: str, count: int, process: subprocess.Popen[str]) -> None:
    """Until a table of the archive has so many rows, or the process has ended."""
    while process.poll() is None:
        try:
            connection = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
            (rows,) = connection.execute(f"select count(*) from {table}").fetchone()
            connection.close()
            if rows >= count:
                return
        except sqlite3.Error:
            pass  # not there yet
        time.sleep(0.005)


def judged(path: Path) -> dict[str, str]:
    """Outcome of every candidate that has one."""
    with Archive.open(path) as archive:
        proposals = archive.load_campaign(1).proposals
    return {p.candidate.digest: p.evaluation.outcome for p in proposals if p.evaluation}


def evaluation_rows(path: Path) -> list[int]:
    """Evaluations per candidate."""
    connection = sqlite3.connect(path)
    rows = connection.execute("select count(*) from evaluation group by candidate_id").fetchall()
    assert connection.execute("pragma integrity_check").fetchall() == [("ok",)]
    connection.close()
    return [count for (count,) in rows]


def arguments(folder: Path, path: Path, evaluations: int = EVALUATIONS) -> tuple[str, ...]:
    return ("optimize", str(folder), "--evaluations", str(evaluations), "--batch", "3",
            "--archive", str(path), "--no-baselines")  # fmt: skip


def kill_and_finish(
    folder: Path,
    cache: Path,
    path: Path,
    moments: list[tuple[str, int]],
    evaluations: int = EVALUATIONS,
    longest_wait: float = 0.3,
) -> None:
    rng = random.Random(len(moments))
    command = arguments(folder, path, evaluations)
    known: dict[str, str] = {}
    for table, rows in moments:
        process = start(cache, *command, hurried=True)
        wait_for_rows(path, table, rows, process)
        time.sleep(rng.uniform(0, longest_wait))
        process.send_signal(signal.SIGKILL)
        finish(process)
        now = judged(path)
        assert known.items() <= now.items()
        known = now
        command = ("resume", "1", "--archive", str(path), "--no-baselines")
    code, out, err = finish(start(cache, *command, "--json", hurried=True))
    assert code in (0, 1), err
    document = json.loads(out)
    assert document["status"] == "finished"
    assert document["evaluations"] == evaluations
    assert known.items() <= judged(path).items()
    with Archive.open(path) as archive:
        assert archive.load_campaign(1).pending == ()
    assert set(evaluation_rows(path)) == {1}


@pytest.mark.slow
def test_killed_between_evaluations(folder: Path, cache: Path, tmp_path: Path) -> None:
    kill_and_finish(folder, cache, tmp_path / "a.db", [("evaluation", 2)])


def test_killed_with_questions_in_flight_no_cost_is_forgotten(
    folder: Path, cache: Path, tmp_path: Path
) -> None:
    path, killed = tmp_path / "a.db", threading.Event()

    def script(number: int, request: Request) -> Reply:
        """The first three are not answered before the process is dead."""
        body = said(fenced(variant(number))).body
        return Reply(body, until=killed if number < 3 else None)

    with serving(script) as chat:
        process = start(cache, *arguments(folder, path, 3), "--base-url", chat.url, "--mix", "0",
                        "--in-flight", "3", hurried=True)  # fmt: skip
        while len(chat.requests) < 3 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        finish(process)
        killed.set()
        with Archive.open(path) as archive:
            before = archive.load_campaign(1)
        assert [c.state for c in before.calls] == [CallState.ASKED] * 3
        spent = before.spending.prompt_tokens + before.spending.completion_tokens
        assert spent >= 3 * 150  # what nobody told counts as expected
        resumed = start(cache, "resume", "1", "--archive", str(path), "--evaluations", "1",
                        "--no-baselines", hurried=True)  # fmt: skip
        code, _, err = finish(resumed)
        assert code in (0, 1), err
        with Archive.open(path) as archive:
            after = archive.load_campaign(1)
        assert len(after.calls) == len(chat.requests) > 3
        assert [c.figures.error for c in after.calls[:3]] == [LOST] * 3
        assert {c.state for c in after.calls} == {CallState.CONCLUDED}
        now = after.spending.prompt_tokens + after.spending.completion_tokens
        assert now >= spent + 150 * (len(chat.requests) - 3)
        assert after.record.status == "finished"
    assert set(evaluation_rows(path)) == {1}


@pytest.mark.slow
def test_killed_at_many_moments(folder: Path, cache: Path, tmp_path: Path) -> None:
    moments = [("campaign", 1), ("proposal", 1), ("evaluation", 1), ("proposal", 3),
               ("evaluation", 2), ("evaluation", 3)]  # fmt: skip
    kill_and_finish(folder, cache, tmp_path / "a.db", moments, evaluations=8, longest_wait=2.5)


@pytest.mark.slow
def test_the_first_interrupt_finishes_the_evaluation(
    folder: Path, cache: Path, tmp_path: Path
) -> None:
    path = tmp_path / "a.db"
    process = start(cache, *arguments(folder, path), hurried=True)
    wait_for_rows(path, "evaluation", 2, process)
    process.send_signal(signal.SIGINT)
    code, out, err = finish(process)
    assert code in (0, 1), err
    assert "finishing the running evaluation; Ctrl-C again stops at once" in err
    assert "stopped by the user" in out
    assert "kernelmill resume 1 --archive" in out
    with Archive.open(path) as archive:
        state = archive.load_campaign(1)
    assert state.record.status == "interrupted"
    assert 2 <= len(judged(path)) <= EVALUATIONS


def test_the_second_interrupt_stops_at_once(folder: Path, cache: Path, tmp_path: Path) -> None:
    path = tmp_path / "a.db"
    process = start(cache, *arguments(folder, path), hurried=True)
    wait_for_rows(path, "proposal", 1, process)
    process.send_signal(signal.SIGINT)
    assert process.stderr is not None
    assert "Ctrl-C again" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    code, _, err = finish(process)
    assert code == 130
    assert "kernelmill resume" in err
    assert set(evaluation_rows(path)) <= {1}


def test_a_full_disk_ends_it_in_one_line(folder: Path, cache: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("needs the right to mount a small disk")
    try:
        path = disk / "archive.db"
        process = start(cache, *arguments(folder, path), hurried=True)
        wait_for_rows(path, "evaluation", 1, process)
        (disk / "ballast").write_bytes(b"x" * _free(disk))
        code, _, err = finish(process)
        assert code == 2
        (line,) = err.splitlines()
        assert "no space left" in line
        (disk / "ballast").unlink()
        assert judged(path)
        assert set(evaluation_rows(path)) == {1}
    finally:
        subprocess.run(["umount", "--lazy", str(disk)], check=True)


def _free(disk: Path) -> int:
    status = os.statvfs(disk)
    return status.f_bavail * status.f_frsize
