"""A problem so small that the real evaluator judges a candidate in a fraction of a second."""

from __future__ import annotations

from pathlib import Path

from agent.cli.config import CampaignConfig

PROBLEM = '''
"""y = sqrt(x * x + 1), element by element."""

import torch

from evaluator.problem import NumericPolicy, Problem, Role, Tensor, Workload


def reference(x):
    return torch.sqrt(x * x + 1.0)


def sizes(name, n, distribution="normal", role=Role.CHECK):
    return Workload(name, {"n": n}, distribution=distribution, role=role)


problem = Problem(
    name="hypotenuse",
    summary="y = sqrt(x * x + 1)",
    inputs=(Tensor("x", "n"),),
    outputs=(Tensor("y", "n"),),
    reference=reference,
    workloads=(
        sizes("timed", 60000, role=Role.TIME),
        *(sizes(f"check{n}", n) for n in (1, 2, 17, 64, 1000)),
        sizes("uniform", 333, "uniform"),
    ),
    flops=lambda n: 3 * n,
    bytes=lambda n: 8 * n,
)
'''
SEED = """\
#include <cmath>
#include <cstdint>

extern "C" void kernel(const float* x, float* y, int64_t n) {
    for (int64_t i = 0; i < n; i++) {
        double wide = (double)x[i] * (double)x[i] + 1.0;
        y[i] = (float)std::sqrt(wide);
    }
}
"""
WRONG_SEED = SEED.replace("+ 1.0", "+ 2.0")


def write_problem(parent: Path, seed: str = SEED) -> Path:
    """The problem's folder, made in `parent`."""
    folder = parent / "hypotenuse"
    folder.mkdir()
    (folder / "problem.py").write_text(PROBLEM)
    (folder / "seed.cpp").write_text(seed)
    return folder


def settings(folder: Path, evaluations: int = 3, **more: object) -> CampaignConfig:
    """A configuration for a short campaign on a folder."""
    return CampaignConfig.model_validate(
        {"problem": str(folder), "evaluations": evaluations, "batch_size": 3, **more}
    )
