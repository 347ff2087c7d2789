"""Where the archive lives: `--archive`, else `KERNELMILL_ARCHIVE`, else the user's data folder."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "KERNELMILL_ARCHIVE"


def default_location() -> str:
    """`$KERNELMILL_ARCHIVE` if set, else `archive.db` in the XDG data folder of Kernelmill."""
    if named := os.environ.get(VARIABLE):
        return named
    data = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return str(Path(data) / "kernelmill" / "archive.db")


def is_url(location: str | Path) -> bool:
    """True for a database URL (`postgresql://...`, `sqlite:///...`), false for a file path."""
    return "://" in str(location)
