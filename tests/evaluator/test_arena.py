"""The judge's memory: poison everywhere, overruns found, inputs compared bit for bit."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch

from evaluator.arena import POISON, InputArena, OutputArena, OutputRegions, Share
from evaluator.inputs import bind
from evaluator.problem import Problem, Role, Scalar, Tensor, Workload
from sandbox.layout import ALIGNMENT, PAGE
from sandbox.regions import Region

ODD = Problem(
    name="odd",
    summary="two inputs and two outputs of awkward sizes",
    inputs=(Tensor("x", "n"), Tensor("k", "m", "int64")),
    outputs=(Tensor("y", "n"), Tensor("b", "m 3", "uint8")),
    reference=lambda x, k: (x, k),
    workloads=(
        Workload("small", {"n": 5, "m": 3}, role=Role.TIME),
        Workload("pages", {"n": 2048, "m": 1}),
        Workload("empty", {"n": 0, "m": 1}),
    ),
    flops=lambda n: n,
    bytes=lambda n: n,
)
SLOTS = 4


@pytest.fixture
def inputs() -> Iterator[InputArena]:
    arena = InputArena(ODD, 0)
    arena.arrange([Share(w, SLOTS) for w in ODD.workloads])
    yield arena
    arena.slots = []
    arena.close()


@pytest.fixture
def outputs(inputs: InputArena) -> Iterator[OutputArena]:
    region = Region("outputs", 0o666)
    arena = OutputArena(ODD, region)
    arena.arrange(inputs)
    yield arena
    region.close()


def words(outputs: OutputArena, group: int, inputs: InputArena) -> torch.Tensor:
    """All memory of a group as the poison's words."""
    buffers = [b for slot in inputs.layout.groups[group].slots for b in slot if b.region == 0]
    start = min(b.offset for b in buffers)
    end = max(b.offset + b.span for b in buffers)
    whole = torch.frombuffer(outputs.region.memory, dtype=torch.int32)
    return whole[start // 4 : end // 4]


def test_poison_covers_outputs_and_slack_of_its_group_alone(
    inputs: InputArena, outputs: OutputArena
) -> None:
    for group in range(3):
        words(outputs, group, inputs).zero_()
    outputs.poison(1)
    assert bool((words(outputs, 1, inputs) == POISON).all())
    assert not words(outputs, 0, inputs).any()
    assert not words(outputs, 2, inputs).any()
    for slot in outputs.slots[1]:
        assert bool(slot["y"].isnan().all())


def test_poison_of_the_first_slots_leaves_the_others(
    inputs: InputArena, outputs: OutputArena
) -> None:
    words(outputs, 0, inputs).zero_()
    outputs.poison(0, 2)
    poisoned = words(outputs, 0, inputs) == POISON
    assert bool(poisoned[: len(poisoned) // 2].all())
    assert not bool(poisoned[len(poisoned) // 2 :].any())


@pytest.mark.parametrize("group", range(3))
@pytest.mark.parametrize("slot", range(SLOTS))
def test_a_single_byte_beside_an_output_is_found(
    inputs: InputArena, outputs: OutputArena, group: int, slot: int
) -> None:
    outputs.poison(group)
    assert outputs.overrun(group) is None
    memory = torch.frombuffer(outputs.region.memory, dtype=torch.uint8)
    for buffer in (b for b in inputs.layout.groups[group].slots[slot] if b.region == 0):
        beside = [buffer.start - 1] if buffer.lead else []
        beside += [buffer.start + buffer.nbytes] if buffer.lead + buffer.nbytes < PAGE else []
        for place in beside:
            before = int(memory[place])
            memory[place] = before ^ 1
            assert outputs.overrun(group) == slot
            assert outputs.overrun(group, slot + 1) == slot
            assert slot == 0 or outputs.overrun(group, slot) is None
            memory[place] = before
    assert outputs.overrun(group) is None


def test_outputs_themselves_may_be_written(outputs: OutputArena) -> None:
    for group in range(3):
        outputs.poison(group)
        for slot in outputs.slots[group]:
            slot["y"].fill_(1.0)
            slot["b"].fill_(7)
        assert outputs.overrun(group) is None


def test_every_buffer_is_aligned_and_on_pages_of_its_own(inputs: InputArena) -> None:
    seen: set[tuple[int, int]] = set()
    for group in inputs.layout.groups:
        for buffer in (b for slot in group.slots for b in slot):
            assert buffer.start % ALIGNMENT == 0
            pages = {(buffer.region, buffer.offset + p) for p in range(0, buffer.span, PAGE)}
            assert not pages & seen
            seen |= pages


def test_intact_sees_every_bit(inputs: InputArena) -> None:
    given = {"x": torch.tensor([0.0, float("nan"), 1.0, 2.0, 3.0]), "k": torch.tensor([1, 2, 3])}
    inputs.write(0, 1, given)
    assert inputs.intact(0, 1, given)
    slot = inputs.slots[0][1]
    slot["x"][0] = -0.0
    assert not inputs.intact(0, 1, given)
    inputs.write(0, 1, given)
    slot["x"].view(torch.int32)[1] += 1
    assert not inputs.intact(0, 1, given), "another NaN is another input"
    inputs.write(0, 1, given)
    slot["k"][2] = 4
    assert not inputs.intact(0, 1, given)


def test_empty_tensors(inputs: InputArena, outputs: OutputArena) -> None:
    nothing = {"x": torch.empty(0), "k": torch.tensor([1])}
    inputs.write(2, 0, nothing)
    assert inputs.intact(2, 0, nothing)
    assert outputs.slots[2][0]["y"].shape == (0,)
    outputs.poison(2)
    assert outputs.overrun(2) is None


def test_returned_memory_is_scrubbed_before_it_is_handed_on() -> None:
    regions = OutputRegions()
    first = regions.take(0, scrub=True)
    first.memory[:8] = b"an answr"
    regions.give_back(0, first)
    assert regions.take(1, scrub=True) is not first, "each arena has regions of its own"
    again = regions.take(0, scrub=True)
    assert again is first
    held = torch.frombuffer(again.memory, dtype=torch.int32)
    assert bool((held == POISON).all())
    del held
    regions.give_back(0, again)
    regions.close()
    assert not first.path.exists()


def test_what_lies_around_inputs_is_poison(inputs: InputArena) -> None:
    whole = torch.frombuffer(inputs.region.memory, dtype=torch.int32)
    for group, rows in zip(inputs.layout.groups, inputs.slots, strict=True):
        for slot, row in enumerate(rows):
            for view in row.values():
                view.zero_()
            for buffer in (b for b in group.slots[slot] if b.region == 1 and b.nbytes):
                chunk = whole[buffer.offset // 4 : (buffer.offset + buffer.span) // 4]
                start, end = buffer.lead // 4, (buffer.lead + buffer.nbytes) // 4
                assert bool((chunk[start:end] == 0).all())
                assert bool((chunk[:start] == POISON).all())
                assert bool((chunk[end:] == POISON).all())


def test_a_runner_is_told_the_scalars_that_the_reference_gets() -> None:
    """A Python kernel that computes with 0.999 would be wrong where the reference has 0.999f."""
    problem = Problem(
        name="scalars", summary="", inputs=(Tensor("x", "n"),), outputs=(Tensor("y", "n"),),
        scalars=(Scalar("beta"), Scalar("step", "int64")), reference=lambda x: x,
        workloads=(Workload("one", {"n": 1}, {"beta": 0.999, "step": 3}, role=Role.TIME),),
        flops=lambda n: n, bytes=lambda n: n,
    )  # fmt: skip
    arena = InputArena(problem, 0)
    arena.arrange([Share(problem.workloads[0], SLOTS)])
    (group,) = arena.layout.groups
    bound = bind(problem, problem.workloads[0], {})
    assert (group.integers, group.floats) == ((1, bound["step"]), (bound["beta"],))
    assert bound["beta"] != 0.999
    arena.slots = []
    arena.close()
