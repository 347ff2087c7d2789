"""Laws of the estimates, and that decisions find what is there and nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evaluator.statistics import (
    RACE_ROUNDS,
    Decision,
    decide_race,
    geometric_mean,
    interval,
    lower_bound,
    upper_bound,
)

LOGS = st.lists(st.floats(-2, 2), min_size=1, max_size=80)
SHIFTS = st.floats(-1, 1)
TRIALS = 150


def rounds(gain: float, count: int, seed: int, noise: float = 0.05) -> list[float]:
    """Log-ratios of a noisy machine: heavy tails, one round in ten disturbed by anything."""
    rng = np.random.default_rng(seed)
    logs = math.log(gain) + noise * rng.standard_t(3, count)
    disturbed = rng.random(count) < 0.1
    return list(np.where(disturbed, logs + rng.normal(0, 0.5, count), logs))


def race(gain: float, seed: int) -> Decision:
    """Feed rounds one by one, as a race does."""
    found = rounds(gain, RACE_ROUNDS, seed)
    for n in range(1, RACE_ROUNDS + 1):
        if (decision := decide_race(found[:n])) is not Decision.CONTINUE:
            return decision
    raise AssertionError("a race must end with its last round")


@given(LOGS)
def test_an_interval_contains_its_estimate(logs: list[float]) -> None:
    found = interval(logs)
    assert found.low <= found.estimate <= found.high
    assert found.estimate == pytest.approx(math.exp(float(np.median(logs))))
    assert math.exp(min(logs)) * 0.999 <= found.low
    assert found.high <= math.exp(max(logs)) * 1.001


@given(LOGS, SHIFTS)
def test_a_constant_factor_carries_over(logs: list[float], shift: float) -> None:
    before, after = interval(logs), interval([v + shift for v in logs])
    factor = math.exp(shift)
    for name in ("estimate", "low", "high"):
        assert getattr(after, name) == pytest.approx(getattr(before, name) * factor, rel=1e-9)
    assert lower_bound([v + shift for v in logs]) == pytest.approx(lower_bound(logs) * factor)


@given(LOGS, st.lists(st.floats(0, 1), min_size=80, max_size=80))
def test_faster_rounds_never_lower_the_estimate(logs: list[float], gains: list[float]) -> None:
    faster = [v + g for v, g in zip(logs, gains, strict=False)]
    before, after = interval(logs), interval(faster)
    for name in ("estimate", "low", "high"):
        assert getattr(after, name) >= getattr(before, name) - 1e-12


@given(LOGS)
def test_swapping_sides_inverts_the_estimate(logs: list[float]) -> None:
    forth, back = interval(logs), interval([-v for v in logs])
    assert back.estimate == pytest.approx(1 / forth.estimate)


@given(LOGS, st.floats(0.5, 0.98))
def test_more_confidence_means_wider(logs: list[float], confidence: float) -> None:
    assert lower_bound(logs, 0.99) <= lower_bound(logs, confidence)
    assert upper_bound(logs, 0.99) >= upper_bound(logs, confidence)
    assert lower_bound(logs, confidence) <= upper_bound(logs, confidence)


@given(LOGS)
def test_the_same_rounds_give_the_same_interval(logs: list[float]) -> None:
    assert interval(logs) == interval(list(logs))


@given(st.lists(st.floats(-2, 2), max_size=RACE_ROUNDS - 1), st.floats(-2, 2))
def test_a_race_ends_in_time(logs: list[float], last: float) -> None:
    full = (logs + [last] * RACE_ROUNDS)[:RACE_ROUNDS]
    assert decide_race(full) is not Decision.CONTINUE
    assert decide_race(full[:1]) is Decision.CONTINUE


def test_intervals_cover_the_truth() -> None:
    found = [interval(rounds(1.3, 60, s)) for s in range(TRIALS)]
    assert np.mean([i.low <= 1.3 <= i.high for i in found]) > 0.9


def test_races_let_winners_through_and_stop_losers() -> None:
    winners = [race(1.3, s) for s in range(TRIALS)]
    losers = [race(0.7, s) for s in range(TRIALS)]
    assert winners.count(Decision.PROMISING) / TRIALS > 0.9
    assert losers.count(Decision.HOPELESS) == TRIALS


def test_a_clear_loser_needs_few_rounds() -> None:
    assert decide_race([math.log(0.5)] * 2) is Decision.HOPELESS
    assert decide_race([math.log(2.0)] * 4) is Decision.PROMISING


def test_without_rounds_there_is_no_estimate() -> None:
    with pytest.raises(ValueError, match="no rounds"):
        interval([])


@given(st.lists(st.floats(1e-3, 1e3), min_size=1, max_size=20), st.floats(0.1, 10))
def test_geometric_mean(values: list[float], factor: float) -> None:
    mean = geometric_mean(values)
    assert min(values) * 0.999999 <= mean <= max(values) * 1.000001
    assert geometric_mean([v * factor for v in values]) == pytest.approx(mean * factor)


@pytest.mark.parametrize("values", [[], [1.0, 0.0], [-1.0]])
def test_geometric_mean_of_what_has_none(values: list[float]) -> None:
    with pytest.raises(ValueError, match="positive"):
        geometric_mean(values)
