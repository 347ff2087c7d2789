"""Looking for processes on this machine by a word of their command line."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

PATIENCE = 30.0


def alive(word: str) -> list[int]:
    """Ids of processes that have `word` as an argument; zombies have none."""
    wanted, found = word.encode(), []
    for folder in Path("/proc").iterdir():
        if folder.name.isdecimal():
            try:
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
            except OSError:  # ended meanwhile
                continue
            if wanted in arguments:
                found.append(int(folder.name))
    return found


def comes_true(condition: Callable[[], bool]) -> bool:
    """Wait for a condition; False if it stays false."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.005)
    return True
