"""`kernelmill optimize` and `kernelmill resume` as a user types them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from rich.console import Console
from rich.live import Live

from agent.budget import Limits
from agent.cli.progress import LiveProgress, PlainProgress, duration, time_left
from agent.observer import Beginning, Standing
from agent.proposers.protocol import Child
from agent.search import Trial, Verdict
from evaluator.candidate import Candidate
from evaluator.evaluation import Evaluation, Evidence, Interval, Speedup
from evaluator.outcome import Outcome
from tests.agent.command import finish, start
from tests.agent.tiny import write_problem

FASTER = Speedup("seed", Interval(3.0, 2.9, 3.1), True, True)
STANDING = Standing(10, 60, {"ok": 8, "incorrect": 3}, 2, "d" * 64, FASTER, 20.0, 300.0)
BEGINNING = Beginning(
    7, "softmax", "cpp", "cpu-test", "/tmp/a.db", "proposer transform", Limits(60, 5.0), 4, 2
)


def verdict(outcome: Outcome = Outcome.OK, improved: bool = True) -> Verdict:
    child = Child(Candidate("p", "cpp", "text"), "transform", (), "vectorise [loop] over j")
    evidence = () if outcome is Outcome.OK else (Evidence("numeric-policy", "y[3] is\n4, not 5"),)
    evaluation = Evaluation("c" * 64, "t", outcome, evidence)
    over = FASTER if outcome is Outcome.OK else None
    return Verdict(Trial(child, 2), evaluation, False, improved, over, None)


def test_optimize_then_resume(cache: Path, tmp_path: Path) -> None:
    folder = write_problem(tmp_path)
    where = ("--archive", str(tmp_path / "a.db"))
    code, out, err = finish(
        start(cache, "optimize", str(folder), "--evaluations", "1", "--seed", "5", *where,
              "--json", "--no-baselines", hurried=True)
    )  # fmt: skip
    document = json.loads(out)
    assert err == ""
    assert code == (0 if document["found"] else 1)
    assert document["evaluations"] == 1
    assert document["problem"] == "hypotenuse"
    assert [row["name"] for row in document["table"]][-1] == "seed"
    code, out, err = finish(
        start(cache, "resume", "1", "--evaluations", "2", "--no-baselines", *where, hurried=True)
    )
    assert code in (0, 1), err
    assert "resumed: 2 evaluations are in the archive" in out
    assert "2/2 " in out
    assert "proposer transform;" in out
    code, _, err = finish(start(cache, "resume", *where))
    assert code == 2
    assert "has no unfinished campaign" in err


@pytest.mark.slow
def test_optimize_ends_with_pytorch(cache: Path, tmp_path: Path) -> None:
    folder = write_problem(tmp_path)
    code, out, err = finish(
        start(cache, "optimize", str(folder), "--evaluations", "8", "--json",
              "--archive", str(tmp_path / "a.db"))
    )  # fmt: skip
    assert code == 0, err
    names = [row["name"] for row in json.loads(out)["table"]]
    assert names[:3] == ["best", "seed", "eager"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["optimize", "softmex"], "did you mean softmax"),
        (["optimize"], "no problem given"),
        (["optimize", "softmax", "--minutes", "-1"], "--minutes = -1.0"),
        (["optimize", "softmax", "--backend", "cuda"], "--target cuda-sm90 --unmeasured"),
        (["optimize", "softmax", "--backend", "triton", "--unmeasured"], "give --target"),
        (["resume", "--archive", "/nowhere/a.db"], "/nowhere/a.db"),
    ],
)
def test_mistakes_get_one_line(
    cache: Path, tmp_path: Path, arguments: list[str], words: str
) -> None:
    where = () if "--archive" in arguments else ("--archive", str(tmp_path / "a.db"))
    code, out, err = finish(start(cache, *arguments, *where))
    assert (code, out) == (2, "")
    (line,) = err.splitlines()
    assert words in line


def test_plain_progress_is_one_line_per_evaluation(capsys: pytest.CaptureFixture[str]) -> None:
    plain = PlainProgress()
    plain.began(BEGINNING)
    plain.noise_floor(0.012)
    plain.stage("verify", "x")
    plain.stage("baseline", "eager")
    plain.stage("baseline", "compile")
    plain.judged(verdict(), STANDING)
    plain.judged(verdict(Outcome.INCORRECT, improved=False), STANDING)
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "until 60 evaluations or 5 minutes; proposer transform; archive /tmp/a.db"
    assert lines[2].startswith("resumed: 4 evaluations")
    assert lines[3:5] == ["noise floor 1.2%", "measuring PyTorch ..."]
    assert lines[5].startswith(" 10/60 0:20 IMPROVED 3x (2.9-3.1) over the best so far; best 3x")
    assert "incorrect: y[3] is 4, not 5" in lines[6]


def test_live_progress_shows_stage_counts_best_noise_and_time() -> None:
    console = Console(force_terminal=True, width=90, record=True)
    with Live(console=console, auto_refresh=False) as live:
        shown = LiveProgress(live)
        shown.began(BEGINNING)
        shown.noise_floor(0.012)
        shown.trying(verdict().trial.child)
        shown.judged(verdict(), STANDING)
        shown.stage("confirm", "cccc")
    text = console.export_text()
    for words in (
        "confirm cccc", "vectorise [loop] over j", "10 of 60: incorrect 3, ok 8; 2 duplicates",
        "3x (2.9-3.1) over the seed", "0:20, about 1:40 left", "noise floor  1.2%", "IMPROVED",
    ):  # fmt: skip
        assert words in text


def test_time_left_is_that_of_the_nearest_limit() -> None:
    assert time_left(STANDING) == pytest.approx(100.0)
    nothing_yet = Standing(0, 60, {}, 0, "", None, 5.0, None)
    assert time_left(nothing_yet) is None
    assert duration(125.9) == "2:05"
