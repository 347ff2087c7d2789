"""Every rule on kernels it was not written for: the result builds and computes the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from agent.transform.engine import RULES, rewrites
from agent.transform.rewrite import Rewrite, Rule
from agent.transform.syntax import parse
from tests.agent.transform.kernels import SOURCES
from tests.agent.transform.native import build_all, outputs

BY_NAME = {rule.name: rule for rule in RULES}
FIRES: dict[str, tuple[str, ...]] = {
    "parallel-for": ("unit_rows", "gate", "outer_products"),
    "parallel-region": ("heat_swap", "rounds"),
    "static-partition": ("unit_rows", "gate"),
    "simd": ("unit_rows", "exponential_sums", "column_sums"),
    "ivdep": ("gate", "two_passes"),
    "restrict": ("gate", "scatter"),
    "assume-aligned": ("unit_rows", "running"),
    "tile": ("error_and_tangent", "heat_swap"),
    "time-tile": ("heat_swap", "heat_both"),
    "strip-mine": ("gate", "two_passes"),
    "interchange": ("outer_products", "column_sums", "error_and_tangent"),
    "unroll-and-jam": ("outer_products", "column_sums", "unit_rows", "running", "blurred"),
    "unroll": ("gate", "running"),
    "align-start": ("inner_points", "differences"),
    "split-accumulator": ("exponential_sums", "column_sums", "gather"),
    "fuse": ("two_passes", "unit_rows"),
    "fission": ("gate", "weighted_scatter"),
    "hoist-reciprocal": ("unit_rows", "differences"),
    "hoist-invariant": ("unit_rows", "scratch_rows"),
    "float-literals": ("unit_rows", "two_passes", "error_and_tangent"),
    "single-precision": ("unit_rows", "running_double"),
    "fast-functions": ("gate", "error_and_tangent", "exponential_sums"),
    "vector-math": ("gate", "exponential_sums"),
    "rsqrt": ("scratch_once", "inverse_roots"),
    "online-max-sum": ("exponential_sums", "partition"),
    "blocked-scan": ("running", "running_double"),
    "split-edges": ("blurred", "tapered"),
    "index-of-extremum": ("largest_places", "smallest_places"),
    "privatise": ("scatter", "weighted_scatter", "counts"),
    "stage-scatter": ("scatter", "counts"),
    "prefetch": ("outer_products", "gather"),
    "streaming-stores": ("gate", "scratch_rows"),
    "thread-local-scratch": ("scratch_rows", "scratch_once", "heat_copy", "added_rows"),
    "swap-buffers": ("heat_copy", "smooth_copy"),
    "parallel-copy": ("heat_swap", "rounds"),
    "flags": ("gate", "unit_rows"),
}
PER_KERNEL = 1


def applied(rule: Rule, kernel: str) -> list[Rewrite]:
    unit = parse(SOURCES[kernel])
    assert unit is not None
    return rewrites(rule, unit)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path | str]:
    """Every source of this module, built once, in parallel."""
    wanted = list(SOURCES.values())
    for name, kernels in FIRES.items():
        for kernel in kernels:
            wanted += [r.source for r in applied(BY_NAME[name], kernel)[:PER_KERNEL]]
    return build_all(tmp_path_factory.mktemp("built"), wanted)


def test_every_rule_is_listed() -> None:
    assert set(FIRES) == set(BY_NAME)
    assert len(RULES) == len(BY_NAME)
    assert all(rule.summary and "\n" not in rule.summary for rule in RULES)


@pytest.mark.parametrize(("name", "kernel"), [(n, k) for n, ks in FIRES.items() for k in ks])
def test_result_computes_the_same(name: str, kernel: str, built: dict[str, Path | str]) -> None:
    found = applied(BY_NAME[name], kernel)[:PER_KERNEL]
    assert found, f"{name} finds nothing in {kernel}"
    original = built[SOURCES[kernel]]
    assert isinstance(original, Path), original
    expected = outputs(original)
    for rewrite in found:
        child = built[rewrite.source]
        assert isinstance(child, Path), f"{rewrite.description}\n{child}\n{rewrite.source}"
        for want, got in zip(expected, outputs(child), strict=True):
            np.testing.assert_allclose(
                got, want, rtol=2e-4, atol=1e-5, err_msg=f"{rewrite.description}\n{rewrite.source}"
            )


@pytest.mark.parametrize(
    ("rule", "kernel", "var"),
    [
        ("parallel-for", "running_double", "i"),
        ("parallel-for", "running", "k"),
        ("parallel-for", "scatter", "i"),
        ("parallel-for", "heat_swap", "t"),
        ("parallel-for", "rounds", "round"),
        ("simd", "running", "k"),
        ("simd", "counts", "i"),
        ("interchange", "unit_rows", ""),
        ("blocked-scan", "gate", ""),
        ("privatise", "gate", ""),
        ("time-tile", "rounds", ""),
        ("fast-functions", "scatter", ""),
        ("swap-buffers", "heat_swap", ""),
        ("online-max-sum", "unit_rows", ""),
        ("index-of-extremum", "last_places", ""),
        ("split-edges", "gate", ""),
        ("split-edges", "scatter", ""),
        ("index-of-extremum", "partition", ""),
    ],
)
def test_rules_see_what_stands_in_the_way(rule: str, kernel: str, var: str) -> None:
    said = [r.description for r in applied(BY_NAME[rule], kernel)]
    assert [d for d in said if not var or f"over {var} " in d] == []
