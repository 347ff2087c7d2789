"""The error policy: any sane order of summation passes, fewer bits or lost terms do not."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from evaluator.distributions import draw
from evaluator.errors import ProblemError
from evaluator.numeric import (
    Expectation,
    Verdict,
    expectation,
    judge_output,
    limits,
    magnitudes,
    reference_outputs,
)
from evaluator.problem import DType, NumericPolicy, Precision, Problem, Role, Tensor, Workload


def row_sum(rows: int, cols: int, policy: NumericPolicy, dtype: DType = "float32") -> Problem:
    """y[i] = sum_j x[i,j]."""
    return Problem(
        name="row_sum",
        summary="",
        inputs=(Tensor("x", "rows cols", dtype),),
        outputs=(Tensor("y", "rows", dtype),),
        reference=lambda x: x.sum(dim=1),
        workloads=(Workload("w", {"rows": rows, "cols": cols}, role=Role.TIME),),
        flops=lambda rows, cols: rows * cols,
        bytes=lambda rows, cols: 4 * rows * cols,
        policy=policy,
    )


def scale(x: torch.Tensor, cols: int) -> torch.Tensor:
    return x.abs().sum(dim=1) * max(1.0, math.sqrt(cols) / 4)


SUM = NumericPolicy(magnitude=scale)


def expected_sum(x: torch.Tensor, policy: NumericPolicy = SUM) -> Expectation:
    problem = row_sum(x.shape[0], x.shape[1], policy)
    return expectation(problem, problem.workloads[0], {"x": x})


def verdict_of(expected: Expectation, y: torch.Tensor) -> Verdict:
    return judge_output(y, expected.expected["y"], expected.limit["y"])


def in_lanes(x: torch.Tensor, lanes: int) -> torch.Tensor:
    """Partial sums in `lanes` accumulators, added up at the end; float32 throughout."""
    partial = torch.zeros(x.shape[0], lanes)
    for start in range(0, x.shape[1], lanes):
        part = x[:, start : start + lanes]
        partial[:, : part.shape[1]] += part
    total = partial[:, 0].clone()
    for lane in range(1, lanes):
        total += partial[:, lane]
    return total


def pairwise(x: torch.Tensor) -> torch.Tensor:
    """A balanced tree of float32 additions."""
    while x.shape[1] > 1:
        if x.shape[1] % 2:
            x = torch.cat([x, torch.zeros(x.shape[0], 1)], dim=1)
        x = x[:, 0::2] + x[:, 1::2]
    return x[:, 0].clone()


ORDERS: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
    "sequential": lambda x: in_lanes(x, 1),
    "backwards": lambda x: in_lanes(x.flip(1), 1),
    "8 lanes": lambda x: in_lanes(x, 8),
    "16 lanes": lambda x: in_lanes(x, 16),
    "pairwise": pairwise,
}


@pytest.mark.parametrize("order", ORDERS)
@settings(max_examples=25, deadline=None)
@given(
    cols=st.integers(1, 600),
    name=st.sampled_from(["normal", "uniform", "constant", "alternating", "large_offset"]),
    seed=st.integers(0, 10**6),
)
def test_any_order_of_summation_passes(order: str, cols: int, name: str, seed: int) -> None:
    x = draw(name, (8, cols), "float32", torch.Generator().manual_seed(seed))
    verdict = verdict_of(expected_sum(x), ORDERS[order](x))
    assert verdict.passed, verdict


@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_a_long_sequential_sum_passes(name: str) -> None:
    x = draw(name, (16, 30000), "float32", torch.Generator().manual_seed(1))
    verdict = verdict_of(expected_sum(x), in_lanes(x, 1))
    assert verdict.passed
    assert verdict.max_error < 0.6, "with room to spare"


@settings(max_examples=30, deadline=None)
@given(cols=st.integers(2, 400), seed=st.integers(0, 10**6), form=st.sampled_from(["b", "h"]))
def test_rounded_inputs_fail(cols: int, seed: int, form: str) -> None:
    x = draw("normal", (64, cols), "float32", torch.Generator().manual_seed(seed))
    coarse = x.to(torch.bfloat16 if form == "b" else torch.float16).double().sum(dim=1).float()
    assert not verdict_of(expected_sum(x), coarse).passed


@settings(max_examples=30, deadline=None)
@given(cols=st.integers(2, 2000), seed=st.integers(0, 10**6))
def test_a_lost_term_fails(cols: int, seed: int) -> None:
    x = draw("normal", (16, cols), "float32", torch.Generator().manual_seed(seed))
    assert not verdict_of(expected_sum(x), x[:, 1:].sum(dim=1)).passed
    assert not verdict_of(expected_sum(x), x[:, : cols // 2].sum(dim=1)).passed


def test_verdict_says_where_and_by_how_much() -> None:
    x = torch.ones(7, 4)
    y = x.sum(dim=1)
    y[3] += 1.0
    y[5] = math.nan
    verdict = verdict_of(expected_sum(x), y)
    assert (verdict.passed, verdict.wrong, verdict.index) == (False, 2, (3,))
    assert (verdict.expected, verdict.got) == (4.0, 5.0)
    assert verdict.limit is not None
    assert 0 < verdict.limit < 1e-4
    assert verdict.max_error == math.inf


def elementwise(x: torch.Tensor, reference: Callable[..., torch.Tensor]) -> Expectation:
    """The expectation for y[rows, cols] = reference(x)."""
    problem = dataclasses.replace(
        row_sum(x.shape[0], x.shape[1], NumericPolicy(magnitude=lambda y: y.abs())),
        outputs=(Tensor("y", "rows cols"),),
        reference=reference,
    )
    return expectation(problem, problem.workloads[0], {"x": x})


@settings(max_examples=40, deadline=None)
@given(place=st.integers(0, 199), value=st.sampled_from([math.nan, math.inf, -math.inf]))
def test_special_values_must_agree_in_place_and_sign(place: int, value: float) -> None:
    x = torch.randn(10, 20, generator=torch.Generator().manual_seed(place))
    x.view(-1)[place] = value
    expected = elementwise(x, lambda x: 2 * x)
    assert verdict_of(expected, 2 * x).passed
    for other in (0.0, math.nan, math.inf, -math.inf):
        wrong = 2 * x
        wrong.view(-1)[place] = other
        same = other == value or (math.isnan(other) and math.isnan(value))
        assert verdict_of(expected, wrong).passed == same
        moved = 2 * x
        moved.view(-1)[(place + 1) % 200] = other
        assert not verdict_of(expected, moved).passed


def test_overflow_of_the_dtype_is_infinity() -> None:
    x = torch.full((1, 4), 3e38)
    expected = elementwise(x, lambda x: 2 * x)
    assert verdict_of(expected, torch.full((1, 4), math.inf)).passed
    assert not verdict_of(expected, torch.full((1, 4), -math.inf)).passed
    assert not verdict_of(expected, torch.full((1, 4), 3.4e38)).passed


def test_denormals_may_be_flushed_but_small_normals_may_not() -> None:
    tiny = torch.full((1, 4), 1e-39)
    assert verdict_of(elementwise(tiny, lambda x: x.clone()), torch.zeros(1, 4)).passed
    small = torch.full((1, 4), 1e-30)
    assert not verdict_of(elementwise(small, lambda x: x.clone()), torch.zeros(1, 4)).passed


def test_a_vector_math_library_passes_and_forty_units_fail() -> None:
    x = torch.rand(50, 40) + 1
    expected = elementwise(x, lambda x: x.exp())
    y = x.double().exp()
    assert verdict_of(expected, (y * (1 + 2.5 * 2.0**-23)).float()).passed
    assert not verdict_of(expected, (y * (1 + 40 * 2.0**-23)).float()).passed


def test_an_element_plain_gets_right_by_accident_is_not_judged_by_zero() -> None:
    x = torch.rand(1000, 30, generator=torch.Generator().manual_seed(2))
    expected = expected_sum(x)
    y = x.sum(dim=1)
    exact = y.double() == x.double().sum(dim=1).float().double()
    assert bool(exact.any())
    assert verdict_of(expected, torch.nextafter(y, torch.tensor(math.inf))).passed


def test_nothing_is_owed_where_plain_breaks_down() -> None:
    x = torch.full((1, 4), 1e30)
    expected = elementwise(x, lambda x: (x * x).sqrt())
    assert verdict_of(expected, torch.full((1, 4), math.inf)).passed
    assert verdict_of(expected, x).passed


def test_exact_is_equality() -> None:
    x = torch.arange(12.0).view(3, 4)
    expected = expected_sum(x, NumericPolicy(precision=Precision.EXACT))
    y = x.sum(dim=1)
    assert expected.limit["y"] is None
    assert verdict_of(expected, y) == Verdict(True, 0.0)
    off = verdict_of(expected, torch.nextafter(y, torch.tensor(math.inf)))
    assert (off.passed, off.wrong, off.index, off.max_error) == (False, 3, (0,), math.inf)


def test_mixed_allows_bfloat16_products() -> None:
    x = torch.randn(64, 100, generator=torch.Generator().manual_seed(3))
    coarse = x.to(torch.bfloat16).float().sum(dim=1)
    assert not verdict_of(expected_sum(x), coarse).passed
    mixed = NumericPolicy(precision=Precision.MIXED, magnitude=scale)
    assert verdict_of(expected_sum(x, mixed), coarse).passed


@pytest.mark.parametrize("dtype", ["float64", "float16", "bfloat16"])
def test_other_dtypes_have_their_own_unit(dtype: DType) -> None:
    kind: torch.dtype = getattr(torch, dtype)
    problem = row_sum(8, 50, SUM, dtype)
    x = torch.randn(8, 50, generator=torch.Generator().manual_seed(4)).to(kind)
    expected = expectation(problem, problem.workloads[0], {"x": x})
    assert verdict_of(expected, x.sum(dim=1)).passed
    assert not verdict_of(expected, x[:, 1:].sum(dim=1)).passed
    if dtype == "float64":
        assert not verdict_of(expected, x.float().sum(dim=1).double()).passed


def test_default_magnitude_is_the_largest_along_the_last_axis() -> None:
    problem = row_sum(2, 3, NumericPolicy())
    bound, x = problem.workloads[0], torch.tensor([[1.0, 2.0, -9.0], [0.5, 0.0, 0.0]])
    expected = reference_outputs(problem, bound, {"x": x}, "float64")
    found = magnitudes(problem, bound, {"x": x}, expected)
    assert found["y"].tolist() == [6.0]
    tolerance = limits(problem, expected, {"y": x.sum(dim=1)}, found)["y"]
    assert tolerance is not None
    assert tolerance.shape == (2,)
    assert float(tolerance[1]) == pytest.approx(8 * 6 * 2.0**-24)


def test_a_reference_that_breaks_the_signature_is_told() -> None:
    problem = dataclasses.replace(row_sum(2, 3, SUM), reference=lambda x: x.sum())
    with pytest.raises(ProblemError, match=r"torch.float64\[\] for 'y'; declared is float32\[2\]"):
        reference_outputs(problem, problem.workloads[0], {"x": torch.ones(2, 3)}, "float64")


def test_large_outputs_are_judged_in_chunks() -> None:
    count = (1 << 17) * 2 + 5
    x = torch.randn(count, 1, generator=torch.Generator().manual_seed(6))
    expected = expected_sum(x)
    y = x[:, 0].clone()
    assert verdict_of(expected, y).passed
    y[-1] += 1
    assert verdict_of(expected, y).index == (count - 1,)


def test_empty_outputs_pass_and_shapes_must_agree() -> None:
    none = torch.empty(0)
    assert judge_output(none, none, none).passed
    with pytest.raises(ValueError, match="against"):
        judge_output(torch.ones(2), torch.ones(3), torch.ones(3))
