"""Memory traffic: a kernel that moves the data, what it touches, and when it says something."""

from __future__ import annotations

import ctypes
import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from evaluator import baseline, catalogue, traffic
from evaluator.baseline import best_variant
from evaluator.cascade import Evaluator
from evaluator.evaluation import TRAFFIC
from evaluator.signature import header
from evaluator.target import compiler
from tests.evaluator.small import seed

FLAGS = ("-std=gnu++17", "-O3", "-march=native", "-fopenmp", "-shared", "-fPIC", "-Wall", "-Werror")
MARK, LAST = 1 << 3, 1 << 40


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("softmax", True), ("gemv_int4", True), ("cg", True), ("embedding_bag", False),
    ],
)  # fmt: skip
def test_it_is_measured_where_a_kernel_owes_all_its_bytes_once(name: str, expected: bool) -> None:
    assert traffic.meaningful(catalogue.load(name)) is expected


@pytest.fixture(scope="module", params=range(4))
def argmax(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    problem, folder = catalogue.load("argmax"), tmp_path_factory.mktemp("traffic")
    (folder / "kernel.h").write_text(header(problem))
    (folder / "traffic.cpp").write_text(traffic.sources(problem)[request.param])
    built = folder / "traffic.so"
    command = [compiler(), *FLAGS, "-include", "kernel.h", "traffic.cpp", "-o", built.name]
    subprocess.run(command, cwd=folder, check=True)
    return built


def test_the_forms_differ() -> None:
    assert len(set(traffic.sources(catalogue.load("softmax")))) == 4


@pytest.mark.parametrize(("rows", "cols", "step"), [(40, 12, 1), (24, 4000, 97)])
def test_every_line_is_read_and_written(argmax: Path, rows: int, cols: int, step: int) -> None:
    program = f"""
import ctypes
kernel = ctypes.CDLL({str(argmax)!r}).kernel
def aligned(count):
    raw = (ctypes.c_uint64 * (count + 8))()
    return raw, (ctypes.c_uint64 * count).from_buffer(raw, -ctypes.addressof(raw) % 64)
for line in range(0, {rows * cols // 16}, {step}):
    kept, x = aligned({rows * cols // 2})
    also, out = aligned({rows} + 8)
    for i in range(len(out)): out[i] = 99
    x[8 * line] = {LAST}
    kernel(x, out, ctypes.c_int64({rows}), ctypes.c_int64({cols}))
    assert out[{rows} - 8] == {LAST}, (line, "not read")
    assert 99 not in [out[i] for i in range({rows})], (line, "not written")
    assert list(out[{rows}:]) == [99] * 8, (line, "beyond the output")
"""
    alone = {**os.environ, "OMP_NUM_THREADS": "1"}  # what one thread has read is what it writes
    subprocess.run([sys.executable, "-c", program], check=True, env=alone)


def test_outputs_of_less_than_a_line_are_written(argmax: Path) -> None:
    kernel = ctypes.CDLL(str(argmax)).kernel
    x, out = torch.full((1, 64), 0, dtype=torch.int32), torch.full((1,), -1)
    x[:] = MARK
    kernel(
        ctypes.c_void_p(x.data_ptr()), ctypes.c_void_p(out.data_ptr()),
        ctypes.c_int64(1), ctypes.c_int64(64),
    )  # fmt: skip
    assert out[0] & 0xFF in (0, MARK)


def test_it_is_timed_beside_the_kernel(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = baseline._ways
    monkeypatch.setattr(
        baseline, "_ways", lambda shop: [w for w in every(shop) if w.name == TRAFFIC]
    )
    found = evaluator.baselines(seed(evaluator.workshop.problem))
    (speedup,) = found.speedups
    assert speedup.other == TRAFFIC
    assert 0 < speedup.interval.low <= speedup.interval.estimate < 1, "less work than the seed"
    assert {c.other for c in found.comparisons} == {TRAFFIC}
    assert best_variant(found) is None
