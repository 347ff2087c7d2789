"""PyTorch's ways to compute a problem, measured against a kernel."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from pathlib import Path

import pytest

from evaluator import baseline, catalogue
from evaluator.baseline import Baselines, best_variant
from evaluator.cascade import Evaluator
from evaluator.evaluation import TRAFFIC, Interval, Speedup
from evaluator.racing import FEWEST_PAIRS, PAIR_ROUNDS
from sandbox.bubblewrap import Bubblewrap
from tests.agent.tiny import PROBLEM, write_problem
from tests.evaluator.conftest import EvaluatorOf
from tests.evaluator.small import seed

VARIANTS = """
    variants=(
        Variant("hypot", lambda x: torch.hypot(x, torch.ones_like(x))),
        Variant("in-place", lambda x, y: torch.sqrt(1.0 + x * x, out=y)),
        Variant("forgot-one", lambda x: torch.sqrt(x * x)),
        Variant("raises", lambda x: x.no_such_method()),
    ),
"""


@pytest.fixture
def evaluator(evaluator_of: EvaluatorOf, cache: Path, tmp_path: Path) -> Iterator[Evaluator]:
    evaluator_of("softmax")  # skips where nothing can be isolated
    folder = write_problem(tmp_path)
    text = PROBLEM.replace("Tensor, Workload", "Tensor, Variant, Workload")
    text = text.replace("    flops=", VARIANTS + "    flops=")
    (folder / "problem.py").write_text(text)
    with Evaluator(catalogue.load(str(folder)), Bubblewrap(), cache=cache) as made:
        yield made


def check(found: Baselines, expected: set[str]) -> None:
    assert {s.other for s in found.speedups} == expected
    assert {(c.other, c.phase) for c in found.comparisons} == {(n, "baseline") for n in expected}
    assert all(s.confirmed and s.interval.low > 0 for s in found.speedups)
    reasons = dict(found.failures)
    assert set(reasons) == {"forgot-one", "raises"}
    assert reasons["forgot-one"].startswith("y[")
    assert "no_such_method" in reasons["raises"]
    best = best_variant(found)
    assert best is not None
    rivals = [s.interval.estimate for s in found.speedups if s.over_pytorch]
    assert best.interval.estimate == min(rivals)


@pytest.mark.slow
def test_right_variants_are_timed_and_wrong_ones_named(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = baseline._ways
    wanted = {"eager", "in-place", "forgot-one", "raises"}
    monkeypatch.setattr(
        baseline, "_ways", lambda shop: [w for w in every(shop) if w.name in wanted]
    )
    found = evaluator.baselines(seed(evaluator.problem))
    check(found, {"eager", "in-place"})


def test_the_seed_sits_between_the_variants(
    evaluator: Evaluator, monkeypatch: pytest.MonkeyPatch
) -> None:
    every = baseline._ways
    wanted = {"eager", "forgot-one"}
    monkeypatch.setattr(
        baseline, "_ways", lambda shop: [w for w in every(shop) if w.name in wanted]
    )
    told: list[str] = []
    evaluator.tell = lambda stage, detail: told.extend([detail] if stage == "baseline" else [])
    first = seed(evaluator.problem)
    evaluator.register_seed(first)
    found = evaluator.baselines(dataclasses.replace(first, source=first.source + "\n"))
    assert told == ["seed", "eager", "seed", "forgot-one", "seed", "seed"]
    assert [s.other for s in found.speedups] == ["seed", "eager"]
    sittings = {"seed": FEWEST_PAIRS, "eager": baseline.SITTINGS}
    for comparison in found.comparisons:
        assert len(comparison.rounds) >= sittings[comparison.other] * PAIR_ROUNDS / 2
    best = best_variant(found)
    assert best is not None
    assert best.other == "eager"


@pytest.mark.slow
def test_every_way_with_torch_compile(evaluator: Evaluator) -> None:
    told: list[str] = []
    evaluator.tell = lambda stage, detail: told.extend([detail] if stage == "baseline" else [])
    found = evaluator.baselines(seed(evaluator.problem))
    check(found, {"eager", "recycled", "hypot", "in-place", "compile", TRAFFIC})
    assert told == [
        "eager", "recycled", "hypot", "in-place", "forgot-one", "raises", "compile", TRAFFIC,
    ]  # fmt: skip


def test_the_best_variant_is_the_one_closest_to_the_kernel() -> None:
    def speedup(name: str, estimate: float) -> Speedup:
        return Speedup(name, Interval(estimate, estimate, estimate), True, True)

    every = (speedup("seed", 0.9), speedup("eager", 3.0), speedup("compile", 0.8))
    found = Baselines((), (*every, speedup(TRAFFIC, 0.5)), ())
    assert best_variant(found) == speedup("compile", 0.8)
    assert best_variant(Baselines((), (), ())) is None
