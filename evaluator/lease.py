"""The machine-wide device lease: one timed section at a time, and no build beside it.

An advisory file lock that all campaigns on a machine share. Timing takes it alone, builds share it.
The kernel releases it when a process dies, however it dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Iterator
from pathlib import Path

LOCK_FOLDER = Path("/var/lock") if os.access("/var/lock", os.W_OK) else Path("/tmp")


class DeviceLease:
    """The lease of one device (`cpu`, later `cuda0`, ...); usable from several threads."""

    def __init__(self, device: str = "cpu", folder: Path = LOCK_FOLDER) -> None:
        self._path = folder / f"kernelmill-{device}.lock"
        self._threads = threading.RLock()
        self._depth = 0

    @contextlib.contextmanager
    def exclusive(self) -> Iterator[None]:
        """Hold the device alone: nothing of ours builds or times meanwhile. May be nested."""
        with self._threads:
            locked = self._locked(fcntl.LOCK_EX) if self._depth == 0 else contextlib.nullcontext()
            with locked:
                self._depth += 1
                try:
                    yield
                finally:
                    self._depth -= 1

    @contextlib.contextmanager
    def shared(self) -> Iterator[None]:
        """Use the cores beside other builds, but never beside a timed section."""
        with self._locked(fcntl.LOCK_SH):
            yield

    @contextlib.contextmanager
    def _locked(self, mode: int) -> Iterator[None]:
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
        try:
            with contextlib.suppress(PermissionError):
                os.fchmod(descriptor, 0o666)  # other users' campaigns share it
            fcntl.flock(descriptor, mode)
            yield
        finally:
            os.close(descriptor)
