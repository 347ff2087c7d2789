"""The final table: every figure as measured, good or bad."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from agent.cli import results
from agent.report import Report, Reviewed, Simplified
from db.records import Baselines, CampaignStatus
from evaluator.evaluation import Comparison, Interval, Speedup, Unreached

SEED, BEST = "a" * 64, "b" * 64


def comparison(other: str, workload: str, ratio: float, roofline: float | None = 0.5) -> Comparison:
    speedup = Interval(ratio, ratio * 0.9, ratio * 1.1)
    return Comparison(workload, other, 1e-3, 1e-3 * ratio, speedup, (), "confirm", roofline)


def speedup(other: str, ratio: float, distinguishable: bool = True) -> Speedup:
    return Speedup(other, Interval(ratio, ratio * 0.9, ratio * 1.1), True, distinguishable)


def report(**changes: object) -> Report:
    plain = Report(
        campaign=3,
        problem="softmax",
        backend="cpp",
        target="cpu-test",
        archive="/tmp/some where.db",
        status=CampaignStatus.FINISHED,
        reason="all 60 evaluations are done",
        evaluations=60,
        duplicates=4,
        outcomes={"ok": 50, "incorrect": 11},
        seconds=125.0,
        noise_floor=0.008,
        seed=SEED,
        best=BEST,
        description="parallelise loop over i",
        speedup=speedup("seed", 8.0),
        comparisons=(
            comparison("incumbent", "wide", 1.1),
            comparison("seed", "wide", 8.0),
            comparison("seed", "tall", 7.0),
        ),
        baselines=Baselines(
            BEST,
            (
                comparison("eager", "wide", 0.8),
                comparison("eager", "tall", 0.7),
                comparison("compile", "wide", 1.01),
            ),
            (speedup("eager", 0.75), speedup("compile", 1.01, distinguishable=False)),
        ),
        failures=(("recycled", "does not run"),),
    )
    return dataclasses.replace(plain, **changes)  # type: ignore[arg-type]


def test_rows_are_best_seed_and_every_variant() -> None:
    best, seed, eager, compiled = results.rows(report())
    assert [r.name for r in (best, seed, eager, compiled)] == ["best", "seed", "eager", "compile"]
    assert best.best_is is None
    assert [(t.workload, t.seconds, t.roofline) for t in best.timings] == [
        ("wide", 1e-3, 0.5), ("tall", 1e-3, 0.5)
    ]  # fmt: skip
    assert seed.timings[0].seconds == pytest.approx(8e-3)
    assert seed.timings[0].roofline == pytest.approx(0.5 / 8)
    assert eager.best_is is not None
    assert eager.best_is.interval.estimate == 0.75


def test_a_variant_that_is_faster_and_one_that_is_as_fast_are_shown_as_such() -> None:
    text = results.render(report())
    lines = text.splitlines()
    assert any(line.startswith("eager") and "0.75x (0.675-0.825)" in line for line in lines)
    after = lines.index(next(line for line in lines if line.startswith("compile"))) + 1
    assert "indistinguishable" in lines[after]
    assert "recycled: not measured (does not run)" in lines
    assert "best bbbbbbbbbbbb: 8x (7.2-8.8) over the seed" in lines
    assert "noise floor 0.8%" in text
    assert max(map(len, lines)) <= 120


def test_narrow_terminals_get_the_workloads_one_below_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(results, "_width", lambda: 60)
    lines = results.render(report()).splitlines()
    assert [line.split()[-1] for line in lines if line.startswith("kernel ")] == ["wide", "tall"]


def test_commands_call_the_program_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = tmp_path / "kernelmill"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    monkeypatch.setattr("sys.argv", [str(program), "optimize"])
    monkeypatch.setenv("PATH", "/nowhere")
    assert results.commands(report())[-1].startswith(f"{program} resume")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert results.commands(report())[-1].startswith("kernelmill resume")


def test_the_commands_name_the_archive_and_the_candidates() -> None:
    shown = results.commands(report())
    where = "--archive '/tmp/some where.db'"
    assert f"kernelmill archive diff aaaaaaaaaaaa bbbbbbbbbbbb {where}" in shown
    assert shown[-1] == "kernelmill resume 3 --evaluations 120 --archive '/tmp/some where.db'"
    unfinished = results.commands(report(status=CampaignStatus.INTERRUPTED))
    assert unfinished[-1] == "kernelmill resume 3 --archive '/tmp/some where.db'"


def test_nothing_found_is_said() -> None:
    none = report(best=SEED, speedup=None, baselines=None, failures=())
    assert "no candidate was confirmed to be faster than the seed" in results.render(none)
    assert not any("diff" in line for line in results.commands(none))
    assert results.document(none)["found"] is False


def test_nothing_judged_is_said_too() -> None:
    none = report(best=None, speedup=None, comparisons=(), baselines=None, noise_floor=None)
    assert results.rows(none) == []
    assert results.commands(none)[-1].startswith("kernelmill resume 3")
    results.render(none)


def test_the_document_is_json() -> None:
    document = json.loads(json.dumps(results.document(report())))
    assert document["status"] == "finished"
    assert document["speedup"]["interval"]["low"] == pytest.approx(7.2)
    assert [row["name"] for row in document["table"]] == ["best", "seed", "eager", "compile"]
    assert document["failures"] == [{"variant": "recycled", "reason": "does not run"}]


def test_a_best_with_code_that_nothing_executes_is_marked() -> None:
    marked = report(unreached=(Unreached(12, 14, "if (calls > 500) {"),))
    assert "best: no workload executes one place of it (line 12: if (calls" in results.render(
        marked
    )
    assert results.document(marked)["unreached"][0]["last"] == 14
    assert "no workload executes" not in results.render(report())


def test_what_was_left_out_and_what_a_reviewer_did_is_said() -> None:
    steps = ("without -funroll-loops", "without unused function half")
    simplified = Simplified("c" * 64, 5, 210, 180, steps)
    text = results.render(report(simplified=simplified, reviewed=Reviewed(9, 4, 1, 3, False)))
    assert "simplified: 210 to 180 tokens and no slower, in 2 of 5 steps tried: without" in text
    assert (
        "rejected 4 of 9 answers; of 4 evaluated all the same 1 failed; then it was asked" in text
    )
    vain = report(simplified=Simplified(BEST, 3, 90, 90, ()))
    assert "simplified: nothing could be left out (3 steps tried)" in results.render(vain)
    document = results.document(report(simplified=simplified))
    assert document["simplified"]["steps"] == steps
    assert document["reviewed"] is None
    json.dumps(document)


def test_long_names_of_workloads_stay_apart() -> None:
    names = ("batch=16,channels=64,height=128", "batch=1,channels=512,height=7")
    comparisons = tuple(comparison("seed", name, 2.0) for name in names)
    text = results.render(report(comparisons=comparisons, baselines=None))
    heads = [line for line in text.splitlines() if line.startswith("kernel ")]
    assert " ".join(heads).split() == ["kernel", "all", "workloads", names[0], names[1]]
