"""Every kernel of `tests/rogues/` ends as its header says; none is believed to be fast."""

from __future__ import annotations

import pytest
from _pytest.mark import ParameterSet

from evaluator.outcome import Outcome
from tests.evaluator.conftest import EvaluatorOf
from tests.evaluator.corpus import Kernel, build_once, judge, read

ROGUES = tuple(read("rogues"))


def cases() -> list[ParameterSet]:
    """Those that are not caught yet are known, and say why."""
    return [
        pytest.param(r, id=r.name, marks=[pytest.mark.xfail(reason=r.fools)] if r.fools else [])
        for r in ROGUES
    ]


@pytest.mark.parametrize("rogue", cases())
def test_a_rogue_gets_nowhere(evaluator_of: EvaluatorOf, rogue: Kernel) -> None:
    evaluator = evaluator_of(rogue.candidate.problem)
    build_once(evaluator, ROGUES)
    evaluation = judge(evaluator, rogue)
    speedup = evaluation.speedup_over("incumbent")
    assert rogue.ended_well(evaluation), (evaluation.outcome, evaluation.evidence, speedup)
    if evaluation.outcome is not Outcome.OK:
        assert evaluation.evidence
        assert not evaluation.improved
        assert not evaluation.speedups


def test_headers_are_complete() -> None:
    assert len(ROGUES) >= 20
    for rogue in ROGUES:
        assert 1 <= int(rogue.kind) <= 80
        assert rogue.mechanism
        assert "ok" not in rogue.outcomes
