"""The whole cascade: every outcome with its evidence, nothing evaluated twice."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from evaluator.candidate import Candidate
from evaluator.cascade import NOISE_PAIRS, Evaluator
from evaluator.errors import ConfigError
from evaluator.evaluation import Evaluation
from evaluator.outcome import Outcome
from evaluator.racing import PAIR_ROUNDS
from evaluator.statistics import IMPROVEMENT
from sandbox.bubblewrap import Bubblewrap
from sandbox.provider import Command, Sandbox, SandboxError, Session
from tests.evaluator.conftest import EvaluatorOf
from tests.evaluator.small import SOFTMAX, seed, small, softmax

SLOW = softmax('for (int i = 0; i < 4; i++) { naive(x, y, rows, cols); asm("" ::: "memory"); }')
FAST = softmax(
    "#pragma omp parallel for\n    for (int64_t i = 0; i < rows; i++)\n"
    "        naive(x + i * cols, y + i * cols, 1, cols);"
)


@pytest.fixture
def fresh(evaluator_of: EvaluatorOf, isolation: Sandbox, cache: Path) -> Evaluator:
    """An evaluator that has seen nothing yet."""
    evaluator_of("softmax")  # bounds memory
    return Evaluator(small("softmax"), isolation, cache=cache, random_seed=3)


def names(evaluation: Evaluation) -> list[str]:
    return [stage.name for stage in evaluation.stages]


@pytest.mark.parametrize(
    ("source", "outcome", "rule", "words"),
    [
        ("", Outcome.SCREENED_OUT, "screen", "empty"),
        ("// flags: -fplugin=x\n" + SOFTMAX + "{}", Outcome.SCREENED_OUT, "screen", "-fplugin"),
        ("int other;", Outcome.BUILD_FAILED, "signature", f"expected: {SOFTMAX};"),
        (SOFTMAX + " { y[0] = unknown; }", Outcome.BUILD_FAILED, "build", "unknown"),
    ],
)
def test_what_never_runs(
    evaluator: Evaluator, source: str, outcome: Outcome, rule: str, words: str
) -> None:
    found = evaluator.evaluate(Candidate("softmax", "cpp", source))
    assert found.outcome is outcome
    assert [e.rule for e in found.evidence] == [rule]
    assert words in found.evidence[0].message
    assert "\n" not in found.evidence[0].message
    assert found.object_hash is None
    assert not found.checks
    assert (found.build_log != "") == (outcome is Outcome.BUILD_FAILED)


def test_an_improvement_from_start_to_end(fresh: Evaluator) -> None:
    told: list[str] = []
    with fresh:
        fresh.tell = lambda stage, detail: told.append(stage)
        fresh.contest._tell = fresh.tell
        fresh.register_seed(SLOW)
        found = fresh.evaluate(FAST, None, SLOW)
        again = fresh.evaluate(FAST, None, SLOW)
        renamed = Candidate("softmax", "cpp", FAST.source.replace("naive", "plain"))
        same_code = fresh.evaluate(renamed, None, SLOW)
    assert found.outcome is Outcome.OK, found.evidence
    assert found.improved
    stages = ["screen", "wait", "build", "wait", "start", "verify", "race", "vet", "confirm"]
    assert names(found) == stages
    working = [stage for stage in told if stage != "wait"]  # others may hold the device
    assert working[:5] == ["build", "verify", "race", "vet", "confirm"]
    assert all(s.seconds >= 0 for s in found.stages)
    over_seed, over_rival = found.speedup_over("seed"), found.speedup_over("incumbent")
    assert over_seed is not None
    assert over_rival is not None
    assert over_seed.interval == over_rival.interval, "the seed was the incumbent"
    assert over_rival.interval.low > IMPROVEMENT
    assert found.profile["instructions"]
    assert found.comparisons[0].phase == "confirm"
    assert 0 < (found.comparisons[0].roofline or 0) < 1.5
    for same in (again, same_code):
        assert same.outcome is Outcome.OK
        assert same.same_object_as == FAST.digest
        assert not same.improved
        assert not same.comparisons
        assert "verify" not in names(same)


def test_no_improvement_is_not_confirmed_unless_asked(fresh: Evaluator) -> None:
    with fresh:
        found = fresh.evaluate(SLOW, None, seed(fresh.problem))
        assert found.outcome is Outcome.OK
        assert not found.improved
        assert "confirm" not in names(found)
        assert "vet" not in names(found)
        speedup = found.speedup_over("incumbent")
        assert speedup is not None
        assert not speedup.confirmed
        assert speedup.interval.high < 1
        other = Candidate("softmax", "cpp", SLOW.source.replace("i < 4", "i < 5"))
        asked = fresh.evaluate(other, None, seed(fresh.problem), always_confirm=True)
    assert "confirm" in names(asked)
    assert not asked.improved
    assert asked.speedup_over("incumbent") is not None


def test_an_earlier_verdict_is_taken_over(fresh: Evaluator, evaluator: Evaluator) -> None:
    earlier = evaluator.verify_only(softmax("naive(x, y, rows, cols); y[0] = 0;"))
    assert earlier.outcome is Outcome.INCORRECT
    with fresh:
        known = softmax("naive(x, y, rows, cols); y[0] = 0;")
        fresh.remember(known, earlier)
        rewritten = Candidate("softmax", "cpp", known.source.replace("naive", "simple"))
        found = fresh.evaluate(rewritten)
    assert found.outcome is Outcome.INCORRECT
    assert found.same_object_as == known.digest
    assert found.evidence == earlier.evidence


TWINS = {
    "blanks in a string": ('sizeof("a b") == 5', 'sizeof("a  b") == 5'),
    "a line more": ("__LINE__ % 2", "\n__LINE__ % 2"),
}


@pytest.mark.parametrize("name", TWINS)
def test_a_twin_in_all_but_blanks_is_judged_itself(fresh: Evaluator, name: str) -> None:
    body = "bool lazy = {}; naive(x, y, lazy ? rows / 2 : rows, cols);"
    twins = [softmax(body.format(condition)) for condition in TWINS[name]]
    with fresh:
        outcomes = [fresh.verify_only(twin).outcome for twin in twins]
        again = [fresh.verify_only(twin).outcome for twin in twins]
    assert sorted(outcomes) == [Outcome.INCORRECT, Outcome.OK]
    assert again == outcomes


def test_builds_in_parallel_and_refuses_what_cannot_be_a_kernel(evaluator: Evaluator) -> None:
    builds = evaluator.build_all([seed(evaluator.problem), softmax("oops"), softmax("\0")])
    assert [b.failure is None for b in builds] == [True, False, False]
    assert "NUL" in (builds[2].failure or "")
    found = evaluator.evaluate(softmax("oops"), builds[1])
    assert found.outcome is Outcome.BUILD_FAILED


class Broken(Bubblewrap):
    """A provider that stops working."""

    def start(self, command: Command) -> Session:  # type: ignore[override]
        raise SandboxError("no more namespaces")


def test_our_own_failure_is_nobodys_fault(evaluator: Evaluator, cache: Path) -> None:
    with Evaluator(small("softmax"), Broken(), cache=cache) as broken:
        kernel = seed(broken.problem)
        found = broken.evaluate(kernel)
        assert found.outcome is Outcome.INFRA_ERROR
        assert found.evidence[0].message == "no more namespaces"
        assert not found.outcome.is_candidates_fault
        again = broken.evaluate(kernel)
    assert again.same_object_as is None, "not remembered"


def test_the_noise_floor(evaluator: Evaluator) -> None:
    found = evaluator.noise_floor(SLOW)
    assert 0 <= found.relative < 1
    assert [c.phase for c in found.comparisons] == ["noise"]
    assert len(found.comparisons[0].rounds) >= NOISE_PAIRS * PAIR_ROUNDS / 2


def test_an_unknown_backend(cache: Path) -> None:
    with pytest.raises(ConfigError, match="backend 'cuda' is not available; known: cpp"):
        Evaluator(small("softmax"), Bubblewrap(), backend="cuda", cache=cache)


def test_nothing_is_left_behind(fresh: Evaluator) -> None:
    regions = Path(f"/dev/shm/kernelmill-{os.getpid()}")
    other = Candidate("softmax", "cpp", SLOW.source.replace("i < 4", "i < 3"))
    with fresh:
        before = set(regions.iterdir())
        fresh.evaluate(softmax("abort();"))
        fresh.evaluate(other)
    left = set(regions.iterdir()) - before
    assert not left
