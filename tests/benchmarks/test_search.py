"""Walking a recorded space."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path

import pytest

from agent.transform.engine import PRIOR
from agent.transform.openings import openings
from benchmarks import recorded_answers, spaces
from benchmarks.lattice import Lattice, Setting, lattice
from benchmarks.search import STRATEGIES
from benchmarks.spaces import Node, Recording
from benchmarks.walks import Space, Stand, Strategy, Taught, Walk, after
from evaluator import catalogue

CHAIN = 6


def node(number: int, parent: int | None, log: float | None, **more: object) -> Node:
    fields: dict[str, object] = {
        "operator": "transform" if number else "seed", "rules": ("simd",),
        "outcome": "ok" if log is not None else "incorrect", "program": number,
        "cell": "avx2/serial/size4", "log_speedup": log, "spread": 0.001, "seconds": 1.0,
    }  # fmt: skip
    return Node(number=number, parent=parent, **{**fields, **more})  # type: ignore[arg-type]


def ladder() -> list[Node]:
    """Every rung doubles the speed, and has two wrong siblings and one with known machine code."""
    nodes = [node(0, None, 0.0)]
    rung = 0
    for step in range(1, CHAIN + 1):
        first = len(nodes)
        nodes.append(node(first, rung, step * math.log(2)))
        nodes += [node(first + k, rung, None) for k in (1, 2)]
        nodes.append(node(first + 3, rung, nodes[rung].log_speedup, program=rung))
        rung = first
    return nodes


def tree(problem: str, nodes: list[Node]) -> Space:
    return Space(problem, Recording(nodes, Lattice(()), {}, []))


def stands(strategy: Strategy, seed: int = 0, evaluations: int = 60) -> list[Stand]:
    return asyncio.run(Walk(tree("softmax", ladder()), strategy, seed, evaluations).run())


def walked(strategy: Strategy, seed: int = 0, evaluations: int = 60) -> list[float]:
    return [stand.log_speedup for stand in stands(strategy, seed, evaluations)]


@pytest.mark.parametrize("name", STRATEGIES)
def test_every_strategy_finds_the_top_of_a_small_space(name: str) -> None:
    assert walked(STRATEGIES[name])[-1] == pytest.approx(CHAIN * math.log(2))


def test_known_machine_code_costs_an_evaluation_only_without_the_cache() -> None:
    cached = walked(Strategy())
    paying = walked(Strategy(equivalence=False))
    assert len(cached) <= 3 * CHAIN < len(paying) <= 4 * CHAIN


def test_a_walk_is_a_function_of_its_seed() -> None:
    assert walked(Strategy(), seed=3) == walked(Strategy(), seed=3)
    assert len({tuple(walked(Strategy(), seed=s)) for s in range(5)}) > 1


def test_the_budget_ends_a_walk() -> None:
    assert len(walked(Strategy(), evaluations=5)) == 5


def test_a_walk_that_ended_early_keeps_what_it_had() -> None:
    early = [Stand(0.1, 0), Stand(0.3, 50)]
    assert after(early, 60) == Stand(0.3, 50)
    assert after([], 60) == Stand(0.0, 0)


def answered() -> Space:
    """The ladder, and two answers of a model that lead beyond its top."""
    nodes = ladder()
    first = len(nodes)
    nodes.append(node(first, 0, 3.0, operator="rewrite", rules=(), tokens=1000))
    nodes.append(node(first + 1, first, 6.0, operator="rewrite", rules=(), tokens=500))
    return tree("softmax", nodes)


def test_a_models_answers_come_in_their_order_and_cost_their_tokens() -> None:
    curve = asyncio.run(Walk(answered(), Strategy(mix=0.0), 0, 60).run())
    assert curve[:2] == [Stand(3.0, 1000), Stand(6.0, 1500)]
    assert curve[-1].tokens == 1500


def test_embedded_children_have_their_share_beside_a_model() -> None:
    curve = asyncio.run(Walk(answered(), Strategy(mix=0.5), 0, 60).run())
    assert [stand.tokens for stand in curve][:4] == [0, 1000, 1000, 1500]


def test_without_a_model_its_answers_are_never_met() -> None:
    curve = asyncio.run(Walk(answered(), Strategy(), 0, 60).run())
    assert curve[-1].log_speedup == pytest.approx(CHAIN * math.log(2))
    assert curve[-1].tokens == 0


def grid() -> Recording:
    """Two rules that pay, "simd" more than "unroll", and flags that bring nothing."""
    lattice = Lattice(("unroll", "simd"))
    nodes: list[Node] = []
    places: dict[Setting, int] = {}
    for setting in lattice.settings():
        gain = 0.2 * setting.rules[0] + 1.0 * setting.rules[1]
        first = places.get(Setting(setting.rules, 0), len(nodes))
        places[setting] = len(nodes)
        rules = tuple(n for n, on in zip(lattice.names, setting.rules, strict=True) if on)
        nodes.append(node(len(nodes), None, gain, rules=rules, program=first))
    return Recording(nodes, lattice, places, [])


def test_every_combination_is_within_reach() -> None:
    for seed in range(5):
        curve = asyncio.run(Walk(Space("gemm", grid()), Strategy(), seed, 60).run())
        assert curve[-1].log_speedup == pytest.approx(1.2)


def test_lessons_are_what_rules_brought_elsewhere_and_count_as_a_few_children() -> None:
    taught = Taught([Space("gemm", grid())])
    before = taught.factors()
    assert before["simd"] > before["unroll"] > 1.0 > before["flags"]
    for _ in range(20):
        taught.update(("simd",), None)
    assert taught.factors()["simd"] < 1.0


def test_a_space_comes_back_from_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spaces, "SPACES", tmp_path)
    spaces.store("gemm", grid())
    assert spaces.load("gemm") == grid()


def test_a_lattice_of_the_seed_holds_it_and_openings_of_the_proposer() -> None:
    seed = catalogue.seed_source(catalogue.load("gemm"), "cpp")
    made = lattice(seed, 7, PRIOR)
    sources = [made.source(seed, setting) for setting in made.settings()]
    assert sources[0] == seed
    assert {proposal.source for proposal in openings(seed)} & set(sources)
    assert len(set(sources)) > 200


def test_steps_add_rules_or_flags_and_never_take_any_away() -> None:
    made = Lattice(("tile", "simd", "restrict"))
    at = Setting((False, True, False), 0)
    one = dict(made.further(at, 1))
    assert set(one.values()) == {("tile",), ("restrict",), ("flags",)}
    assert one[Setting((True, True, False), 0)] == ("tile",)
    assert ("tile", "flags") in dict(made.further(at, 2)).values()
    assert not list(made.further(Setting((True, True, True), 1), 1))
    assert set(made.other_flags(at)) == {Setting(at.rules, 1), Setting(at.rules, 2)}


def test_recorded_answers_have_kernels_parents_and_tokens() -> None:
    found = recorded_answers.answers("softmax")
    made = {answer.child.candidate.digest for answer in found}
    assert len(made) == len(found) >= 15
    assert all(answer.tokens > 500 and answer.child.parents for answer in found)
    assert any(set(answer.child.parents) & made for answer in found)
    assert recorded_answers.answers("gemm") == []
