"""What children teach, and which of it is told to whom."""

from __future__ import annotations

from pathlib import Path

from agent.knowledge.transfer import neighbours, transferred
from agent.lessons import Lessons, distilled
from agent.proposers.protocol import Child
from db.archive import Archive
from db.records import Lesson
from evaluator import catalogue
from evaluator.candidate import Candidate
from evaluator.evaluation import Comparison, Evaluation, Interval, Speedup
from evaluator.outcome import Outcome

PARENT = "a" * 64
CHILD = Child(Candidate("softmax", "cpp", "x"), "rewrite", (PARENT,), "exp in\n  zmm registers.")


def evaluation(
    ratio: float, improved: bool, by_workload: tuple[float, ...] = (), outcome: Outcome = Outcome.OK
) -> Evaluation:
    def around(value: float) -> Interval:
        return Interval(value, value * 0.98, value * 1.02)

    comparisons = tuple(
        Comparison(f"w{i}", "incumbent", 1.0, value, around(value), (), "confirm")
        for i, value in enumerate(by_workload)
    )
    return Evaluation(
        "c" * 64, "t", outcome, comparisons=comparisons, improved=improved,
        speedups=(Speedup("incumbent", around(ratio), improved, improved),),
    )  # fmt: skip


def test_a_confirmed_gain_says_what_and_where() -> None:
    lesson = distilled(CHILD, evaluation(1.5, True, (1.2, 1.9)), PARENT)
    assert lesson is not None
    assert lesson.text == (
        "exp in zmm registers: 1.50x over its parent (1.47 to 1.53), confirmed; "
        "most on w1 (1.90x), least on w0 (1.20x)"
    )
    assert (lesson.candidate, lesson.speedup, lesson.confirmed) == ("c" * 64, 1.5, True)


def test_what_did_not_pay_is_a_lesson_only_about_the_parents_own_change() -> None:
    lost = distilled(CHILD, evaluation(0.6, False), PARENT)
    assert lost is not None
    assert not lost.confirmed
    assert "did not pay" in lost.text
    assert distilled(CHILD, evaluation(0.6, False), "b" * 64) is None
    assert distilled(CHILD, evaluation(0.99, False), PARENT) is None, "no clear answer"
    gain = distilled(CHILD, evaluation(1.3, True), "b" * 64)
    assert gain is not None
    assert "over the best so far" in gain.text


def test_failures_and_silence_teach_nothing_here() -> None:
    assert distilled(CHILD, evaluation(1.5, False, outcome=Outcome.INCORRECT), PARENT) is None
    silent = Child(CHILD.candidate, "tune", (PARENT,), " ")
    assert distilled(silent, evaluation(1.5, True), PARENT) is None


def test_a_prompt_gets_the_largest_gains_and_the_latest_losses() -> None:
    gains = [Lesson(f"gain {i}", speedup=1.0 + i / 10, confirmed=True) for i in range(1, 9)]
    losses = [Lesson(f"loss {i}", speedup=0.5) for i in range(5)]
    told = Lessons([*gains, *losses]).worth_telling(
        [Lesson("on gemv: x", speedup=3.0, confirmed=True)]
    )
    assert told == [
        "gain 8", "gain 7", "gain 6", "gain 5", "gain 4", "on gemv: x", "loss 4", "loss 3",
        "loss 2",
    ]  # fmt: skip


def test_neighbours_compute_similar_things() -> None:
    assert "layernorm" in neighbours(catalogue.load("rmsnorm_residual"))
    assert set(neighbours(catalogue.load("gemm"))) & {"grouped_gemm", "conv2d", "monarch"}


def test_lessons_come_from_the_problem_and_its_neighbours(tmp_path: Path) -> None:
    with Archive.open(tmp_path / "a.db") as archive:
        archive.ensure_target("elsewhere", {})
        for name, text in (("softmax", "own"), (neighbours(catalogue.load("softmax"))[0], "other"),
                           ("spgemm_csr", "far away")):  # fmt: skip
            problem = archive.ensure_problem(name, {"name": name})
            campaign = archive.start_campaign(problem, "cpp", "elsewhere", {}, 0, "state")
            archive.record_lesson(campaign.id, Lesson(text, None, 1.4, True))
            archive.record_lesson(campaign.id, Lesson(f"{text} lost", None, 0.5, False))
        found = [lesson.text for lesson in transferred(archive, catalogue.load("softmax"))]
    assert found[0] == "own"
    assert found[1].startswith("on ")
    assert found[1].endswith(": other")
    assert len(found) == 2
