"""Files in KernelBench's form on the command line, with kernels in C++ and in PyTorch."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from agent.cli.app import app
from evaluator import catalogue
from sandbox.bubblewrap import Bubblewrap
from tests.agent.command import finish, start

FILES = Path(__file__).parent / "files"
RIGHT = """
import torch
from torch import nn


class ModelNew(nn.Module):
    def __init__(self, d_in, hidden, d_out):
        super().__init__()
        steps = [nn.Linear(d_in, hidden), nn.Identity(), nn.LayerNorm(hidden)]
        self.net = nn.ModuleList([*steps, nn.Linear(hidden, d_out)])

    def forward(self, x):
        x = torch.nn.functional.gelu(torch.addmm(self.net[0].bias, x, self.net[0].weight.t()))
        return self.net[3](self.net[2](x))
"""
WRONG = RIGHT.replace("gelu(", "relu(")
RENAMED = RIGHT.replace("self.net", "self.layers")
COUNTING = RIGHT.replace(
    "    def forward(self, x):\n",
    "    def forward(self, x):\n        return self.remembered(x)\n\n"
    "    def remembered(self, x):\n"
    "        if hasattr(self, 'kept'):\n            return self.kept\n"
    "        self.kept = self.compute(x)\n        return self.kept\n\n"
    "    def compute(self, x):\n",
)
needs_sandbox = pytest.mark.skipif(not Bubblewrap().probe().available, reason="no bubblewrap here")


@pytest.fixture(autouse=True)
def _own_cache(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KERNELMILL_CACHE", str(cache))


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(app, [*arguments])


def verify(path: Path, problem: str, *more: str) -> Result:
    return invoke("verify", str(path), "--problem", problem, "--no-times", "--json", *more)


@needs_sandbox
def test_the_generated_seed_is_judged_like_any_kernel(tmp_path: Path) -> None:
    given = str(FILES / "conv_bn_pool.py")
    source = catalogue.seed_source(catalogue.load(f"{given}[batch_size=2,scale=0.5]"), "cpp")
    kernel = tmp_path / "seed.cpp"
    kernel.write_text(source)
    found = verify(kernel, given, "--set", "batch_size=2", "--scale", "0.5")
    assert found.exit_code == 0, found.output
    kernel.write_text(source.replace("acc = std::max(acc, ", "acc += ("))
    found = verify(kernel, given, "--set", "batch_size=2", "--scale", "0.5")
    assert found.exit_code == 1
    assert json.loads(found.stdout)["outcome"] == "incorrect"


@needs_sandbox
@pytest.mark.parametrize(
    ("source", "outcome", "words"),
    [
        (RIGHT, "ok", "no sanitizers"),
        (WRONG, "incorrect", "out[0,0] is"),
        pytest.param(
            RENAMED, "crashed", "named and shaped as those of Model", marks=pytest.mark.slow
        ),
        pytest.param(COUNTING, "incorrect", "elements are wrong", marks=pytest.mark.slow),
    ],
    ids=["right", "wrong", "renamed", "remembers"],
)
def test_a_module_is_judged(tmp_path: Path, source: str, outcome: str, words: str) -> None:
    path = tmp_path / "candidate.py"
    path.write_text(source)
    found = verify(path, str(FILES / "sequential.py"))
    document = json.loads(found.stdout)
    assert document["backend"] == "torch"
    assert document["outcome"] == outcome, document["evidence"]
    assert any(words in e["message"] for e in document["evidence"])
    assert found.exit_code == (0 if outcome == "ok" else 1)


def test_a_module_needs_a_model(tmp_path: Path) -> None:
    path = tmp_path / "candidate.py"
    path.write_text(RIGHT)
    found = invoke("verify", str(path), "--problem", "softmax")
    assert found.exit_code == 2
    assert "stands in for the Model of a file" in found.stderr


def test_init_makes_a_folder_of_a_file(tmp_path: Path) -> None:
    made = tmp_path / "mine"
    found = invoke("init", str(made), "--from", str(FILES / "triangular.py"), "--set", "N=24")
    assert found.exit_code == 0, found.output
    problem = catalogue.load(str(made))
    assert problem.name == "mine"
    assert problem.time_workloads[0].dims == {"N": 24}
    assert "void kernel(" in catalogue.seed_source(problem, "cpp")
    found = invoke("check", str(FILES / "bad_shape.py"))
    assert found.exit_code == 2
    assert "bad_shape.py:11: unusable: RuntimeError" in found.output


def test_sizes_are_those_of_files(tmp_path: Path) -> None:
    found = invoke("optimize", "softmax", "--set", "rows=3")
    assert found.exit_code == 2
    assert "--set and --scale change the sizes of a file" in found.stderr
    found = invoke("problems", "show", str(FILES / "triangular.py"), "--set", "N=24", "--json")
    assert found.exit_code == 0, found.output
    described = json.loads(found.stdout)
    assert described["time_workloads"][0]["dims"] == {"N": 24}
    assert "void kernel(const float* A" in described["prototype"]
    found = invoke("optimize", str(FILES / "top_k.py"), "--archive", str(tmp_path / "a.db"))
    assert found.exit_code == 2
    assert "no rule for topk" in found.stderr


@needs_sandbox
@pytest.mark.slow
def test_optimize_and_resume(cache: Path, tmp_path: Path) -> None:
    where = ("--archive", str(tmp_path / "a.db"), "--no-baselines")
    given = str(FILES / "softmax_rows.py")
    code, out, err = finish(
        start(
            cache,
            "optimize",
            given,
            "--set",
            "length=512",
            "--evaluations",
            "2",
            *where,
            hurried=True,
        )
    )
    assert code in (0, 1), err
    assert "2/2" in out
    code, out, err = finish(start(cache, "resume", "1", "--evaluations", "3", *where, hurried=True))
    assert code in (0, 1), err
    assert "resumed: 3 evaluations" in out
