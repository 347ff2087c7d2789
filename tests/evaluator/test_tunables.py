"""Tunables and flags declared in comments, for every comment style."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.errors import SourceError
from evaluator.tunables import (
    ALLOWED_FLAGS,
    Tunable,
    declared,
    flags,
    macros,
    validate,
    with_flags,
    with_tunable,
    with_values,
)

CPP = '#include <cstdint>\nextern "C" void kernel() {}\n'
PYTHON = "import triton\n\ndef kernel(x, y, n):\n    pass\n"

names = st.from_regex(r"[A-Z][A-Z0-9_]{0,8}", fullmatch=True)
choices = st.lists(st.integers(-1000, 100_000), min_size=1, max_size=8, unique=True)


@st.composite
def tunables(draw: st.DrawFn) -> Tunable:
    values = draw(choices)
    return Tunable(draw(names), draw(st.sampled_from(values)), tuple(values))


several = st.lists(tunables(), max_size=5, unique_by=lambda t: t.name)
flag_sets = st.lists(st.sampled_from(ALLOWED_FLAGS), max_size=6, unique=True)


@given(several, st.sampled_from([CPP, PYTHON]))
def test_what_is_declared_is_read_back(wanted: list[Tunable], source: str) -> None:
    for tunable in wanted:
        source = with_tunable(source, tunable)
    assert set(declared(source)) == set(wanted)


@given(flag_sets, flag_sets, st.sampled_from([CPP, PYTHON]))
def test_flags_are_replaced_whole(first: list[str], second: list[str], source: str) -> None:
    once = with_flags(source, first)
    assert flags(once) == tuple(first)
    assert flags(with_flags(once, second)) == tuple(second)
    assert with_flags(once, ()) == source


@given(several, st.data())
def test_validate_completes_a_binding(wanted: list[Tunable], data: st.DataObject) -> None:
    source = CPP
    for tunable in wanted:
        source = with_tunable(source, tunable)
    moved = {t.name: data.draw(st.sampled_from(t.choices)) for t in wanted[::2]}
    binding = validate(source, moved)
    assert binding == {t.name: t.default for t in wanted} | moved
    assert macros(binding) == tuple(f"-D{n}={v}" for n, v in binding.items())


@given(st.text(max_size=200))
def test_any_text_is_read_or_refused(text: str) -> None:
    for source in (text, f"// tunable: {text}", f"# flags: {text}"):
        with contextlib.suppress(SourceError):
            assert isinstance(declared(source), tuple)
        with contextlib.suppress(SourceError):
            assert set(flags(source)) <= set(ALLOWED_FLAGS)


@pytest.mark.parametrize("mark", ["//", "#", "  //", "#  "])
def test_comment_styles(mark: str) -> None:
    source = f"{mark} tunable: TILE = 64 in [16, 32,64]\n{mark} flags: -O3  -ffast-math\n"
    assert declared(source) == (Tunable("TILE", 64, (16, 32, 64)),)
    assert flags(source) == ("-O3", "-ffast-math")


def test_python_sources_get_python_comments() -> None:
    source = with_flags(with_tunable(PYTHON, Tunable("BLOCK", 2, (1, 2))), ["-O3"])
    assert "# tunable: BLOCK = 2 in [1, 2]" in source.split("\n")
    compile(source, "kernel.py", "exec")


def test_prose_is_not_a_declaration() -> None:
    source = "// a tunable: see below\nint flags: 3;\n/* tunable: X = 1 in [1] */\n"
    assert declared(source) == ()
    assert flags(source) == ()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("// tunable: TILE", "line 2: cannot read tunable 'TILE'"),
        ("// tunable: TILE = 64", "write `tunable: TILE = 64 in [32, 64]`"),
        ("// tunable: TILE = 64 in []", "line 2: cannot read"),
        ("// tunable: TILE = 64 in [16, x]", "line 2: cannot read"),
        ("// tunable: 9T = 64 in [64]", "line 2: cannot read"),
        ("// tunable: TILE = 8 in [16, 32]", "line 2: default 8 of tunable 'TILE' is not one"),
        ("// tunable: TILE = 16 in [16, 16]", "line 2: tunable 'TILE' repeats a choice"),
        ("// tunable: A = 1 in [1]\n// tunable: A = 1 in [1]", "line 3: tunable 'A' is declared"),
        ("// flags: -ffastmath", "line 2: compiler flag '-ffastmath' is not allowed; the nearest"),
        ("// flags: -O3 -fplugin=evil.so", "line 2: compiler flag '-fplugin=evil.so'"),
    ],
)
def test_errors_name_the_line(line: str, said: str) -> None:
    read = flags if "flags:" in line else declared
    with pytest.raises(SourceError) as caught:
        read(f"// kernel\n{line}\n")
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_bindings_are_checked() -> None:
    source = with_tunable(CPP, Tunable("TILE", 64, (32, 64)))
    with pytest.raises(SourceError, match="no tunable 'TILES'; did you mean 'TILE'"):
        validate(source, {"TILES": 32})
    with pytest.raises(SourceError, match="'TILE' cannot be 48; choose one of 32, 64"):
        validate(source, {"TILE": 48})
    with pytest.raises(SourceError, match="declared: none"):
        validate(CPP, {"TILE": 64})
    with pytest.raises(SourceError, match="declared twice"):
        with_tunable(source, Tunable("TILE", 1, (1,)))


@pytest.mark.parametrize("flag", ["-o", "-I/", "-include", "@file", "-Wl,-z", "-specs=x", "-B."])
def test_flags_that_reach_outside_are_refused(flag: str) -> None:
    with pytest.raises(SourceError, match="not allowed"):
        with_flags(CPP, [flag])


def test_with_values_makes_the_chosen_values_the_defaults() -> None:
    source = "// tunable: TILE = 64 in [16, 32, 64]\n// tunable: U = -1 in [-1, 2]\nint x;\n"
    chosen = with_values(source, {"TILE": 16, "U": 2})
    assert {t.name: t.default for t in declared(chosen)} == {"TILE": 16, "U": 2}
    assert chosen.endswith("int x;\n")
