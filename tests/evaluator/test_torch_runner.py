"""The runner of PyTorch variants: what is timed is the variant, and nothing of ours."""

from __future__ import annotations

import inspect
import json
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from evaluator import catalogue
from evaluator.arena import InputArena, OutputArena, Share
from evaluator.problem import Problem
from evaluator.torch_runner import TorchRunner, _map
from evaluator.workshop import Workshop
from sandbox.bubblewrap import Bubblewrap
from sandbox.regions import Region
from tests.agent.tiny import write_problem
from tests.evaluator.conftest import EvaluatorOf

SLOTS = 3
PAGES = 40


@pytest.fixture
def problem(tmp_path: Path) -> Problem:
    return catalogue.load(str(write_problem(tmp_path)))


@pytest.fixture
def region() -> Iterator[Region]:
    made = Region("test", 0o644)
    made.ensure(PAGES * 4096)
    yield made
    made.close()


def test_a_call_looks_at_no_signature(problem: Problem, monkeypatch: pytest.MonkeyPatch) -> None:
    inputs, outputs = InputArena(problem, 0), OutputArena(problem, Region("outputs", 0o644))
    workload = problem.time_workloads[0]
    inputs.arrange([Share(workload, SLOTS)])
    outputs.arrange(inputs)
    for slot in range(SLOTS):
        inputs.slots[0][slot]["x"].fill_(slot)
    runner = TorchRunner([outputs.region.memory, inputs.region.memory])
    request = {"problem": str(problem.path), "variant": "", "compile": False, "store": True}
    runner.load(json.dumps(request).encode())
    runner.bind(inputs.layout.words())
    with monkeypatch.context() as patched:
        patched.setattr(inspect, "signature", lambda _: pytest.fail("looked at a signature"))
        runner.call(struct.pack(f"<{SLOTS + 1}q", 0, *range(SLOTS)))
    for slot in range(SLOTS):
        expected = problem.reference(x=inputs.slots[0][slot]["x"])
        torch.testing.assert_close(outputs.slots[0][slot]["y"], expected)


@pytest.mark.parametrize("mode", ["ro", "rw"])
def test_every_page_is_in_place(region: Region, mode: str) -> None:
    mapped = _map(f"{mode}:{region.path}")
    address = torch.frombuffer(mapped, dtype=torch.uint8).data_ptr()
    assert resident(address) == PAGES * 4
    region.memory[4096] = 7
    assert mapped[4096] == 7, "what the judge writes later is seen"


def resident(address: int) -> int:
    """KiB of the mapping at an address that this process has page table entries for."""
    lines = iter(Path("/proc/self/smaps").read_text().splitlines())
    for line in lines:
        if line.startswith(f"{address:x}-"):
            return next(int(text.split()[1]) for text in lines if text.startswith("Rss:"))
    raise AssertionError("no such mapping")


def test_its_own_handshake_is_taken_off(evaluator_of: EvaluatorOf, cache: Path) -> None:
    shop = Workshop(evaluator_of("softmax").problem, Bubblewrap(), "cpp", cache, 7)
    try:
        shop.arrange({"64x1024": 0.0005})
        program = shop.variant_program("", compiled=False, recycled=True, store=False)
        lane = shop.program_lane("recycled", program)
        try:
            shop.stopwatch.trust(lane)
            shop.stopwatch.settle(lane)
            own = shop.stopwatch._trusted["recycled"]
            estimates = {"recycled": 1e-5}
            timed = shop.stopwatch.round(0, (lane,), estimates, False)
        finally:
            lane.close()
        assert shop.stopwatch.constant <= own < 0.05
        spent = timed.windows["recycled"] - timed.seconds["recycled"] * timed.calls["recycled"]
        assert spent == pytest.approx(own, abs=0.0001)
    finally:
        shop.close()
