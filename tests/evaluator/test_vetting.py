"""Vetting: kernels that pass every check of the problem, and what a closer look finds in them."""

from __future__ import annotations

import pytest

from evaluator.cascade import Evaluator
from evaluator.evaluation import Evaluation
from evaluator.outcome import Outcome
from evaluator.rules import Rule
from tests.evaluator.small import seed, softmax

# Only where the buffer does not end at the guard page, and not after it was right.
BESIDE = "if ((rows * cols) % 16) { volatile float z = x[rows * cols]; (void)z; }"
WIDE = (
    "typedef float wide __attribute__((vector_size(16), aligned(4)));\n"
    "if ((rows * cols) % 16 > 2) { volatile wide z = *(const wide*)(x + rows * cols - 3); }"
)
HEAP = "volatile float* s = new float[9]; s[3] = 1; delete[] s; float z = s[3]; (void)z;"
FRESH = "float* s = (float*)malloc(400); y[0] += s[7] * 1e-30f; free(s);"
OVERFLOW = "volatile int most = 2147483647; volatile int more = most + (int)rows; (void)more;"


@pytest.mark.parametrize(
    ("body", "outcome", "rule", "words"),
    [
        (BESIDE, Outcome.CRASHED, Rule.SANITIZER, "reads 4 bytes 0 bytes behind the end of x"),
        (WIDE, Outcome.CRASHED, Rule.SANITIZER, "16 bytes that reach 4 bytes past the end of x"),
        (HEAP, Outcome.CRASHED, Rule.SANITIZER, "that was freed (heap-use-after-free), line 18: "),
        (FRESH, Outcome.INCORRECT, Rule.SANITIZER, "before anything was written to it"),
        ("if (cols == 777) y[5] = 0;", Outcome.INCORRECT, Rule.NUMERIC_POLICY, "y[0,5] is 0.0"),
        (
            "if (omp_get_max_threads() == 1) y[0] = 7;",
            Outcome.INCORRECT,
            Rule.NUMERIC_POLICY,
            "with 1 thread: y[0,0] is 7.0",
        ),
    ],
    ids=[
        "beside-buffer",
        "across-end",
        "use-after-free",
        "uninitialised",
        "one-size",
        "one-thread",
    ],
)
def test_it_is_refused(
    evaluator: Evaluator, body: str, outcome: Outcome, rule: Rule, words: str
) -> None:
    found = vetted(evaluator, body)
    assert found.outcome is outcome, found.evidence
    assert found.evidence[0].rule == rule
    assert words in found.evidence[0].message
    assert found.evidence[0].workload is not None
    assert any(stage.name == "vet" for stage in found.stages)


def test_the_size_that_was_tried_is_named(evaluator: Evaluator) -> None:
    found = vetted(evaluator, "if (rows == 64 && cols > 5000) y[rows * cols - 1] = 0;")
    assert found.outcome is Outcome.INCORRECT
    assert found.evidence[0].workload == "generated(rows=64, cols=5001)"


def test_undefined_behaviour_that_changes_nothing_is_noted(evaluator: Evaluator) -> None:
    found = vetted(evaluator, OVERFLOW)
    assert found.outcome is Outcome.OK, found.evidence
    assert [note.rule for note in found.evidence] == [Rule.UNDEFINED]
    assert found.evidence[0].details["line"] == 18
    assert "signed integer overflow" in found.evidence[0].message


def test_code_that_nothing_executes_is_listed(evaluator: Evaluator) -> None:
    body = "if (x[0] == 12345.0f) {\n  y[0] = 1;\n}\nif (cols > 20000) {\n  y[0] += 0;\n}"
    found = vetted(evaluator, body)
    assert found.outcome is Outcome.OK, found.evidence
    assert [(u.first, u.last, u.source) for u in found.unreached] == [(19, 19, "y[0] = 1;")]
    reached = [check.workload for check in found.checks if "cols=20001" in check.workload]
    assert reached, "a workload was generated for the other branch"
    assert not found.evidence


def test_the_seed_has_nothing_to_hide(evaluator: Evaluator) -> None:
    found = evaluator.verify_only(seed(evaluator.problem))
    assert found.outcome is Outcome.OK
    assert not found.unreached
    assert not found.evidence


def test_what_could_not_be_looked_at_is_said(evaluator: Evaluator) -> None:
    taken = 'extern "C" void kernelmill_dump() {}'
    found = evaluator.verify_only(softmax("naive(x, y, rows, cols);", taken))
    assert found.outcome is Outcome.OK, found.evidence
    assert [note.rule for note in found.evidence] == [Rule.NOT_VETTED]
    assert "executed code is not known: " in found.evidence[0].message
    assert "redefinition" in found.evidence[0].message


def vetted(evaluator: Evaluator, body: str) -> Evaluation:
    """What comes of a right softmax with something after it."""
    before = "#include <omp.h>"
    return evaluator.verify_only(softmax(f"naive(x, y, rows, cols);\n{body}", before))
