"""What the archive keeps of a problem: enough to tell whether two results may be compared."""

from __future__ import annotations

import hashlib
from typing import Any

from evaluator.problem import Problem


def problem_spec(problem: Problem) -> dict[str, Any]:
    """A JSON-able description; equal for equal problems, different when `problem.py` changes."""
    definition = "" if problem.path is None else (problem.path / "problem.py").read_text("utf-8")
    return {
        "summary": problem.summary,
        "inputs": [[t.name, t.shape, t.dtype] for t in problem.inputs],
        "outputs": [[t.name, t.shape, t.dtype] for t in problem.outputs],
        "scalars": [[s.name, s.dtype] for s in problem.scalars],
        "precision": str(problem.policy.precision),
        "factor": problem.policy.factor,
        "laws": [law.name for law in problem.laws],
        "variants": [variant.name for variant in problem.variants],
        "workloads": [
            {
                "name": w.name,
                "dims": dict(w.dims),
                "scalars": dict(w.scalars),
                "distribution": w.distribution,
                "role": str(w.role),
            }
            for w in problem.workloads
        ],
        "definition": hashlib.sha256(definition.encode()).hexdigest(),
    }
