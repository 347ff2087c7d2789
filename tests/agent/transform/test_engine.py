"""Chains, openings and tuning: deterministic, never the parent, never a broken text."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.transform.engine import _GROWTH, _LONG, Proposal, all_rewrites, propose
from agent.transform.openings import openings
from agent.transform.syntax import parse
from agent.transform.tuning import retune
from evaluator.catalogue import load, seed_source
from evaluator.tunables import declared, flags, validate
from tests.agent.transform.kernels import SOURCES
from tests.agent.transform.native import build_all

names = st.sampled_from(sorted(SOURCES))
WEIRD = {
    "empty": "",
    "text": "this is not a kernel",
    "python": "import triton\n\ndef kernel(x, y, n):\n    pass\n",
    "unclosed": 'extern "C" void kernel(float* x) { for (int i = 0; i < 3; ++i) {',
    "no kernel": "int main() { for (int i = 0; i < 3; ++i) { } }",
    "two kernels": "void kernel() {}\nvoid kernel(int x) {}",
    "null byte": "void kernel() { \0 }",
    "surrogate": "void kernel() { /* \ud800 */ }",
    "bad tunable": "// tunable: X = 1 in [2]\nvoid kernel(float* x, int n) { x[0] = n; }",
}
ODD = {
    "umlauts": "// größer\nvoid kernel(float* x, int n) { for (int i = 0; i < n; i++) x[i] = 1; }",
    "while": "void kernel(float* x, int n) { int i = 0; while (i < n) { x[i++] = 1.0; } }",
    "no body": "void kernel(float* x) {}",
    "lambda": "void kernel(float* x, int n) { auto f = [&](int i) { for (int j = 0; j < n; j++) "
    "x[i + j] = 0; }; for (int i = 0; i < n; i++) f(i); }",
    "macro loop": "#define N 4\nvoid kernel(float* x) { for (int i = 0; i < N; i++) x[i] = 1.0; }",
    "gotos": "void kernel(float* x, int n) { for (int i = 0; i < n; i++) { if (x[i] > 0) goto e; "
    "if (x[i] < -1) break; if (x[i] == 0) return; x[i] = 2; } e: x[0] = 1; }",
    "range for": "#include <vector>\nvoid kernel(float* x, int n) { std::vector<float> v(n); "
    "for (float& e : v) e = 1.0; for (int i = 0; i < n; i++) x[i] = v[i]; }",
    "crlf": "void kernel(float* x, int n) {\r\n for (int i = 0; i < n; i++) {\r\n x[i] = 1; }\r\n}",
    "comments": "void kernel(float* x, int n) { for (int i = 0; /* a */ i < n; i++) /* b */ { "
    "// c\n x[i] = 1; /* d\n } */ } }",
}


@pytest.mark.parametrize("source", WEIRD.values(), ids=WEIRD)
def test_nothing_to_do_in_what_is_no_kernel(source: str) -> None:
    assert all_rewrites(source) == []
    assert openings(source) == []
    assert propose(source, {}, random.Random(1)) is None


@pytest.mark.parametrize("source", [*ODD.values(), *SOURCES.values()], ids=[*ODD, *SOURCES])
def test_every_rewrite_parses_and_declares_properly(source: str) -> None:
    for rewrite in all_rewrites(source):
        assert rewrite.source != source
        assert parse(rewrite.source) is not None, rewrite
        assert validate(rewrite.source, {}) is not None
        assert rewrite.description


@settings(max_examples=60, deadline=None)
@given(names, st.integers(0, 2**32), st.integers(1, 4))
def test_chains_never_corrupt(name: str, seed: int, steps: int) -> None:
    source = SOURCES[name]
    child = propose(source, {}, random.Random(seed), steps=steps)
    assert child is not None
    assert child.source != source
    assert 1 <= len(child.rules) <= steps
    assert parse(child.source) is not None
    validate(child.source, child.tunables)
    again = propose(source, {}, random.Random(seed), steps=steps)
    assert again == child


@settings(max_examples=40, deadline=None)
@given(names, st.integers(0, 2**32))
def test_generations_keep_working(name: str, seed: int) -> None:
    rng = random.Random(seed)
    at = Proposal(SOURCES[name])
    for _ in range(3):
        child = propose(at.source, at.tunables, rng)
        if child is None:
            break
        tuned = retune(child.source, child.tunables, rng)
        assert tuned is not None
        assert (tuned.source, tuned.tunables) != (child.source, child.tunables)
        validate(tuned.source, tuned.tunables)
        flags(tuned.source)
        at = tuned


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=300))
def test_any_text_is_harmless(text: str) -> None:
    all_rewrites(text)
    openings(text)
    body = f"void kernel(float* x, int n) {{ {text} }}"
    all_rewrites(body)


@pytest.mark.parametrize("name", SOURCES)
def test_openings_are_distinct_and_repeatable(name: str) -> None:
    found = openings(SOURCES[name])
    assert found == openings(SOURCES[name])
    assert 2 <= len(found) <= 12
    assert len({p.source for p in found} | {SOURCES[name]}) == len(found) + 1


def test_a_batch_of_one_leaves_no_core_idle() -> None:
    of_images = openings(seed_source(load("conv2d"), "cpp"))
    assert sum("collapse(2)" in child.source for child in of_images) >= 2
    for name in ("bias_gelu", "swiglu", "softmax"):
        found = openings(seed_source(load(name), "cpp"))
        assert all("collapse" not in child.source for child in found), "it is for vectors"


@pytest.mark.slow
def test_openings_build(tmp_path: Path) -> None:
    chosen = [
        p
        for name in ("unit_rows", "outer_products", "heat_copy", "heat_swap", "scatter", "running")
        for p in openings(SOURCES[name])
    ]
    for source, outcome in build_all(tmp_path, [p.source for p in chosen]).items():
        assert isinstance(outcome, Path), f"{outcome}\n{source}"


def test_parents_tunables_are_inherited() -> None:
    blocked = propose(SOURCES["outer_products"], {}, random.Random(0), {"tile": 1e9}, steps=1)
    assert blocked is not None
    assert blocked.rules == ("tile",)
    tile = declared(blocked.source)[0]
    other = next(c for c in tile.choices if c != tile.default)
    child = propose(blocked.source, {tile.name: other, "GONE": 3}, random.Random(1))
    assert child is not None
    assert child.tunables == {tile.name: other}


def test_credit_decides() -> None:
    strong = {"restrict": 1e9}
    found = [propose(SOURCES["gate"], {}, random.Random(i), strong, steps=1) for i in range(10)]
    assert {p.rules for p in found if p is not None} == {("restrict",)}


def test_loops_blocked_in_one_another_do_not_bloat_a_source() -> None:
    source = seed_source(load("conv2d"), "cpp")
    rng = random.Random(5)
    for _ in range(40):
        child = propose(source, {}, rng, {"unroll-and-jam": 50.0, "tile": 20.0}, steps=1)
        if child is None:
            break
        assert len(child.source) <= max(_LONG, _GROWTH * len(source))
        source = child.source
    assert "JAM" in source
    long = source + "\n// a long file of the user's\n" * (2 * _LONG // 30)
    child = propose(long, {}, rng, steps=1)
    assert child is not None, "what a user wrote may be longer, and small changes go on"
