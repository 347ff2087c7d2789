"""The polynomial helpers are as good as they claim, special values included."""

from __future__ import annotations

import ctypes
import math
import subprocess
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from agent.transform.rules.functions import HELPERS

Apply = Callable[[str, NDArray[np.float32]], NDArray[np.float32]]


@pytest.fixture(scope="module")
def helper(tmp_path_factory: pytest.TempPathFactory) -> Apply:
    folder = tmp_path_factory.mktemp("functions")
    loops = "".join(
        f'extern "C" void map_{name}(const float* x, float* y, long n) '
        f"{{ for (long i = 0; i < n; ++i) y[i] = {name}(x[i]); }}\n"
        for name in HELPERS
    )
    (folder / "f.cpp").write_text("".join(HELPERS.values()) + loops)
    command = ["g++", "-O3", "-march=native", "-fPIC", "-shared", "f.cpp", "-o", "f.so"]
    subprocess.run(command, cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "f.so"))

    def call(name: str, x: NDArray[np.float32]) -> NDArray[np.float32]:
        y = np.empty_like(x)
        pointers = (ctypes.c_void_p(x.ctypes.data), ctypes.c_void_p(y.ctypes.data))
        getattr(library, f"map_{name}")(*pointers, ctypes.c_long(x.size))
        return y

    return call


@pytest.mark.parametrize(
    ("name", "exact", "low", "high", "allowed"),
    [
        ("fast_expf", math.exp, -87.0, 88.7, 2.0),
        ("fast_erff", math.erf, -5.0, 5.0, 3.0),
        ("fast_tanhf", math.tanh, -12.0, 12.0, 6.0),
    ],
)
def test_units_in_the_last_place(
    helper: Apply, name: str, exact: Callable[[float], float], low: float, high: float,
    allowed: float,
) -> None:  # fmt: skip
    x = np.linspace(low, high, 200_001, dtype=np.float32)
    want = np.array([exact(float(v)) for v in x])
    error = np.abs(helper(name, x) - want) / np.spacing(np.abs(want).astype(np.float32))
    assert error.max() < allowed


def test_special_values(helper: Apply) -> None:
    x = np.array([-np.inf, np.inf, np.nan, 0.0, -200.0, 200.0, -1e38, -95.0], np.float32)
    y = helper("fast_expf", x)
    np.testing.assert_array_equal(y[:6], np.array([0, np.inf, np.nan, 1, 0, np.inf], np.float32))
    assert y[6] == 0
    assert y[7] == pytest.approx(math.exp(-95.0), rel=1e-3)
    signs = helper("fast_erff", np.array([-np.inf, np.inf, np.nan, 0.0], np.float32))
    np.testing.assert_array_equal(signs, np.array([-1, 1, np.nan, 0], np.float32))
