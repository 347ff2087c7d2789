"""Mutants die in verification: a few of every problem's seed here, more of all kernels if slow."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from benchmarks.mutants.subjects import HANDMADE, subjects
from benchmarks.mutation_score import measure
from evaluator import catalogue, verify
from evaluator.problem import Problem, Role


def brief(name: str) -> Problem:
    """Check workloads alone; the smallest of them plays the timed one."""
    problem = catalogue.load(name)
    timed, *others = problem.check_workloads
    return dataclasses.replace(
        problem, workloads=(dataclasses.replace(timed, role=Role.TIME), *others)
    )


QUICK = ("gemv",)
"""Tried in every run of the tests."""


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(n, marks=[] if n in QUICK else [pytest.mark.slow], id=n)
        for n in catalogue.builtin_names()
    ],
)
def test_faults_in_the_seed_are_found(
    name: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "CHECK_TIMEOUT", 2.0)  # some mutants never end
    cache = tmp_path_factory.getbasetemp() / "mutants"
    seed = [s for s in subjects(name) if s.is_seed]
    record = measure(brief(name), seed, seed=76, count=2, cache=cache)
    assert record.mutants == 2
    assert record.survivors == ()
    assert record.killed + record.equivalent == 2


@pytest.mark.slow
@pytest.mark.parametrize("name", HANDMADE)
def test_faults_in_unusual_kernels_are_found(name: str, tmp_path: Path) -> None:
    record = measure(catalogue.load(name), subjects(name), seed=5, count=20, cache=tmp_path)
    assert record.mutants == 20
    assert len(record.survivors) <= 1, record.survivors
