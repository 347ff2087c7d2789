"""The machine-wide device lease: one timed section at a time, and no build beside it.

Advisory file locks that all campaigns on a machine share. Timing takes the device alone, builds
share it. Everybody passes a gate first and waits in it, so that a stream of short builds cannot
keep a timed section waiting for ever. The kernel releases the locks when a process dies, however it
dies.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

LOCK_FOLDER = Path("/var/lock") if os.access("/var/lock", os.W_OK) else Path("/tmp")


class DeviceLease:
    """The lease of one device (`cpu`, later `cuda0`, ...); usable from several threads.

    Attributes:
        on_wait: Called when somebody else holds the device and we must wait.
    """

    def __init__(self, device: str = "cpu", folder: Path = LOCK_FOLDER) -> None:
        self._device = folder / f"kernelmill-{device}.lock"
        self._gate = folder / f"kernelmill-{device}.gate"
        self._threads = threading.RLock()
        self._depth = 0
        self.on_wait: Callable[[], None] = lambda: None

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
        device = _open(self._device)
        try:
            gate = _open(self._gate)
            try:
                self._lock(gate, fcntl.LOCK_EX)
                self._lock(device, mode)
            finally:
                os.close(gate)
            yield
        finally:
            os.close(device)

    def _lock(self, descriptor: int, mode: int) -> None:
        try:
            fcntl.flock(descriptor, mode | fcntl.LOCK_NB)
        except BlockingIOError:
            self.on_wait()
            fcntl.flock(descriptor, mode)


def _open(path: Path) -> int:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    with contextlib.suppress(PermissionError):
        os.fchmod(descriptor, 0o666)  # other users' campaigns share it
    return descriptor
