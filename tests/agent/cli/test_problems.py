"""`kernelmill problems` for names, paths and mistakes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.cli.app import app
from evaluator import catalogue

needs_catalogue = pytest.mark.skipif(
    "softmax" not in catalogue.builtin_names(), reason="the catalogue has no softmax"
)
PROBLEM = """
import torch
from evaluator.problem import Law, Problem, Role, Scalar, Tensor, Variant, Workload


def reference(x, a):
    return a * x


problem = Problem(
    name="scale",
    summary="y = a x",
    description="Multiply every element.",
    inputs=(Tensor("x", "n"),),
    outputs=(Tensor("y", "n"),),
    scalars=(Scalar("a"),),
    reference=reference,
    workloads=(
        Workload("big", {"n": 1000}, {"a": 2.0}, role=Role.TIME),
        Workload("secret-tail", {"n": 13}, {"a": -1.0}, "wide"),
    ),
    flops=lambda n: n,
    bytes=lambda n: 8 * n,
    laws=(Law("sign follows a", lambda x, y: 0.0),),
    variants=(Variant("mul-out", lambda x, a, y: torch.mul(x, a, out=y)),),
)
"""
SEED = "void kernel(const float* x, float* y, int64_t n, float a) { /* the seed */ }\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "scale"
    made.mkdir()
    (made / "problem.py").write_text(PROBLEM)
    (made / "seed.cpp").write_text(SEED)
    return made


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["problems", *arguments])


def test_show_prints_what_an_author_needs(folder: Path) -> None:
    result = invoke("show", str(folder))
    assert result.exit_code == 0, result.output
    for words in [
        "scale: y = a x",
        "Multiply every element.",
        'extern "C" void kernel(const float* x, float* y, int64_t n, float a);',
        "#include <stdint.h>",
        "big: n=1000 a=2.0 (normal)",
        "1,000 flop, 8,000 bytes",
        "float32 stays float32",
        "Law: sign follows a",
        "eager, mul-out",
        "// tunable: TILE = 64 in [16, 32, 64, 128]",
        "-ffast-math",
        "/* the seed */",
    ]:
        assert words in result.stdout


@pytest.mark.parametrize("form", [(), ("--json",)])
def test_check_workloads_are_counted_and_never_shown(folder: Path, form: tuple[str, ...]) -> None:
    result = invoke("show", str(folder), *form)
    assert result.exit_code == 0
    assert "secret-tail" not in result.stdout
    if form:
        assert json.loads(result.stdout)["check_workloads"] == 1
    else:
        assert "1 further workloads" in result.stdout


def test_show_json(folder: Path) -> None:
    document = json.loads(invoke("show", str(folder), "--json").stdout)
    assert document["parameters"][0] == {
        "name": "x",
        "type": "const float*",
        "note": "input [n]",
        "dtype": "float32",
        "shape": ["n"],
    }
    assert document["time_workloads"][0]["flops"] == 1000
    assert document["policy"]["precision"] == "strict"
    assert document["seed"] == SEED


def test_show_for_other_backends(folder: Path) -> None:
    cuda = json.loads(invoke("show", str(folder), "--backend", "cuda", "--json").stdout)
    assert cuda["prototype"].endswith("float a, cudaStream_t stream);")
    assert cuda["seed"] is None
    triton = json.loads(invoke("show", str(folder), "--backend", "triton", "--json").stdout)
    assert triton["prototype"] == "def kernel(x, y, n, a):"
    assert triton["tunables"].startswith("# tunable:")


def test_a_broken_problem_names_its_line(folder: Path) -> None:
    (folder / "problem.py").write_text("import torch\n1 / 0\n")
    result = invoke("show", str(folder))
    assert result.exit_code == 2
    assert "problem.py:2: ZeroDivisionError" in result.stderr
    assert result.stderr.count("\n") == 1


@needs_catalogue
def test_an_unknown_problem_offers_the_nearest_names() -> None:
    result = invoke("show", "softmx")
    assert result.exit_code == 2
    assert "unknown problem 'softmx'; did you mean softmax" in result.stderr
    assert result.stdout == ""


@needs_catalogue
def test_the_list_in_every_form() -> None:
    names = catalogue.builtin_names()
    text = invoke()
    assert text.exit_code == 0, text.stderr
    assert all(f"\n{name} " in text.stdout for name in names)
    rows = json.loads(invoke("--json").stdout)
    assert [row["name"] for row in rows] == names
    assert all("cpp" in row["backends"] and row["time"] >= 1 for row in rows)
    assert invoke("--csv").stdout.startswith("name,summary,")
    assert invoke("--csv", "--json").exit_code == 2
