"""Faults are planted where they are meant to be, and equivalent mutants are recognised."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest
import torch

from agent.transform.syntax import parse
from benchmarks.mutants.broad import broad
from benchmarks.mutants.draw import BY_HAND, OPERATORS, draw, mutants
from benchmarks.mutants.handmade import MISTAKES
from benchmarks.mutants.kinship import Comparer, Kin
from benchmarks.mutants.subjects import HANDMADE, Subject, subjects
from evaluator import catalogue
from evaluator.candidate import Candidate
from evaluator.inputs import draw_inputs
from evaluator.numeric import reference_outputs
from evaluator.problem import Role
from sandbox.bubblewrap import Bubblewrap

SAMPLE = """\
#include <cmath>
#include <cstdint>
#include <immintrin.h>

extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols, float eps) {
    double total = 0.0;
    float largest = x[0];
#pragma omp parallel for reduction(+ : total)
    for (int64_t i = 0; i < rows; i++) {
        float sum = 0.0f;
        for (int64_t j = 0; j < cols; j++) {
            if (x[i * cols + j] > largest) {
                sum += std::exp(x[i * cols + j] - largest) / (sum + eps);
            }
            largest = std::max(largest, sum);
        }
        y[i] = sum * 0.5f;
        total += sum;
    }
    _mm512_storeu_ps(y, _mm512_sub_ps(_mm512_loadu_ps(x + 16), _mm512_setzero_ps()));
}
"""
CHANGES = (
    ("off_by_one", "i <= rows"),
    ("off_by_one", "int64_t j = (0) + 1"),
    ("dropped_tail", "j < (cols) / 8 * 8"),
    ("wrong_stride", "j += 2 * (1)"),
    ("wrong_stride", "x[i * (cols - 1) + j]"),
    ("bad_tile", "if (i == (0) + 2 * (1)) {"),
    ("swapped_indices", "x[cols * i + j]"),
    ("wrong_index", "x[i * cols + j + 1]"),
    ("narrow_index", "int16_t j = 0"),
    ("swapped_operands", "largest - (x[i * cols + j])"),
    ("wrong_sign", "sum -= std::exp"),
    ("wrong_operator", "y[i] = sum + 0.5f;"),
    ("wrong_constant", "0.500244140625f"),
    ("wrong_comparison", ">= largest"),
    ("nan_handling", "!(x[i * cols + j] <= largest)"),
    ("minimum_for_maximum", "std::min(largest, sum)"),
    ("decided_condition", "if (true)"),
    ("dropped_operand", "y[i] = sum;"),
    ("skipped_maximum", "std::exp(x[i * cols + j])"),
    ("skipped_epsilon", "/ (sum)"),
    ("wrong_accumulator", "float sum = 1;"),
    ("uninitialised", "float sum ;"),
    ("stale_output", "if ((sum * 0.5f) != 0) {"),
    ("missing_sync", "#pragma omp parallel for \n"),
    ("race", "static volatile float sum;"),
    ("lower_precision", "y[i] = lowered(sum * 0.5f);"),
    ("single_for_double", "float total = 0.0;"),
    ("flushed_denormals", "_mm_setcsr(_mm_getcsr() | 0x8040);"),
)


def sample(source: str = SAMPLE) -> Subject:
    return Subject("softmax", "sample", source)


@pytest.mark.parametrize("operator", OPERATORS)
def test_operator_makes_different_sources_that_parse(operator: str) -> None:
    made = mutants(sample(), operator)
    assert made
    assert len({m.source for m in made}) == len(made)
    for mutant in made:
        assert mutant.source != SAMPLE
        assert parse(mutant.source) is not None
        assert mutant.diff.startswith("@@")
        assert 1 <= mutant.line <= SAMPLE.count("\n")


@pytest.mark.parametrize(("operator", "text"), CHANGES)
def test_operator_plants_the_fault_it_is_named_after(operator: str, text: str) -> None:
    assert text not in SAMPLE
    assert any(text in m.source for m in mutants(sample(), operator))


def test_a_statement_is_dropped() -> None:
    sources = [m.source for m in mutants(sample(), "dropped_statement")]
    assert any("y[i] = sum" not in s and "total += sum" in s for s in sources)


def test_mistakes_by_hand_belong_to_seeds() -> None:
    seed = next(s for s in subjects("gemm") if s.is_seed)
    assert len(mutants(seed, BY_HAND)) == len(MISTAKES["gemm"])
    assert mutants(sample(), BY_HAND) == []


@pytest.mark.parametrize("name", HANDMADE)
def test_problems_with_kernels_by_hand_have_two(name: str) -> None:
    assert sum(s.name.startswith("kernels/") for s in subjects(name)) >= 2


@pytest.mark.slow
def test_other_problems_have_kernels_made_by_rules() -> None:
    for name in set(catalogue.builtin_names()) - set(HANDMADE):
        assert subjects(name)[0].is_seed
        assert any(s.is_opening for s in subjects(name)), name


@pytest.mark.parametrize("name", ["ntt", "monarch", "decode_attention", "gemv_int4", "topk"])
def test_shapes_for_comparing_make_sense(name: str) -> None:
    problem = catalogue.load(name)
    drawn = broad(problem, seed=1, count=30)
    assert len({w.name for w in drawn[:30]}) == 30
    assert len({tuple(w.dims.items()) for w in drawn[:30]}) > 12
    assert drawn == broad(problem, seed=1, count=30)
    for workload in drawn[:30]:
        inputs = draw_inputs(problem, workload, torch.Generator().manual_seed(2))
        reference_outputs(problem, workload, inputs, "float64")


def test_drawing_depends_on_the_seed_alone_and_repeats_nothing() -> None:
    kernels = [sample()]
    first = [m.source for m in draw(kernels, 1)]
    assert first == [m.source for m in draw(kernels, 1)]
    assert first != [m.source for m in draw(kernels, 2)]
    assert len(set(first)) == len(first)
    assert len({m.operator for m in islice(draw(kernels, 1), 40)}) > 12


@pytest.fixture(scope="module")
def comparer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Comparer]:
    problem = catalogue.load("softmax")
    timed = dataclasses.replace(problem.workload("7x13"), role=Role.TIME)
    problem = dataclasses.replace(problem, workloads=(timed,))
    seed = Candidate("softmax", "cpp", catalogue.seed_source(catalogue.load("softmax"), "cpp"))
    comparer = Comparer(problem, seed, Bubblewrap(), Path(tmp_path_factory.mktemp("cache")))
    yield comparer
    comparer.close()


def kin(comparer: Comparer, old: str, new: str) -> Kin:
    source = catalogue.seed_source(catalogue.load("softmax"), "cpp")
    assert old in source
    original = Candidate("softmax", "cpp", source)
    mutant = Candidate("softmax", "cpp", source.replace(old, new))
    return comparer.compare(mutant, original).kin


def test_the_same_computation_is_equal(comparer: Comparer) -> None:
    assert kin(comparer, "in[j] > largest", "in[j] >= largest") is Kin.EQUAL


def test_another_rounding_is_as_good(comparer: Comparer) -> None:
    assert kin(comparer, "float sum = 0.0f", "double sum = 0.0") is Kin.AS_GOOD


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("float largest = in[0]", "float largest = 0.0f"),  # wrong for very negative rows alone
        ("int64_t j = 1; j < cols", "int16_t j = 1; j < cols"),  # never ends on long rows
    ],
)
def test_a_fault_in_rare_inputs_is_different(comparer: Comparer, old: str, new: str) -> None:
    assert kin(comparer, old, new) is Kin.DIFFERENT
