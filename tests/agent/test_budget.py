"""Budgets: what counts, and that the first bound that is reached ends the campaign."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.budget import Budget, Limits

bounds = st.builds(
    Limits,
    st.none() | st.integers(1, 50),
    st.none() | st.floats(0.1, 50),
    st.none() | st.floats(1.1, 50),
    st.none() | st.integers(1, 50),
)


class Clock:
    """Seconds that pass when told to."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def test_without_limits_it_never_ends() -> None:
    budget = Budget(Limits())
    for _ in range(1000):
        budget.spend(False)
    assert budget.left()
    assert (budget.evaluations_left, budget.seconds_left, budget.fraction) == (None, None, 0.0)


def test_evaluations() -> None:
    budget = Budget(Limits(evaluations=2))
    budget.spend(True, 1.5)
    assert budget.left()
    assert budget.fraction == 0.5
    budget.spend(False)
    assert budget.exhausted() == "all 2 evaluations are done"


def test_minutes_of_earlier_processes_count() -> None:
    clock = Clock()
    budget = Budget(Limits(minutes=2), spent_seconds=90, clock=clock)
    assert budget.seconds_left == pytest.approx(30)
    clock.now += 29
    assert budget.left()
    clock.now += 2
    assert budget.exhausted() == "the time of 2 minutes is used"
    assert budget.elapsed == pytest.approx(121)


def test_the_target_is_met_by_the_lower_end_of_a_confirmed_speedup() -> None:
    budget = Budget(Limits(target_speedup=3.0))
    budget.spend(True, 2.99)
    budget.spend(False, 9.0)
    assert budget.left()
    budget.spend(True, 3.0)
    assert budget.exhausted() == "the target speedup of 3x is reached"


def test_patience_begins_anew_with_every_improvement() -> None:
    budget = Budget(Limits(patience=2))
    for improved in (False, True, False):
        budget.spend(improved)
        assert budget.left()
    budget.spend(False)
    assert budget.exhausted() == "2 evaluations in a row brought no improvement"


steps = st.tuples(st.booleans(), st.floats(0.5, 60), st.floats(0, 60))


@given(bounds, st.lists(steps, max_size=40))
def test_what_is_used_up_stays_used_up(
    limits: Limits, course: list[tuple[bool, float, float]]
) -> None:
    clock = Clock()
    budget = Budget(limits, clock=clock)
    used = 0.0
    for improved, low, seconds in course:
        clock.now += seconds
        budget.spend(improved, low)
        assert used <= budget.fraction <= 1.0
        used = budget.fraction
        hard = budget.evaluations_left == 0 or budget.seconds_left == 0.0
        assert not (hard and budget.left())
        if limits.evaluations is not None:
            assert budget.evaluations_left == max(0, limits.evaluations - budget.evaluations)
