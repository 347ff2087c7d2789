"""Parsing, edits, loops, and what a loop carries between iterations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.transform.dataflow import subscripts, unit_stride
from agent.transform.dependence import carried
from agent.transform.loops import loops
from agent.transform.syntax import Edit, Unit, apply, parse, tidy
from tests.agent.transform.kernels import SOURCES


def unit_of(body: str) -> Unit:
    unit = parse(f"void kernel(const float* x, float* y, int64_t n, float* z) {{ {body} }}")
    assert unit is not None
    return unit


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("int i = 0; i < n; ++i", ("int", "0", "n", "1")),
        ("int64_t i = 3; i <= n - 2; i++", ("int64_t", "3", "(n - 2) + 1", "1")),
        ("size_t i = n / 2; n > i; i += 4", ("size_t", "n / 2", "n", "4")),
        ("std::int64_t i = 0; i != n; i = i + 2", ("std::int64_t", "0", "n", "2")),
    ],
)
def test_canonical_loops(header: str, expected: tuple[str, str, str, str]) -> None:
    (loop,) = loops(unit_of(f"for ({header}) y[i] = 0;"))
    assert (loop.ctype, loop.lower, loop.upper, loop.step) == expected


@pytest.mark.parametrize(
    "header",
    ["int i = n; i > 0; --i", "float i = 0; i < n; ++i", "; n > 0; ", "int i = 0; i < n && y; ++i"],
)
def test_other_loops_are_left_alone(header: str) -> None:
    assert loops(unit_of(f"for ({header}) y[0] = 0;")) == []


@pytest.mark.parametrize(
    ("statement", "operator"),
    [
        ("s += x[i];", "+"),
        ("s -= x[i] * 2;", "+"),
        ("s = s + x[i];", "+"),
        ("s = x[i] * s;", "*"),
        ("s = std::max(s, x[i]);", "max"),
        ("s = fminf(x[i], s);", "min"),
        ("s = x[i] > s ? x[i] : s;", "max"),
        ("s = s < x[i] ? s : x[i];", "min"),
        ("if (x[i] > s) s = x[i];", "max"),
        ("if (s > x[i]) { s = x[i]; }", "min"),
        ("s += x[i]; y[i] = s;", None),
        ("s = x[i] - s;", None),
        ("if (x[i] > s) { s = x[i]; y[0] = i; }", None),
        ("s += s * x[i];", None),
        ("s += x[i]; s *= 2;", None),
    ],
)
def test_reductions(statement: str, operator: str | None) -> None:
    unit = unit_of(f"float s = 0; for (int i = 0; i < n; ++i) {{ {statement} }} y[0] = s;")
    assert carried(unit, loops(unit)[0]).reductions.get("s") == operator


@pytest.mark.parametrize(
    ("body", "independent"),
    [
        ("y[i] = x[i];", True),
        ("float* row = y + i * n; row[0] = 1;", True),
        ("float local[4]; local[i % 4] = 1; y[i] = local[0];", True),
        ("y[(int)x[i]] += 1;", False),
        ("float* slot = y + i % 4; slot[0] += 1;", False),
        ("y[i] = y[i - 1] + x[i];", False),
        ("y[0] = x[i];", False),
        ("std::swap(y, z);", False),
        ("if (x[i] > 0) break; y[i] = 1;", False),
        ("if (x[i] > 0) continue; y[i] = 1;", True),
        ("std::memcpy(y, x, 4); z[i] = 0;", False),
        ("std::memcpy(y + i * n, x, 4);", True),
    ],
)
def test_independence(body: str, independent: bool) -> None:
    unit = unit_of(f"for (int i = 0; i < n; ++i) {{ {body} }}")
    assert carried(unit, loops(unit)[0]).independent is independent


@pytest.mark.parametrize(
    ("index", "stride"),
    [("i", True), ("r * n + i", True), ("i * n + r", False), ("r", None), ("q[i]", False)],
)
def test_strides(index: str, stride: bool | None) -> None:
    unit = unit_of(f"for (int i = 0; i < n; ++i) y[{index}] = 1;")
    (element,) = (s for s in subscripts(unit, unit.body) if unit.text(s).startswith("y"))
    assert unit_stride(unit, element, "i") is stride


@pytest.mark.parametrize("name", SOURCES)
def test_tidy_changes_white_space_only_and_once(name: str) -> None:
    once = tidy(SOURCES[name])
    assert tidy(once) == once
    assert once.split() == SOURCES[name].split()


@given(st.text(max_size=60), st.lists(st.tuples(st.integers(0, 60), st.text(max_size=5))))
def test_insertions_leave_everything_else(text: str, inserted: list[tuple[int, str]]) -> None:
    data = text.encode("utf-8", "ignore").decode("utf-8", "ignore").encode("ascii", "replace")
    edits = [Edit(min(at, len(data)), min(at, len(data)), new) for at, new in inserted]
    safe = [e for e in edits if e.text.isprintable()]
    result = apply(data, safe)
    assert len(result) == len(data) + sum(len(e.text) for e in safe)


def test_overlapping_edits_are_refused() -> None:
    with pytest.raises(ValueError, match="overlap"):
        apply(b"abcdef", [Edit(0, 3, "x"), Edit(2, 4, "y")])
