"""What the hardware could do: measured bandwidth per footprint and peak flop rates.

The roofline (Williams, Waterman and Patterson, "Roofline: an insightful visual performance model",
2009) bounds a kernel's time from below by the larger of its traffic over bandwidth and its
arithmetic over peak. Calibrated once per target and kept; the best of all runs counts.
"""

from __future__ import annotations

import bisect
import hashlib
import itertools
import json
import os
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from evaluator.errors import InfrastructureError
from evaluator.lease import DeviceLease
from evaluator.target import Target, compiler

SOURCE = Path(__file__).parent / "calibrate.cpp"
FLAGS = ("-std=gnu++17", "-O3", "-march=native", "-mprefer-vector-width=512", "-ffast-math",
         "-fopenmp")  # fmt: skip
RUNS = 2
ENOUGH_RUNS = 8
PLAUSIBLE = 0.6
"""A time below this fraction of the roofline time is impossible, not merely surprising: calibration
on a shared machine finds the peaks only to within a factor."""


@dataclass(frozen=True)
class Roofline:
    """Sustained rates of a target.

    Attributes:
        bandwidth: Bytes per second by footprint in bytes (best of read and copy, all cores).
        flops: Floating-point operations per second by dtype (a fused multiply-add counts two).
    """

    bandwidth: Mapping[int, float]
    flops: Mapping[str, float]

    def seconds(self, flops: int, nbytes: int, footprint: int, dtype: str = "float32") -> float:
        """Least time for some work whose data occupy `footprint` bytes of cache or memory."""
        return max(flops / self.flops[dtype], nbytes / self._rate(footprint))

    def floor(self, flops: int, nbytes: int) -> float:
        """A time nobody can beat: every byte from the fastest cache that could hold them."""
        return PLAUSIBLE * self.seconds(flops, nbytes, nbytes)

    def _rate(self, footprint: int) -> float:
        sizes = sorted(self.bandwidth)
        at = bisect.bisect_right(sizes, footprint)
        # the best rate of any footprint at least as large as the next smaller point
        swept = max(self.bandwidth[s] for s in sizes[max(0, at - 1) :])
        return max([swept, *self._partly_cached(sizes, footprint)])

    def _partly_cached(self, sizes: Sequence[int], footprint: int) -> Iterator[float]:
        """Rates if a part of the data is still in a cache. Calibration sweeps over all of them in
        one order and finds none of it there; calls in random order find as much as the cache holds,
        which is at most the point after the one that was read at its rate."""
        far = self.bandwidth[sizes[-1]]
        for size, larger in itertools.pairwise(sizes[:-1]):
            if larger <= footprint:
                near = larger / footprint
                yield 1.0 / (near / self.bandwidth[size] + (1.0 - near) / far)


def calibrated(target: Target, cache: Path, lease: DeviceLease) -> Roofline:
    """The target's roofline; measured now, and merged with what earlier runs found, until enough
    runs have been made. A run takes about a second; one beside other load finds too little.

    Raises:
        InfrastructureError: The calibration program does not compile or run.
    """
    known, runs = _read(_path(target, cache))
    return known if known and runs >= ENOUGH_RUNS else recalibrated(target, cache, lease)


def recalibrated(target: Target, cache: Path, lease: DeviceLease) -> Roofline:
    """Measure once more and keep the best of all runs.

    Raises:
        InfrastructureError: The calibration program does not compile or run.
    """
    with lease.exclusive():
        measured = _measure()
    path = _path(target, cache)
    known, runs = _read(path)
    best = _best([measured, *([known] if known else [])])
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(f".{os.getpid()}")
    partial.write_text(json.dumps({**_encode(best), "runs": runs + RUNS}))
    partial.rename(path)
    return best


def stored(target: Target, cache: Path) -> Roofline | None:
    """The target's roofline if it was calibrated before; the file is read where it has changed."""
    path = _path(target, cache)
    try:
        seen = path.stat()
    except OSError:
        return None
    return _seen(path, seen.st_mtime_ns, seen.st_size)


@lru_cache(maxsize=4)
def _seen(path: Path, written: int, size: int) -> Roofline | None:
    """The roofline in a file that was written then and is so large."""
    return _read(path)[0]


def _path(target: Target, cache: Path) -> Path:
    return cache / "roofline" / f"{target.fingerprint[:16]}-{_version()}.json"


@lru_cache(maxsize=1)
def _version() -> str:
    """Of the program that calibrates."""
    return hashlib.sha256(SOURCE.read_bytes()).hexdigest()[:8]


def _read(path: Path) -> tuple[Roofline | None, int]:
    try:
        facts = json.loads(path.read_text())
        return _decode(facts), int(facts.get("runs", RUNS))
    except (OSError, ValueError, KeyError):
        return None, 0


def _measure() -> Roofline:
    with tempfile.TemporaryDirectory(prefix="kernelmill-calibrate-") as folder:
        program = Path(folder) / "calibrate"
        _checked([compiler(), *FLAGS, str(SOURCE), "-o", str(program)])
        return _best([_decode(json.loads(_checked([str(program)]))) for _ in range(RUNS)])


def _best(runs: Sequence[Roofline]) -> Roofline:
    return Roofline(
        {size: max(r.bandwidth[size] for r in runs) for size in runs[0].bandwidth},
        {dtype: max(r.flops[dtype] for r in runs) for dtype in runs[0].flops},
    )


def _checked(argv: list[str]) -> str:
    environment = {**os.environ, "OMP_NUM_THREADS": str(len(os.sched_getaffinity(0)))}
    done = subprocess.run(argv, capture_output=True, text=True, check=False, env=environment)
    if done.returncode != 0:
        raise InfrastructureError(f"calibration failed: {done.stderr.strip()[:300]}")
    return done.stdout


def _decode(facts: Mapping[str, Mapping[str, float]]) -> Roofline:
    return Roofline({int(k): v for k, v in facts["bandwidth"].items()}, dict(facts["flops"]))


def _encode(roofline: Roofline) -> dict[str, dict[str, float]]:
    return {
        "bandwidth": {str(k): v for k, v in roofline.bandwidth.items()},
        "flops": dict(roofline.flops),
    }
