"""A tiny problem and an archive for each test; one build cache for all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.archive import Archive
from tests.agent.hurry import hurry
from tests.agent.tiny import write_problem


@pytest.fixture(autouse=True)
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """Campaigns here are not about figures."""
    hurry(monkeypatch.setattr)


@pytest.fixture
def folder(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The tiny problem; whatever runs it uses the shared cache."""
    monkeypatch.setenv("KERNELMILL_CACHE", str(cache))
    return write_problem(tmp_path)


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[Archive]:
    """An open, empty archive."""
    with Archive.open(tmp_path / "archive.db") as opened:
        yield opened
