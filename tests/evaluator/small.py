"""Problems of the catalogue cut down to one short timed workload, and kernels for them."""

from __future__ import annotations

import dataclasses
import functools

from evaluator import catalogue
from evaluator.candidate import Candidate
from evaluator.problem import Problem, Role, Workload

SOFTMAX = 'extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols)'
_TIMED = {
    "softmax": Workload("64x1024", {"rows": 64, "cols": 1024}, role=Role.TIME),
    "histogram": Workload(
        "60000-64", {"n": 60000, "bins": 64}, {"lo": -4.0, "hi": 4.0}, role=Role.TIME
    ),
}


@functools.cache
def small(name: str) -> Problem:
    """A problem of the catalogue with its check workloads and one short timed one."""
    full = catalogue.load(name)
    return dataclasses.replace(full, workloads=(_TIMED[name], *full.check_workloads))


def seed(problem: Problem) -> Candidate:
    """Its naive kernel."""
    return Candidate(problem.name, "cpp", catalogue.seed_source(problem, "cpp"))


def softmax(body: str, before: str = "") -> Candidate:
    """A softmax kernel with this body; `naive(x, y, rows, cols)` is at hand."""
    return Candidate("softmax", "cpp", f"{NAIVE}{before}\n{SOFTMAX} {{\n{body}\n}}\n")


NAIVE = """\
#include <cmath>
#include <cstdint>
#include <cstdlib>

static void naive(const float* x, float* y, int64_t rows, int64_t cols) {
    for (int64_t i = 0; i < rows; i++) {
        const float* in = x + i * cols;
        float* out = y + i * cols;
        float largest = in[0], sum = 0.0f;
        for (int64_t j = 1; j < cols; j++) largest = in[j] > largest ? in[j] : largest;
        for (int64_t j = 0; j < cols; j++) sum += out[j] = std::exp(in[j] - largest);
        for (int64_t j = 0; j < cols; j++) out[j] /= sum;
    }
}
"""
