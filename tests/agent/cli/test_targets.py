"""`kernelmill targets`: this machine first, then what the archive knows."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.cli.app import app
from db.archive import Archive
from evaluator.lease import DeviceLease
from evaluator.roofline import calibrated
from evaluator.target import local_cpu

OTHER = "cpu-aarch64-64c-000000"


def targets(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["targets", *arguments])


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "archive.db"
    monkeypatch.setenv("KERNELMILL_ARCHIVE", str(path))
    return path


def test_this_machine_without_an_archive(archive: Path) -> None:
    (row,) = json.loads(targets("--json").stdout)
    assert row["target"] == local_cpu().name
    assert row["here"] is True
    assert row["cores"] == len(os.sched_getaffinity(0))
    text = targets()
    assert text.exit_code == 0
    assert f"target: {row['target']}" in text.stdout
    assert f"compiler: {row['compiler']}" in text.stdout
    assert not archive.exists()


def test_calibrated_rates_are_shown(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELMILL_CACHE", str(tmp_path))
    monkeypatch.setenv("KERNELMILL_ARCHIVE", str(tmp_path / "archive.db"))
    (row,) = json.loads(targets("--json").stdout)
    assert row["bandwidth"] is None
    measured = calibrated(local_cpu(), tmp_path, DeviceLease("test", tmp_path))
    (row,) = json.loads(targets("--json").stdout)
    assert row["bandwidth"].count("GB/s") == len(measured.bandwidth)
    assert "float32" in row["peak"]
    assert f"peak: {row['peak']}" in targets().stdout


def test_targets_of_the_archive_are_listed(archive: Path) -> None:
    with Archive.open(archive) as opened:
        opened.ensure_problem("softmax", {})
        opened.ensure_target(OTHER, {})
        for _ in range(2):
            opened.start_campaign("softmax", "cpp", OTHER, {}, 0, "")
    here, other = json.loads(targets("--json").stdout)
    assert (here["here"], here["campaigns"]) == (True, 0)
    assert (other["target"], other["here"], other["campaigns"]) == (OTHER, False, 2)
    assert targets("--csv").stdout.splitlines()[2].startswith(f"{OTHER},False,2,")
    assert OTHER in targets().stdout


def test_without_a_compiler(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("KERNELMILL_CXX", raising=False)
    result = targets()
    assert result.exit_code == 2
    assert "apt-get install g++" in result.stderr
    assert result.stderr.count("\n") == 1


def test_an_archive_that_was_named_must_be_there(tmp_path: Path) -> None:
    result = targets("--archive", str(tmp_path / "none.db"))
    assert result.exit_code == 2
    assert "no archive at" in result.stderr
