"""What the import contract cannot see by itself."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("agent", "db", "evaluator", "sandbox")
PROBLEMS = sorted((ROOT / "kernels_seed").glob("*/problem.py"))


def imported_modules(script: Path) -> set[str]:
    """Full names of the modules that a script imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(script.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


@pytest.mark.parametrize("script", PROBLEMS, ids=lambda p: p.parent.name)
def test_a_problem_imports_the_problem_format_alone(script: Path) -> None:
    ours = {m for m in imported_modules(script) if m.split(".")[0] in (*LAYERS, "kernels_seed")}
    assert ours <= {"evaluator.problem", "evaluator.errors"}


@pytest.mark.parametrize("layer", LAYERS)
def test_every_module_is_in_a_package_the_contract_analyses(layer: str) -> None:
    folders = {p.parent for p in (ROOT / layer).rglob("*.py")}
    assert not [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").is_file()]
