"""How much of the machine other processes took during a section: /proc/stat minus our own."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass

_TICK = 1.0 / os.sysconf("SC_CLK_TCK")
_CORES = os.cpu_count() or 1


@dataclass(frozen=True)
class _Reading:
    at: float
    busy: float
    ours: float


class ForeignLoad:
    """Measures the share of all cores that went to processes that are not ours.

    Args:
        sandboxed: CPU seconds used so far by the sandboxed programs of ours.

    /proc/stat counts in ticks of 10 ms: shares over sections shorter than about 50 ms are coarse.
    """

    def __init__(self, sandboxed: Callable[[], float]) -> None:
        self._sandboxed = sandboxed
        self._start = self._read()

    def restart(self) -> None:
        """Begin a section."""
        self._start = self._read()

    def share(self) -> float:
        """Foreign share of the machine's CPU time since the section began, 0 to 1."""
        now = self._read()
        capacity = (now.at - self._start.at) * _CORES
        foreign = (now.busy - self._start.busy) - (now.ours - self._start.ours)
        slack = 2 * _TICK  # one tick at each end may belong to anybody
        return min(1.0, max(0.0, foreign - slack) / capacity) if capacity > 0 else 0.0

    def _read(self) -> _Reading:
        with open("/proc/stat", encoding="ascii") as file:
            user, nice, system, _idle, _iowait, irq, softirq, steal = (
                int(f) for f in file.readline().split()[1:9]
            )
        busy = (user + nice + system + irq + softirq + steal) * _TICK
        return _Reading(time.monotonic(), busy, time.process_time() + self._sandboxed())
