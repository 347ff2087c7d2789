"""Comparisons of real kernels: planted gains are found, equal kernels are equal, sides are fair."""

from __future__ import annotations

import pytest

from evaluator.candidate import Candidate
from evaluator.cascade import Evaluator
from evaluator.outcome import Outcome
from evaluator.verify import Refused
from tests.evaluator.small import softmax


def repeated(times: int) -> Candidate:
    """A softmax that does its work several times over."""
    body = f"for (int turn = 0; turn < {times}; turn++) {{ naive(x, y, rows, cols); BARRIER; }}"
    return softmax(body.replace("BARRIER", 'asm volatile("" ::: "memory")'))


TWICE, THRICE = repeated(2), repeated(3)
MARGIN = 1.12
"""A busy machine may shift a median by this much."""


def test_a_planted_gain_is_found_and_confirmed(evaluator: Evaluator) -> None:
    found = evaluator.evaluate(TWICE, None, THRICE, always_confirm=True)
    assert found.outcome is Outcome.OK, found.evidence
    assert found.improved
    speedup = found.speedup_over("incumbent")
    assert speedup is not None
    assert speedup.confirmed
    assert speedup.distinguishable
    assert speedup.interval.low / MARGIN < 1.5 < speedup.interval.high * MARGIN


def test_whoever_is_called_the_candidate(evaluator: Evaluator) -> None:
    with evaluator.workshop.lease.exclusive():
        forth, gain = evaluator.contest.confirmation(TWICE, THRICE, 0.0)
        back, loss = evaluator.contest.confirmation(THRICE, TWICE, 0.0)
    assert gain
    assert not loss
    there, again = forth.interval(), back.interval()
    assert 1 / MARGIN < there.estimate * again.estimate < MARGIN
    assert again.high < 1.0


def test_a_kernel_is_no_improvement_on_itself(evaluator: Evaluator) -> None:
    with evaluator.workshop.lease.exclusive():
        series, improved = evaluator.contest.confirmation(TWICE, TWICE, 0.0)
    assert not improved
    assert 1 / MARGIN < series.interval().estimate < MARGIN


@pytest.mark.parametrize("stale", [0.25, 4.0])
def test_what_was_known_of_a_kernels_speed_tips_no_scale(
    evaluator: Evaluator, stale: float
) -> None:
    contest = evaluator.contest
    with evaluator.workshop.lease.exclusive():
        seconds = contest.against_itself(TWICE, 2).median_seconds(0, "candidate")
        contest.learn(TWICE, {"64x1024": seconds * stale})
        twin = Candidate("softmax", "cpp", TWICE.source + "\n")
        contest.learn(twin, {"64x1024": seconds})
        series = contest.sittings(TWICE, twin, 1)
    assert all(t.calls["candidate"] == t.calls["incumbent"] for t in series.timed[0])


def test_a_kernel_alone_is_timed_and_audited(evaluator: Evaluator) -> None:
    found = evaluator.evaluate(repeated(4))
    assert found.outcome is Outcome.OK
    assert not found.speedups
    assert [c.other for c in found.comparisons] == ["itself"]
    assert found.comparisons[0].roofline is not None
    assert 0 < found.comparisons[0].roofline < 1.5
    assert evaluator.contest.seconds(repeated(4)).keys() == {"64x1024"}


def test_two_equal_liars_do_not_vouch_for_each_other(evaluator: Evaluator) -> None:
    lazy = """
        static int calls = 0;
        bool timed = rows == 64 && cols == 1024;
        naive(x, y, timed && ++calls > 12 ? 60 : rows, cols);
    """
    found = evaluator.evaluate(softmax(lazy))
    assert found.outcome is Outcome.INCORRECT
    assert found.evidence[0].rule == "timed-output"


def test_the_incumbents_failure_is_not_the_candidates(evaluator: Evaluator) -> None:
    broken = softmax("naive(x, y, rows, cols); if (cols == 1024) abort();")
    fine = softmax("naive(x, y, rows, cols); static volatile int seven; seven = 7;")
    found = evaluator.evaluate(fine, None, broken)
    assert found.outcome is Outcome.INFRA_ERROR
    assert found.evidence[0].message.startswith("the incumbent kernel failed: ended by signal 6")


def test_an_incumbent_that_does_not_build(evaluator: Evaluator) -> None:
    with pytest.raises(Refused) as caught:
        evaluator.contest.lane_of(softmax("syntax error"), "incumbent")
    assert caught.value.outcome is Outcome.BUILD_FAILED
    assert caught.value.label == "incumbent"


@pytest.mark.slow
def test_physics_ends_the_discussion(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluator.workshop, "floor", lambda workload: 1.0)
    body = "naive(x, y, rows, cols); static volatile int calls; calls = calls + 1;"
    found = evaluator.evaluate(softmax(body), None, TWICE)
    assert found.outcome is Outcome.TAMPERED
    assert found.evidence[0].rule == "roofline"
    assert "this hardware needs at least 1e+06 us" in found.evidence[0].message
