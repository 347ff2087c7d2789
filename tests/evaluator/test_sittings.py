"""Intervals from sittings: quantiles as in the tables, coverage, power, and laws."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from evaluator.racing import CONFIRM_PAIRS, FEWEST_PAIRS, PAIR_ROUNDS, is_improvement
from evaluator.sittings import interval, lower_bound, noise, student, upper_bound

ESTIMATES = st.lists(st.floats(-1, 1), min_size=2, max_size=20)
TRIALS = 1000
TABLE = {(0.975, 1): 12.706, (0.975, 3): 3.182, (0.95, 5): 2.015, (0.975, 5): 2.571,
         (0.99, 3): 4.541, (0.995, 3): 5.841, (0.995, 7): 3.499, (0.975, 200): 1.972}  # fmt: skip


def confirmations(gain: float, between: float, within: float, pairs: int) -> NDArray[np.float64]:
    """Estimates of many confirmations, shape [trials, pairs]: processes differ by `between`, their
    rounds by `within` with heavy tails, one round in ten by anything."""
    rng = np.random.default_rng(7)
    shape = (TRIALS, pairs, PAIR_ROUNDS)
    rounds = within * rng.standard_t(3, shape)
    rounds += np.where(rng.random(shape) < 0.1, rng.normal(0, 10 * within, shape), 0.0)
    rounds += rng.normal(math.log(gain), between, (TRIALS, pairs, 1))
    return np.asarray(np.median(rounds, axis=2))


def test_quantiles_are_those_of_the_tables() -> None:
    found = {key: student(*key) for key in TABLE}
    assert found == pytest.approx(TABLE, rel=1e-3)


def test_noise_is_how_far_the_estimate_lies_from_equality() -> None:
    assert noise([0.02] * 8) == pytest.approx(math.expm1(0.02))
    assert noise([-0.02] * 8) == pytest.approx(math.expm1(0.02))
    assert noise([0.06, -0.06] * 4) == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize("pairs", [FEWEST_PAIRS, CONFIRM_PAIRS])
@pytest.mark.parametrize(("between", "within"), [(0.0, 0.02), (0.005, 0.01), (0.02, 0.005)])
def test_intervals_cover_the_truth_whatever_scatters(
    between: float, within: float, pairs: int
) -> None:
    found = [interval(e) for e in confirmations(1.05, between, within, pairs)]
    assert np.mean([i.low <= 1.05 <= i.high for i in found]) > 0.93


def test_one_spoilt_sitting_costs_little() -> None:
    estimates = confirmations(1.05, 0.005, 0.01, CONFIRM_PAIRS)
    estimates[:, 0] -= 0.5
    assert np.mean([is_improvement(list(e), 0.01) for e in estimates]) > 0.9


def test_planted_gains_are_confirmed() -> None:
    found = confirmations(1.05, 0.006, 0.015, CONFIRM_PAIRS)
    assert np.mean([is_improvement(list(e), 0.01) for e in found]) > 0.95


def test_a_kernel_is_no_improvement_over_itself() -> None:
    for between, within in ((0.0, 0.03), (0.006, 0.015), (0.03, 0.01)):
        found = confirmations(1.0, between, within, CONFIRM_PAIRS)
        assert np.mean([is_improvement(list(e), 0.01) for e in found]) <= 0.02


@given(ESTIMATES, st.floats(-1, 1))
def test_a_constant_factor_carries_over(estimates: list[float], shift: float) -> None:
    before, after = interval(estimates), interval([e + shift for e in estimates])
    for name in ("estimate", "low", "high"):
        expected = math.log(getattr(before, name)) + shift
        assert math.log(getattr(after, name)) == pytest.approx(expected, abs=1e-9)


@given(ESTIMATES)
def test_swapping_sides_inverts_the_interval(estimates: list[float]) -> None:
    forth, back = interval(estimates), interval([-e for e in estimates])
    assert math.log(forth.estimate) == pytest.approx(-math.log(back.estimate), abs=1e-12)
    assert math.log(forth.low) == pytest.approx(-math.log(back.high), abs=1e-9)


@given(ESTIMATES, st.floats(0.5, 0.98))
def test_more_confidence_means_wider(estimates: list[float], confidence: float) -> None:
    assert lower_bound(estimates, 0.99) <= lower_bound(estimates, confidence)
    assert upper_bound(estimates, 0.99) >= upper_bound(estimates, confidence)


def test_one_sitting_has_no_scatter() -> None:
    with pytest.raises(ValueError, match="one sitting"):
        interval([0.1])
