"""Verification: each way to fail has its outcome, and evidence an author can act on."""

from __future__ import annotations

import contextlib
import dataclasses
from pathlib import Path

import pytest

from evaluator import verify
from evaluator.candidate import Candidate
from evaluator.cascade import Evaluator
from evaluator.evaluation import Evaluation, Evidence
from evaluator.outcome import Outcome
from evaluator.problem import Law, NumericPolicy
from sandbox.bubblewrap import Bubblewrap
from sandbox.client import Window
from tests.evaluator.small import seed, small, softmax


def stray(seconds: float) -> Window:
    return Window(1.0, 0.5, 0.0, seconds)


def only(evaluation: Evaluation) -> Evidence:
    assert len(evaluation.evidence) == 1
    return evaluation.evidence[0]


def test_the_seed_is_right_everywhere(evaluator: Evaluator) -> None:
    found = evaluator.verify_only(seed(evaluator.problem))
    assert found.outcome is Outcome.OK
    own = {w.name for w in evaluator.problem.workloads}
    checked = [c.workload for c in found.checks if not c.workload.startswith("generated(")]
    assert set(checked) == own
    assert all(c.passed and c.max_error is not None and c.max_error <= 1 for c in found.checks)
    assert checked[-1] == "64x1024", "the timed one is the last"
    assert not found.evidence
    assert not found.comparisons


def test_a_wrong_element_is_named(evaluator: Evaluator) -> None:
    body = "naive(x, y, rows, cols); if (rows == 31) y[5 * cols + 3] += 1.0f;"
    found = evaluator.verify_only(softmax(body))
    assert found.outcome is Outcome.INCORRECT
    evidence = only(found)
    assert (evidence.rule, evidence.workload) == ("numeric-policy", "31x127-uniform")
    assert evidence.details["output"] == "y"
    assert evidence.details["index"] == "5,3"
    assert evidence.details["wrong"] == 1
    got, expected = evidence.details["got"], evidence.details["expected"]
    assert isinstance(got, float)
    assert isinstance(expected, float)
    assert got == pytest.approx(expected + 1)
    failed = [c for c in found.checks if not c.passed]
    assert [c.workload for c in failed] == ["31x127-uniform"]
    assert failed[0].max_error is not None
    assert failed[0].max_error > 1


CRASHES = [
    ("*(volatile int*)nullptr = 1;", "signal 11", "out-of-bounds"),
    ("abort();", "signal 6", "on workload"),
    ("exit(0);", "exit(0)", "on workload"),
    ("exit(7);", "exit(7)", "on workload"),
    ("throw 1;", "signal 6", "throwing an instance of 'int'"),
    ('puts("last words"); fflush(stdout); __builtin_trap();', "signal 4", "last words"),
    ("longjmp(nowhere, 1);", "signal", "on workload"),
]


@pytest.mark.parametrize(("body", "how", "words"), CRASHES, ids=lambda v: str(v)[:12])
def test_a_crash_says_how(evaluator: Evaluator, body: str, how: str, words: str) -> None:
    before = "#include <csetjmp>\n#include <cstdio>\nstatic jmp_buf nowhere;"
    found = evaluator.verify_only(softmax(body, before))
    assert found.outcome is Outcome.CRASHED
    assert only(found).rule == "crash"
    assert f"ended by {how}" in only(found).message
    assert words in only(found).message


def test_an_endless_kernel_times_out(evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verify, "CHECK_TIMEOUT", 0.3)
    found = evaluator.verify_only(softmax("for (volatile int64_t i = 0;; i = i + 1) {}"))
    assert found.outcome is Outcome.TIMED_OUT
    assert only(found).message == "no answer in time on workload 1x1"


def test_too_much_memory(evaluator: Evaluator) -> None:
    body = "for (;;) std::memset(malloc(1 << 24), 1, 1 << 24);"
    found = evaluator.verify_only(softmax(body, "#include <cstring>"))
    assert found.outcome is Outcome.OUT_OF_MEMORY
    assert "exceeded its memory limit" in only(found).message


def test_words_on_the_channel(evaluator: Evaluator) -> None:
    body = '(void)!write(atoi(getenv("KERNELMILL_CHANNEL") + 3), "GET / HT", 8);'
    found = evaluator.verify_only(softmax(body, "#include <unistd.h>"))
    assert found.outcome is Outcome.TAMPERED
    assert only(found).rule == "channel"


def test_a_write_into_slack_names_the_slot(evaluator: Evaluator) -> None:
    # the slots that lie flush with the start of their page have room behind them
    body = """
        naive(x, y, rows, cols);
        if ((uintptr_t)y % 4096 == 0) ((char*)(y + rows * cols))[0] ^= 1;
    """
    found = evaluator.verify_only(softmax(body))
    assert found.outcome is Outcome.TAMPERED
    assert only(found).rule == "guard-bytes"
    assert "slot 1" in only(found).message


def test_answers_by_address_fail_because_sets_are_swapped(evaluator: Evaluator) -> None:
    body = """
        static std::map<const void*, std::vector<float>> answers;
        auto& known = answers[x];
        if ((int64_t)known.size() != rows * cols) {
            naive(x, y, rows, cols);
            known.assign(y, y + rows * cols);
        }
        std::copy(known.begin(), known.end(), y);
    """
    before = "#include <algorithm>\n#include <map>\n#include <vector>"
    assert evaluator.verify_only(softmax(body, before)).outcome is Outcome.INCORRECT


def test_a_broken_law_is_named(cache: Path) -> None:
    lenient = dataclasses.replace(
        small("softmax"),
        name="lenient",
        policy=NumericPolicy(factor=1e30),
        laws=(Law("rows sum to 1", lambda y: float((y.sum(1) - 1).abs().max()) * 1000),),
    )
    with Evaluator(lenient, Bubblewrap(), cache=cache) as evaluator:
        right = Candidate("lenient", "cpp", softmax("naive(x, y, rows, cols);").source)
        wrong = Candidate(
            "lenient", "cpp", softmax("naive(x, y, rows, cols); y[0] += 0.1f;").source
        )
        assert evaluator.verify_only(right).outcome is Outcome.OK
        found = evaluator.verify_only(wrong)
    assert found.outcome is Outcome.INCORRECT
    assert only(found).rule == "law"
    assert "rows sum to 1 (violation 100" in only(found).message


def test_a_law_with_a_second_call(evaluator: Evaluator) -> None:
    changed = [law for law in evaluator.problem.laws if law.transform is not None]
    assert changed, "softmax states that adding a constant changes nothing"
    found = evaluator.verify_only(softmax("naive(x, y, rows, cols);"))
    assert found.outcome is Outcome.OK


def test_work_while_frozen_is_reported_in_milliseconds() -> None:
    evidence = verify.stray_evidence(stray(0.0123))
    assert evidence.rule == "stray-cpu"
    assert "12.3 ms" in evidence.message


def test_short_stray_moments_are_forgiven_twice(evaluator: Evaluator) -> None:
    with contextlib.closing(evaluator.contest.lane_of(seed(evaluator.problem))) as lane:
        assert not verify.strayed(lane, stray(verify.STRAY_SECONDS / 2))
        found = [verify.strayed(lane, stray(0.004)) for _ in range(3)]
        assert found == [False, False, True]
    with contextlib.closing(evaluator.contest.lane_of(seed(evaluator.problem))) as lane:
        assert verify.strayed(lane, stray(0.011)), "a gross one is not"


def suspicion(rule: str = "stray-cpu") -> verify.Refused:
    return verify.Refused(Outcome.TAMPERED, Evidence(rule, "used CPU"))


def test_a_suspicion_counts_when_it_comes_every_time() -> None:
    def sit() -> str:
        sittings.append(1)
        if len(sittings) <= trouble:
            raise suspicion(rule)
        return "right"

    sittings: list[int] = []
    told: list[verify.Refused] = []
    rule, trouble = "stray-cpu", 2
    assert verify.patiently(sit, told.append) == "right"
    assert [t.evidence.rule for t in told] == ["stray-cpu"] * 2
    sittings, trouble = [], 3
    with pytest.raises(verify.Refused):
        verify.patiently(sit)
    assert len(sittings) == 3
    sittings, rule = [], "guard-bytes"
    with pytest.raises(verify.Refused):
        verify.patiently(sit)
    assert len(sittings) == 1, "a fact needs no second look"
