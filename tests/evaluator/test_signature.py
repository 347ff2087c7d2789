"""The generated header compiles for any signature, and the trampoline keeps parameter order."""

from __future__ import annotations

import ctypes
import shutil
import string
import subprocess
from pathlib import Path
from typing import Literal, get_args

import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from evaluator.errors import ProblemError
from evaluator.problem import DType, Problem, Role, Scalar, Tensor, Workload
from evaluator.signature import (
    C_TYPES,
    RESERVED,
    SCALAR_TYPES,
    header,
    parameters,
    prototype,
    trampoline,
)

needs_compiler = pytest.mark.skipif(shutil.which("g++") is None, reason="needs g++")
NAMES = st.text(string.ascii_lowercase + "_", min_size=1, max_size=6).filter(
    lambda name: name not in RESERVED and not name.startswith("__")
)
DTYPES = st.sampled_from(get_args(DType))
SCALAR_KINDS: st.SearchStrategy[Literal["float", "int64"]] = st.sampled_from(["float", "int64"])


def problem_of(
    inputs: tuple[Tensor, ...],
    outputs: tuple[Tensor, ...],
    scalars: tuple[Scalar, ...] = (),
    summary: str = "a test",
) -> Problem:
    """A problem that has only a signature."""
    axes = [a for t in (*inputs, *outputs) for a in t.axes if not a.isdecimal()]
    workload = Workload("w", dict.fromkeys(axes, 1), {s.name: 1 for s in scalars}, role=Role.TIME)
    return Problem(
        name="test",
        summary=summary,
        inputs=inputs,
        outputs=outputs,
        scalars=scalars,
        reference=torch.clone,
        workloads=(workload,),
        flops=lambda: 0,
        bytes=lambda: 0,
    )


@st.composite
def problems(draw: st.DrawFn) -> Problem:
    """Any signature: up to four tensors each way, three dimensions, three scalars."""
    names = draw(st.lists(NAMES, min_size=2, max_size=14, unique=True))
    dims, rest = names[: min(3, len(names) - 2)], names[min(3, len(names) - 2) :]
    axis = st.sampled_from([*dims, "1", "3", "16"])
    n_scalars = draw(st.integers(0, min(3, len(rest) - 2)))
    scalars = tuple(Scalar(n, draw(SCALAR_KINDS)) for n in rest[:n_scalars])
    tensors = [
        Tensor(n, " ".join(draw(st.lists(axis, max_size=4))), draw(DTYPES))
        for n in rest[n_scalars:]
    ]
    split = draw(st.integers(1, len(tensors) - 1))
    # Compilers read bytes: text that cannot be written as UTF-8 cannot reach them.
    summary = draw(st.text(st.characters(codec="utf-8"), max_size=30))
    return problem_of(tuple(tensors[:split]), tuple(tensors[split:]), scalars, summary)


def check_syntax(source: str) -> None:
    """Fail with the compiler's words unless it accepts the source without a warning."""
    command = ["g++", "-std=gnu++17", "-Wall", "-Wextra", "-Werror", "-fsyntax-only", "-xc++", "-"]
    # `#pragma once` warns in a main file only; candidates get the header by -include.
    source = source.replace("#pragma once\n", "")
    done = subprocess.run(command, input=source.encode(), capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()


@needs_compiler
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(problems())
def test_header_and_trampoline_compile_for_any_signature(problem: Problem) -> None:
    check_syntax(header(problem) + "\n" + trampoline(problem))


@given(problems())
def test_parameters_are_inputs_outputs_dimensions_scalars(problem: Problem) -> None:
    listed = parameters(problem)
    expected = [
        *(t.name for t in problem.inputs),
        *(t.name for t in problem.outputs),
        *problem.dims,
        *(s.name for s in problem.scalars),
    ]
    assert [p.name for p in listed] == expected
    assert [p.name for p in parameters(problem, "cuda")] == [*expected, "stream"]
    types = {p.name: p.type for p in listed}
    assert all(types[t.name] == f"const {C_TYPES[t.dtype]}*" for t in problem.inputs)
    assert all(types[t.name] == f"{C_TYPES[t.dtype]}*" for t in problem.outputs)
    assert all(types[d] == "int64_t" for d in problem.dims)
    assert all(types[s.name] == SCALAR_TYPES[s.dtype] for s in problem.scalars)


def test_prototypes_are_those_of_the_design() -> None:
    softmax = problem_of((Tensor("x", "rows cols"),), (Tensor("y", "rows cols"),))
    plain = 'extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols'
    assert prototype(softmax) == plain + ");"
    assert prototype(softmax, "cuda") == plain + ", cudaStream_t stream);"
    assert prototype(softmax, "triton") == "def kernel(x, y, rows, cols):"


def test_header_says_shapes_and_declares_half_types_only_where_used() -> None:
    half = problem_of((Tensor("a", "m k", "bfloat16"),), (Tensor("c", "m 3", "float32"),))
    text = header(half)
    assert "typedef uint16_t bf16_t;" in text
    assert "fp16_t" not in text
    assert "input [m, k]" in text
    assert "output [m, 3]" in text
    assert prototype(half) in text


def test_a_summary_cannot_leave_the_comment() -> None:
    tensors = (Tensor("x", "n"),), (Tensor("y", "n"),)
    text = header(problem_of(*tensors, summary="a */ int evil; /* b\n#error no"))
    assert text.count("*/") == text.count("/*") == 1
    assert "\n#error" not in text


@pytest.mark.parametrize("name", ["double", "int64_t", "linux", "stream", "__x", "_X", "größe"])
def test_names_that_cpp_cannot_take_are_refused(name: str) -> None:
    problem = problem_of((Tensor(name, "n"),), (Tensor("y", "n"),))
    with pytest.raises(ProblemError, match="cannot be a C\\+\\+ parameter name"):
        prototype(problem)


RECORDING_KERNEL = """
void kernel(const float* x, const int8_t* q, double* y, int64_t n, int64_t m,
            float eps, int64_t steps, float lo) {
    y[0] = x[0]; y[1] = q[0]; y[2] = double(n); y[3] = double(m);
    y[4] = eps; y[5] = double(steps); y[6] = lo;
}
"""


@needs_compiler
def test_trampoline_hands_every_argument_to_its_parameter(tmp_path: Path) -> None:
    problem = problem_of(
        (Tensor("x", "n"), Tensor("q", "m n", "int8")),
        (Tensor("y", "7", "float64"),),
        (Scalar("eps"), Scalar("steps", "int64"), Scalar("lo")),
    )
    (tmp_path / "problem.h").write_text(header(problem) + trampoline(problem))
    (tmp_path / "kernel.cpp").write_text(RECORDING_KERNEL)
    command = ["g++", "-shared", "-fPIC", "-fvisibility=hidden", "-include", "problem.h"]
    subprocess.run([*command, "kernel.cpp", "-o", "kernel.so"], cwd=tmp_path, check=True)

    x, q, y = (ctypes.c_float * 1)(1.5), (ctypes.c_int8 * 1)(-7), (ctypes.c_double * 7)()
    tensors = (ctypes.c_void_p * 3)(*(ctypes.addressof(a) for a in (x, q, y)))
    integers, floats = (ctypes.c_int64 * 3)(1 << 40, 3, -5), (ctypes.c_double * 2)(0.25, -2.0)
    ctypes.CDLL(str(tmp_path / "kernel.so")).kernelmill_call(tensors, integers, floats)
    assert list(y) == [1.5, -7.0, float(1 << 40), 3.0, 0.25, -5.0, -2.0]
