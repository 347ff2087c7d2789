"""Build kernels of the common signature with the real compiler and run them through ctypes."""

from __future__ import annotations

import ctypes
import hashlib
import os
import subprocess
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from evaluator import tunables

Array = NDArray[np.float32]
SHAPES = ((37, 53), (1, 1), (64, 96), (5, 300))


def build_all(folder: Path, sources: Iterable[str]) -> dict[str, Path | str]:
    """Build each source; a path, or the compiler's message where it refused."""
    distinct = list(dict.fromkeys(sources))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return dict(zip(distinct, pool.map(lambda s: _build(folder, s), distinct), strict=True))


def _build(folder: Path, source: str, values: Mapping[str, int] | None = None) -> Path | str:
    binding = tunables.validate(source, values or {})
    arguments = ["-O1", *tunables.flags(source), *tunables.macros(binding)]
    name = hashlib.sha256(" ".join([source, *arguments]).encode()).hexdigest()[:16]
    text, built = folder / f"{name}.cpp", folder / f"{name}.so"
    text.write_text(source)
    # Compiled and linked apart: linking with -ffast-math would make this very process flush
    # denormals to zero as soon as the result is loaded.
    unit = built.with_suffix(".o")
    base = ["g++", "-std=gnu++17", "-march=native", "-fopenmp", "-fPIC"]
    compiled = [*base, *arguments, "-c", str(text), "-o", str(unit)]
    linked = ["g++", "-shared", "-fopenmp", "-Wl,-z,defs", str(unit), "-o", str(built)]
    for command in (compiled, linked):
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            return done.stderr
    return built


def outputs(built: Path) -> list[Array]:
    """What a kernel writes for every shape; inputs are the same for all kernels."""
    library = ctypes.CDLL(str(built))
    results = []
    # Twice: what a kernel keeps from call to call must not change its results.
    for rows, cols in SHAPES + SHAPES:
        random = np.random.default_rng(7)
        a = random.random((rows, cols), dtype=np.float32)
        b = random.random((rows, cols), dtype=np.float32)
        size = max(rows, cols)
        a, b = _aligned(_padded(a, size)), _aligned(_padded(b, size))
        c = _aligned(np.zeros(size * size + 64, np.float32))
        pointers = [ctypes.c_void_p(x.ctypes.data) for x in (a, b, c)]
        library.kernel(*pointers, ctypes.c_int64(rows), ctypes.c_int64(cols))
        results.append(c)
    return results


def _padded(values: Array, size: int) -> Array:
    """Enough elements for kernels that read beyond rows x cols."""
    flat = np.zeros(size * size + 64, np.float32)
    flat[: values.size] = values.ravel()
    return flat


def _aligned(values: Array) -> Array:
    store = np.zeros(values.size + 16, np.float32)
    start = (-store.ctypes.data % 64) // 4
    view = store[start : start + values.size]
    view[:] = values
    return view
