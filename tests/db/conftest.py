"""An archive in a file of its own for each test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from db.archive import Archive


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Where the archive is, or will be."""
    return tmp_path / "archive.db"


@pytest.fixture
def archive(path: Path) -> Iterator[Archive]:
    """An open, empty archive at `path`."""
    with Archive.open(path, busy_seconds=0.2) as opened:
        yield opened
