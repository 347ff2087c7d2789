"""How a kernel is called, told without the problem."""

from __future__ import annotations

import json

import pytest

from evaluator import catalogue
from evaluator.arena import InputArena, Share
from evaluator.inside.form import CallForm, extents

NAMES = ["softmax", "gemm", "histogram", "jacobi2d", "adamw", "spmv_csr"]


@pytest.mark.parametrize("name", NAMES)
def test_a_form_survives_as_json_and_orders_arguments_as_the_signature(name: str) -> None:
    problem = catalogue.load(name)
    form = CallForm.read(json.loads(json.dumps(CallForm.of(problem).document())))
    assert form == CallForm.of(problem)
    workload = problem.check_workloads[0]
    arena = InputArena(problem, 0)
    arena.arrange([Share(workload, 1)])
    (group,) = arena.layout.groups
    arena.close()
    values = form.values(group.integers, group.floats)
    assert values == {**workload.dims, **problem.received(workload)}
    assert extents(form, values) == [t.extents(workload.dims) for t in problem.tensors]
    passed = form.arguments(["tensor"] * len(problem.tensors), values)
    named = [*problem.dims, *(s.name for s in problem.scalars)]
    assert passed[len(problem.tensors) :] == tuple(values[n] for n in named)
