"""The runner of PyTorch variants: what is timed is the variant, and nothing of ours."""

from __future__ import annotations

import inspect
import json
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
import torch

from evaluator import catalogue
from evaluator.arena import InputArena, OutputArena, Share
from evaluator.lane import Lane
from evaluator.problem import Problem
from evaluator.stopwatch import SETTLING_CALLS
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


@pytest.fixture(scope="module")
def shop(evaluator_of: EvaluatorOf, cache: Path) -> Iterator[Workshop]:
    made = Workshop(evaluator_of("softmax").problem, Bubblewrap(), "cpp", cache, 7)
    made.arrange({"64x1024": 0.0005})
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


class Counting:
    """A lane that notes how often it is called, and with which inputs."""

    label = "recycled"

    def __init__(self, shop: Workshop) -> None:
        self._slots = shop.time_arena.slots
        self.calls = 0
        self.seen: set[bytes] = set()

    def window(self, group: int, order: list[int], _: float) -> None:
        """Inputs are there."""
        self.calls += len(order)
        self.seen |= {self._slots[group][slot]["x"].numpy().tobytes() for slot in order}


def test_it_settles_on_inputs_like_those_that_are_timed(shop: Workshop) -> None:
    before = {slot["x"].numpy().tobytes() for slot in shop.time_arena.slots[0]}
    lane = Counting(shop)
    shop.stopwatch.settle(cast(Lane, lane))
    assert lane.calls >= SETTLING_CALLS
    assert len(lane.seen) == len(shop.time_arena.slots[0])
    assert not lane.seen & before


def test_its_own_handshake_is_taken_off(shop: Workshop) -> None:
    program = shop.variant_program("", compiled=False, recycled=True, store=False)
    lane = shop.program_lane("recycled", program)
    try:
        shop.stopwatch.trust(lane)
        own = shop.stopwatch._trusted["recycled"]
        shop.stopwatch.settle(lane)
        timed = shop.stopwatch.round(0, (lane,), {"recycled": 1e-5}, False)
    finally:
        lane.close()
    assert shop.stopwatch.constant <= own < 0.05
    spent = timed.windows["recycled"] - timed.seconds["recycled"] * timed.calls["recycled"]
    assert spent == pytest.approx(own, abs=0.0001)
