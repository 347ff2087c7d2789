"""The loop that most likely takes the time, from listings of real kernels and made-up ones."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from evaluator.artefact import profile
from evaluator.hot_loop import MOST_LINES, TOP, hottest, innermost, listing, most_frequent, parsed

NESTED = """
    1000:\txor    %eax,%eax
    1002:\tvmovups (%rdi,%rax,4),%zmm0
    1004:\tvmulps %zmm0,%zmm1,%zmm2
    1008:\tvmulps %zmm2,%zmm1,%zmm2
    100c:\tadd    $0x10,%rax
    1010:\tcmp    %rax,%rdx
    1014:\tjne    1002 <kernel+0x2>
    1016:\tmulss  %xmm0,%xmm1
    101a:\tdec    %rcx
    101e:\tjne    1016 <kernel+0x16>
    1020:\tinc    %rsi
    1024:\tjne    1000 <kernel>
    1026:\tret
"""
SUM = """
extern "C" float kernel(const float* x, const float* y, long rows, long cols) {
    float total = 0;
    for (long i = 0; i < rows; i++) {
        if (x[i] < 0) total -= 1;
        for (long j = 0; j < cols; j++) total += x[i] * y[j];
    }
    return total;
}
"""


def test_loops_that_hold_others_are_not_innermost() -> None:
    loops = innermost(parsed(NESTED))
    assert [(loop[0].address, loop[-1].address) for loop in loops] == [
        ("1002", "1014"),
        ("1016", "101e"),
    ]


def test_the_one_with_the_most_arithmetic_counts() -> None:
    text = listing(hottest([parsed(NESTED)]))
    assert text.splitlines()[0].split() == ["vmovups", "(%rdi,%rax,4),%zmm0"]
    assert text.splitlines()[-1].split() == ["jne", TOP]
    assert most_frequent(text, 2) == "2 vmulps zmm, 1 vmovups zmm"


def test_where_there_is_no_loop() -> None:
    assert listing(hottest([parsed("    1000:\tret\n")])) == ""
    assert listing(hottest([])) == ""
    assert most_frequent("") == ""


def test_jumps_elsewhere_make_no_loop() -> None:
    assert innermost(parsed("    1000:\tjmp    1010 <a>\n    1004:\tjne    900 <b>\n")) == []
    assert innermost(parsed("    1000:\tjmp    *%rax\n")) == []


def test_long_loops_are_cut() -> None:
    rows = [f"    {4096 + 4 * n:x}:\taddps  %xmm0,%xmm1" for n in range(200)]
    text = listing(hottest([parsed("\n".join([*rows, "    2000:\tjne    1000 <kernel>"]))]))
    assert len(text.splitlines()) == MOST_LINES + 1
    assert f"... {201 - MOST_LINES} more ..." in text
    assert text.endswith(TOP)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [(("-O1",), "mulss"), (("-O3", "-ffast-math", "-mavx2", "-mfma"), "fmadd")],
)
def test_of_a_real_kernel(tmp_path: Path, flags: tuple[str, ...], expected: str) -> None:
    (tmp_path / "kernel.cpp").write_text(SUM)
    made = tmp_path / "kernel.so"
    command = ["g++", "-fPIC", "-shared", *flags, "kernel.cpp", "-o", str(made)]
    subprocess.run(command, check=True, cwd=tmp_path)
    listed = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", str(made)],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    loop = str(profile(listed.stdout)["hot_loop"])
    assert expected in loop
    assert loop.splitlines()[-1].endswith(TOP)
