"""Figures of a suite, its documents and its picture, and real suites of tiny problems."""

from __future__ import annotations

import json
import math
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest

from agent.suite.document import markdown
from agent.suite.figures import against, fast, figures
from agent.suite.measured import Measured, Rival, failed, from_document
from agent.suite.picture import chart, draw
from agent.suite.runs import QUICK, Settings, Suite, chosen
from evaluator import catalogue
from evaluator.errors import ConfigError
from evaluator.evaluation import TRAFFIC, Interval
from tests.agent.command import alive, finish, start
from tests.agent.tiny import write_problem

SETTINGS = asdict(Settings(60))


def run(problem: str, over_seed: float, eager: float, out: float) -> Measured:
    def interval(value: float) -> Interval:
        return Interval(value, value * 0.9, value * 1.1)

    rivals = (Rival("eager", interval(eager), True), Rival("mul-out", interval(out), True))
    return Measured(
        problem, "faster", "60 evaluations", "d" * 64, interval(over_seed), rivals,
        ("compile: no such thing",), 0.5, 60, 120.0, "campaign 1",
    )  # fmt: skip


RUNS = [run("one", 8.0, 4.0, 2.0), run("two", 2.0, 1.1, 0.5), failed("three", "x|y:3: broken")]


def test_a_problem_without_a_figure_counts_as_one() -> None:
    seed = against(RUNS, "seed")
    assert seed.mean == pytest.approx(math.exp((math.log(8) + math.log(2)) / 3))
    assert (seed.measured, seed.surely) == (2, 2)
    best = against(RUNS, "best")
    assert best.mean == pytest.approx(1.0)
    assert best.surely == 1
    assert against(RUNS, "compile").mean == 1.0
    summed = figures(RUNS)
    assert (summed.problems, summed.faster, summed.failed) == (3, 2, 1)
    assert figures([]).against[0].mean == 1.0


def test_fast_p_is_a_share_of_all_problems() -> None:
    assert [fast(RUNS, "eager", p) for p in (1.0, 1.2, 2.0, 5.0)] == [2 / 3, 1 / 3, 1 / 3, 0.0]
    assert dict(against(RUNS, "best").fast)[1.0] == pytest.approx(1 / 3)
    assert fast(RUNS, "best", 2.0) == 0.0, "more than twice as fast, not twice"


def test_markdown_names_the_rival_and_what_failed() -> None:
    text = markdown(RUNS, figures(RUNS), SETTINGS, "cpu-test")
    assert (
        "| one | 8.00x (7.20–8.80) | 4.00x (3.60–4.40) | - | 2.00x (1.80–2.20) | mul-out |" in text
    )
    assert "- three: x/y:3: broken" in text
    assert "| the best PyTorch variant | 33% | 33% | 0% | 0% | 1 of 2 |" in text
    assert "- two, compile: no such thing" in text


def test_what_is_drawn(tmp_path: Path) -> None:
    drawn = chart(RUNS)
    assert [bar.problem for bar in drawn.bars] == ["one", "two", "three"]
    assert drawn.bars[2].over_seed is None
    curve = next(c for c in drawn.curves if c.rival == "eager")
    assert curve.shares[0] == pytest.approx(2 / 3)
    assert curve.shares[-1] == 0.0
    assert list(curve.shares) == sorted(curve.shares, reverse=True)
    pytest.importorskip("matplotlib")
    draw(drawn, tmp_path / "suite.svg", "three problems")
    assert "<svg" in (tmp_path / "suite.svg").read_text()


def test_a_result_is_read_off_what_optimize_prints() -> None:
    timing = {"workload": "w", "seconds": 1e-3, "roofline": 0.25, "best_is": None}
    interval = {"estimate": 3.0, "low": 2.5, "high": 3.5}
    share = {"estimate": 0.75, "low": 0.7, "high": 0.8}
    over = {"other": "eager", "interval": interval, "confirmed": True, "distinguishable": True}
    document: dict[str, Any] = {
        "reason": "done", "found": True, "best": "b" * 64, "evaluations": 7, "seconds": 5.0,
        "speedup": {"interval": interval}, "failures": [{"variant": "v", "reason": "r"}],
        "table": [
            {"name": "best", "best_is": None, "timings": [timing]},
            {"name": "seed", "best_is": over, "timings": [timing]},
            {"name": "eager", "best_is": over, "timings": [timing]},
            {"name": TRAFFIC, "best_is": over | {"interval": share}, "timings": [timing]},
        ],
    }  # fmt: skip
    found = from_document("p", document, "campaign 3")
    assert found.state == "faster"
    assert found.roofline == 0.25
    assert [r.name for r in found.rivals] == ["eager"]
    assert found.over("best") == Interval(3.0, 2.5, 3.5)
    assert found.traffic == Interval(0.75, 0.7, 0.8)
    assert "| 25% | 75% | 7 |" in markdown([found], figures([found]), SETTINGS, "cpu-test")
    document |= {"found": False, "speedup": None}
    assert from_document("p", document, "").over("seed") is None


def test_which_problems_are_meant(tmp_path: Path) -> None:
    one = write_problem(tmp_path)
    assert chosen([], quick=False) == tuple(catalogue.builtin_names())
    assert set(chosen([], quick=True)) == set(QUICK) <= set(catalogue.builtin_names())
    assert chosen(["softmax", str(tmp_path), str(one)], quick=True) == ("softmax", str(one))
    (tmp_path / "model.py").write_text("class Model:\n    pass\n")
    (tmp_path / "notes.py").write_text("# nothing\n")
    assert chosen([str(tmp_path)], quick=True) == (str(one), str(tmp_path / "model.py"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="no problem.py"):
        chosen([str(tmp_path / "empty")], quick=False)


@pytest.mark.slow
def test_a_broken_problem_stops_nothing_and_results_are_kept(cache: Path, tmp_path: Path) -> None:
    good = write_problem(tmp_path)
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "problem.py").write_text("import sys\n\nsys.exit(7)\n")
    out = tmp_path / "out"
    arguments = ("bench", "suite", str(broken), str(good), "--evaluations", "1", "--out", str(out))
    code, _, err = finish(start(cache, *arguments))
    assert code == 1, err
    assert "[1/2]" in err
    assert "failed" in err.splitlines()[0]
    document = json.loads((out / "suite.json").read_text())
    assert document["problems"][0]["state"] == "failed"
    assert document["problems"][1]["state"] in ("faster", "same")
    assert document["figures"]["failed"] == 1
    assert "hypotenuse" in (out / "suite.md").read_text()
    code, out_text, err = finish(start(cache, *arguments, "--json"))
    assert code == 1
    assert "(kept)" in err
    assert json.loads(out_text)["problems"][1] == document["problems"][1]


def test_a_campaign_that_was_cut_off_is_resumed(cache: Path, tmp_path: Path) -> None:
    folder = write_problem(tmp_path)
    where = str(tmp_path / "a.db")
    code, _, err = finish(
        start(cache, "optimize", str(folder), "--evaluations", "1", "--archive", where,
              "--no-baselines", hurried=True)
    )  # fmt: skip
    assert code in (0, 1), err
    suite = Suite(tmp_path / "out", where, (str(folder),), Settings(2))
    assert suite._arguments(str(folder))[0] == "optimize", "that one has ended"
    from db.archive import Archive

    with Archive.open(where) as opened:
        opened.finish_campaign(1, "interrupted", "for the test")
    assert suite._arguments(str(folder))[:2] == ["resume", "1"]


def test_a_killed_suite_takes_its_campaign_with_it(cache: Path, tmp_path: Path) -> None:
    folder = write_problem(tmp_path)
    suite = start(cache, "bench", "suite", str(folder), "--out", str(tmp_path / "out"))
    children = Path(f"/proc/{suite.pid}/task/{suite.pid}/children")
    while not (campaign := children.read_text().split()):
        assert suite.poll() is None, finish(suite)
        time.sleep(0.05)
    archive = tmp_path / "out" / "archive.db"
    while not archive.exists():
        assert suite.poll() is None, finish(suite)
        time.sleep(0.05)
    suite.kill()
    finish(suite)
    for _ in range(200):
        if not alive(int(campaign[0])):
            return
        time.sleep(0.05)
    pytest.fail("its campaign still runs")


def test_what_was_found_is_measured_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = ("softmax", "gemv", "dot")
    asked: list[list[str]] = []
    fails = {"gemv"}

    def answer(suite: Suite, problem: str, arguments: list[str]) -> Measured:
        asked.append(arguments)
        if problem in fails:
            return failed(problem, "no compiler")
        return replace(run(problem, 9.0, 3.0, 3.0), evaluations=1, origin="archive")

    monkeypatch.setattr(Suite, "_answer", answer)
    first = Suite(tmp_path, "a.db", names, Settings(60))
    (tmp_path / "runs").mkdir()
    for name in names:
        first._keep(name, run(name, 8.0, 4.0, 2.0))
    again = replace(first, again=True)
    figures = [(found.problem, found.over("seed"), kept) for found, kept in again.run()]
    assert [(problem, over is not None, kept) for problem, over, kept in figures] == [
        ("softmax", True, False), ("gemv", False, False), ("dot", True, False),
    ]  # fmt: skip
    assert asked[0] == ["bench", "best", "softmax", "--kernel", "d" * 64, "--archive", "a.db",
                        "--json"]  # fmt: skip
    kept = [found for found, _ in first.run()]
    assert [over.estimate for found in kept if (over := found.speedup)] == [9.0, 8.0, 9.0]
    assert {found.evaluations for found in kept} == {60}
    assert {found.origin for found in kept} == {"campaign 1"}
    fails.clear()
    asked.clear()
    assert [kept for _, kept in again.run()] == [True, False, True], "what was left, alone"
    asked.clear()
    assert [kept for _, kept in again.run()] == [False, False, False]


@pytest.mark.slow
def test_the_best_known_kernel_is_measured_again(cache: Path, tmp_path: Path) -> None:
    folder = write_problem(tmp_path)
    where = ("--archive", str(tmp_path / "a.db"))
    code, _, err = finish(start(cache, "bench", "best", str(folder), *where))
    assert code == 2, err
    code, out, err = finish(
        start(cache, "optimize", str(folder), "--evaluations", "4", *where, "--no-baselines",
              "--json", hurried=True)
    )  # fmt: skip
    assert code == 0, err
    best = json.loads(out)["best"]
    out_folder = tmp_path / "out"
    code, out, err = finish(
        start(cache, "bench", "suite", str(folder), "softmax", "--from-archive", *where, "--json",
              "--out", str(out_folder))
    )  # fmt: skip
    document = json.loads(out)
    assert code == 0, err
    measured, without = document["problems"]
    assert measured["kernel"] == best
    assert (measured["state"], measured["origin"]) == ("faster", "archive"), measured["reason"]
    assert {"eager", "compile"} <= {rival["name"] for rival in measured["rivals"]}
    assert without["state"] == "same"
    assert "has no kernel for it" in without["reason"]
    code, out, err = finish(
        start(cache, "bench", "best", str(folder), "--kernel", best[:12], *where, "--json")
    )
    assert code == 0, err
    assert json.loads(out)["best"] == best
    code, _, err = finish(start(cache, "bench", "best", "softmax", "--kernel", best, *where))
    assert code == 2
    assert "hypotenuse" in err
