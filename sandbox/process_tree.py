"""Freezing and accounting by signals and /proc, for machines without writable control groups.

The tree is everything below the sandbox's first process. Inside a pid namespace orphans are adopted
by the namespace's own init, which is part of the tree, so nobody leaves it by double forking.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from pathlib import Path

from sandbox.provider import SandboxError

FREEZE_SECONDS = 5.0
_TICK = 1.0 / os.sysconf("SC_CLK_TCK")


def descendants(root: int) -> list[int]:
    """Process ids of `root` and everything below it, parents first."""
    found = [root]
    for pid in found:
        for task in _tasks(pid):
            with contextlib.suppress(OSError):
                found.extend(int(p) for p in (task / "children").read_text().split())
    return found


def freeze(root: int) -> None:
    """Stop the tree with SIGSTOP; repeats until no running member is left.

    Raises:
        SandboxError: A member kept running.
    """
    deadline = time.monotonic() + FREEZE_SECONDS
    while True:
        tree = descendants(root)
        for pid in tree[1:]:  # the first one is the provider's own supervisor
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGSTOP)
        if all(_stands_still(pid) for pid in tree[1:]) and descendants(root) == tree:
            return
        if time.monotonic() > deadline:
            raise SandboxError(f"the sandbox did not stand still within {FREEZE_SECONDS:g} s")


def thaw(root: int) -> None:
    """Continue the tree."""
    for pid in reversed(descendants(root)[1:]):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)


def cpu_seconds(root: int) -> float:
    """CPU time of the tree's living processes and their waited-for children (10 ms resolution)."""
    total = 0
    for pid in descendants(root):
        with contextlib.suppress(OSError, IndexError):
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            total += sum(int(f) for f in fields[11:15])
    return total * _TICK


def kill(root: int) -> None:
    """Kill the tree."""
    for pid in descendants(root):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _tasks(pid: int) -> list[Path]:
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except OSError:
        return []


def _stands_still(pid: int) -> bool:
    for task in _tasks(pid):
        with contextlib.suppress(OSError, IndexError):
            state = (task / "stat").read_text().rsplit(")", 1)[1].split()[0]
            if state not in ("T", "t", "Z", "X"):
                return False
    return True
