"""Who may have children."""

from __future__ import annotations

import random
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.population import NARROW, WIDE, Member, Population, Taste, cell_of
from evaluator.candidate import Candidate


def member(name: str, score: float, confirmed: bool = False, cell: str = "a") -> Member:
    return Member(Candidate("p", "cpp", name), score, confirmed, cell)


def planted(islands: int = 2) -> Population:
    population = Population(islands)
    population.plant(member("seed", 1.0, True))
    return population


courses = st.lists(
    st.tuples(st.floats(0.01, 100), st.booleans(), st.sampled_from("abc"), st.integers(0, 9)),
    max_size=30,
)


def filled(course: list[tuple[float, bool, str, int]], islands: int = 3) -> Population:
    population = planted(islands)
    for number, (score, confirmed, cell, ordinal) in enumerate(course):
        island = population.island_of(ordinal)
        population.insert(member(f"child {number}", score, confirmed, cell), island)
    return population


def test_an_empty_population_has_no_parents() -> None:
    with pytest.raises(LookupError):
        Population(2).select(random.Random(0), 0)


@given(courses)
def test_the_incumbent_is_the_latest_confirmed(
    course: list[tuple[float, bool, str, int]],
) -> None:
    confirmed = [f"child {n}" for n, (_, sure, _, _) in enumerate(course) if sure]
    assert filled(course).incumbent.candidate.source == ["seed", *confirmed][-1]


@given(courses)
def test_every_cell_holds_its_best(course: list[tuple[float, bool, str, int]]) -> None:
    for island in filled(course).islands:
        for cell, elite in island.cells.items():
            own = [m.score for m in island.members.values() if m.cell == cell]
            assert elite.score == max(own)
        ranked = island.ranked()
        assert [m.score for m in ranked] == sorted((m.score for m in ranked), reverse=True)
        assert all(elite in ranked for elite in island.cells.values())


@given(courses, st.integers(0, 2**32), st.floats(0, 1))
def test_selection_depends_on_the_generator_alone(
    course: list[tuple[float, bool, str, int]], seed: int, heat: float
) -> None:
    population = filled(course)
    first, second = (population.select(random.Random(seed), 1, heat) for _ in range(2))
    assert first == second
    assert first == population.member(first.candidate.digest)


@given(courses)
def test_migration_brings_the_best_to_the_next_island(
    course: list[tuple[float, bool, str, int]],
) -> None:
    population = filled(course)
    tops = [island.ranked()[0] for island in population.islands]
    population.migrate()
    for number, top in enumerate(tops):
        assert top.candidate.digest in population.islands[(number + 1) % 3].members


def drawn(population: Population, heat: float, taste: Taste = WIDE) -> Counter[str]:
    rng = random.Random(7)
    chosen = (population.select(rng, 0, heat, taste) for _ in range(2000))
    return Counter(member.candidate.source for member in chosen)


def test_the_best_and_the_runners_up_get_most_children() -> None:
    population = planted(1)
    for name, score, confirmed in (
        ("far", 1.5, True), ("near", 3.8, False), ("best", 4.0, True), ("poor", 0.2, False),
    ):  # fmt: skip
        population.insert(member(name, score, confirmed), 0)
    calm, hot = drawn(population, 0.0), drawn(population, 1.0)
    assert calm["best"] > calm["near"] > calm["far"]
    assert calm["best"] + calm["near"] > 1200
    narrow = drawn(population, 0.0, NARROW)
    assert narrow["best"] + narrow["near"] > 1600
    assert hot["poor"] > calm["poor"]
    assert hot["seed"] > calm["seed"]


def test_models_are_mostly_asked_to_improve_the_best() -> None:
    population = planted(1)
    for rank in range(10):
        population.insert(member(f"number {rank}", 4.0 - rank / 10, rank == 0), 0)
    narrow, wide = drawn(population, 0.0, NARROW), drawn(population, 0.0, WIDE)
    assert narrow["number 0"] > 1200 > 700 > wide["number 0"]
    assert wide["number 9"] > 3 * narrow["number 9"]


def test_whoever_had_many_children_gets_fewer() -> None:
    population = planted(1)
    population.insert(member("runner-up", 0.99), 0)
    fresh = drawn(population, 0.0)["runner-up"]
    for _ in range(30):
        population.count_child([member("runner-up", 0.99).candidate.digest])
    assert drawn(population, 0.0)["runner-up"] < fresh / 2


def test_an_equal_child_wears_its_parent_out_more_than_a_new_one() -> None:
    population = planted(1)
    for name in ("one", "other"):
        population.insert(member(name, 0.99), 0)
    for _ in range(5):
        population.count_child([member("one", 1.0).candidate.digest])
        population.count_equal_child([member("other", 1.0).candidate.digest])
    counts = drawn(population, 0.5)
    assert counts["one"] > counts["other"] > 0


def test_a_stuck_island_far_behind_is_seeded_anew_and_no_other() -> None:
    population = planted(3)
    population.insert(member("best", 4.0, True, "b"), 0)
    population.insert(member("near", 3.5, False, "c"), 1)
    population.insert(member("poor", 1.5), 2)
    population.migrate()  # immigrants do not save it
    for island in (0, 1, 2):
        for _ in range(5):
            population.count_trial(island, False)
    assert population.extinguish(6) is None
    assert population.extinguish(0) is None
    gone = population.extinguish(5)
    assert gone is not None
    assert (gone.island, gone.fruitless, gone.best, gone.ahead) == (2, 5, 1.5, 4.0)
    found = [m.candidate.source for m in population.islands[2].ranked()]
    assert found == ["best", "near", "poor"]  # the poor one had emigrated before
    assert [m.candidate.digest for m in population.islands[2].ranked()] == list(gone.settlers)
    assert population.extinguish(5) is None  # it has its time again
    assert population.incumbent.candidate.source == "best"


@given(courses, st.integers(1, 4))
def test_the_island_of_the_incumbent_never_dies(
    course: list[tuple[float, bool, str, int]], after: int
) -> None:
    population = planted(3)
    for number, (score, _, cell, ordinal) in enumerate(course):
        better = score > population.incumbent.score
        island = population.island_of(ordinal)
        population.insert(member(f"child {number}", score, better, cell), island)
        population.count_trial(island, better)
        home = [i for i in population.islands if i.native_best == population.incumbent.score]
        gone = population.extinguish(after)
        assert gone is None or population.islands[gone.island] not in home
        assert all(i.members for i in population.islands)


def test_cells_come_from_the_built_artefact() -> None:
    wide: dict[str, float | int | str] = {"vector": "avx512", "parallel_regions": 1}
    wide["instructions"] = 300
    assert cell_of(wide) == "avx512/parallel/size4"
    assert cell_of({**wide, "vector": "sse"}) != cell_of(wide)
    assert cell_of({}) == "unknown"
