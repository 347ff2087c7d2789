"""The judge's memory: input slots that all runners read, output slots that one runner writes.

Layout follows `sandbox.layout`: page-aligned chunks with guard pages in the runner's mapping. Here
they are seen as torch tensors; whatever is not a buffer is slack, filled with canary bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evaluator.problem import Problem, Tensor, Workload
from sandbox.layout import Buffer, GroupRequest, Layout, lay_out
from sandbox.regions import Region

if TYPE_CHECKING:
    import torch

POISON = 0x7FA5A5A5  # as float32 a signalling NaN; as integers an unlikely value


@dataclass(frozen=True)
class Share:
    """A workload and the number of slots it gets in an arrangement."""

    workload: Workload
    slots: int


class InputArena:
    """Input slots of several workloads, shared read-only with every runner of a comparison.

    Args:
        problem: Whose inputs.
        index: Position among a lane's arenas; a runner's regions are, for each arena, outputs then
            inputs.
    """

    def __init__(self, problem: Problem, index: int) -> None:
        self._problem = problem
        self.index = index
        self.region = Region("inputs", 0o644)
        self.region.ensure(4096)
        self.layout = Layout(())
        self.shares: tuple[Share, ...] = ()
        self.slots: list[list[dict[str, torch.Tensor]]] = []

    def arrange(self, shares: Sequence[Share]) -> None:
        """Lay out workloads side by side; former views become invalid."""
        import torch

        self.shares = tuple(shares)
        self.layout = lay_out([_request(self._problem, s, self.index) for s in shares])
        self.region.ensure(self.layout.region_bytes(2 * self.index + 1))
        count = len(self._problem.inputs)
        self.slots = [
            [_views(self.region, self._problem.inputs, share.workload, row[:count])
             for row in group.slots]
            for share, group in zip(shares, self.layout.groups, strict=True)
        ]  # fmt: skip
        whole = torch.frombuffer(self.region.memory, dtype=torch.uint8)
        pattern = torch.full((1024,), POISON, dtype=torch.int32).view(torch.uint8)
        for group in self.layout.groups:
            rows = [list(row[:count]) for row in group.slots]
            for _, slack, poison in _slack(rows, whole, pattern):
                slack.copy_(poison)  # who reads beyond an input finds NaN, not zeros

    def write(self, group: int, slot: int, inputs: Mapping[str, torch.Tensor]) -> None:
        """Copy an input set into a slot."""
        for name, view in self.slots[group][slot].items():
            view.copy_(inputs[name])

    def intact(self, group: int, slot: int, inputs: Mapping[str, torch.Tensor]) -> bool:
        """The slot still holds that input set, bit for bit."""
        return all(_same_bits(v, inputs[n]) for n, v in self.slots[group][slot].items())

    def close(self) -> None:
        """Give the memory back."""
        self.slots = []
        self.region.close()


class OutputArena:
    """Output slots of one runner, poisoned before every window."""

    def __init__(self, problem: Problem, region: Region) -> None:
        self._problem = problem
        self.region = region
        self.slots: list[list[dict[str, torch.Tensor]]] = []
        self._chunks: list[list[list[Buffer]]] = []
        self._words: torch.Tensor | None = None
        self._slack: list[list[tuple[int, torch.Tensor, torch.Tensor]]] = []

    def arrange(self, inputs: InputArena) -> None:
        """Make views that go with an input arrangement."""
        import torch

        self.region.ensure(inputs.layout.region_bytes(2 * inputs.index))
        count = len(self._problem.inputs)
        self._chunks = [[list(row[count:]) for row in g.slots] for g in inputs.layout.groups]
        self.slots = [
            [_views(self.region, self._problem.outputs, share.workload, row) for row in rows]
            for share, rows in zip(inputs.shares, self._chunks, strict=True)
        ]
        self._words = torch.frombuffer(self.region.memory, dtype=torch.int32)
        whole = torch.frombuffer(self.region.memory, dtype=torch.uint8)
        pattern = torch.full((1024,), POISON, dtype=torch.int32).view(torch.uint8)
        self._slack = [_slack(rows, whole, pattern) for rows in self._chunks]

    def poison(self, group: int, slots: int | None = None) -> None:
        """Overwrite the outputs and all slack of a group's first `slots` slots (default: all)."""
        assert self._words is not None
        rows = self._chunks[group]
        first, last = rows[0][0], rows[(slots or len(rows)) - 1][-1]
        self._words[first.offset // 4 : (last.offset + last.span) // 4].fill_(POISON)

    def overrun(self, group: int, slots: int | None = None) -> int | None:
        """A slot beside whose outputs a byte was changed, None if there is none."""
        import torch

        last = slots or len(self._chunks[group])
        for slot, bytes_now, pattern in self._slack[group]:
            if slot < last and not torch.equal(bytes_now, pattern):
                return slot
        return None


class OutputRegions:
    """Output memory that lanes take and give back: fresh shared memory costs 0.3 s a gigabyte.

    What a lane leaves behind must not help the next one. Outputs of verification belong to inputs
    that come again, so that region is overwritten before it is handed on; outputs of timed windows
    belong to inputs that never come again.
    """

    def __init__(self) -> None:
        self._free: dict[int, list[Region]] = {}

    def take(self, index: int, *, scrub: bool) -> Region:
        """Output memory for the arena of that index."""
        import torch

        free = self._free.setdefault(index, [])
        if not free:
            region = Region("outputs", 0o666)
            region.ensure(4096)
            return region
        region = free.pop()
        if scrub:
            torch.frombuffer(region.memory, dtype=torch.int32).fill_(POISON)
        return region

    def give_back(self, index: int, region: Region) -> None:
        """Keep it for the next lane."""
        self._free[index].append(region)

    def close(self) -> None:
        """Free everything that was given back."""
        for region in (r for free in self._free.values() for r in free):
            region.close()
        self._free.clear()


def _request(problem: Problem, share: Share, index: int) -> GroupRequest:
    workload = share.workload
    sizes = [(2 * index + 1, t.nbytes(workload.dims)) for t in problem.inputs]
    sizes += [(2 * index, t.nbytes(workload.dims)) for t in problem.outputs]
    values = problem.received(workload)
    whole = [*problem.dims, *(s.name for s in problem.scalars if s.dtype == "int64")]
    integers = [int(values[name]) for name in whole]
    floats = [float(values[s.name]) for s in problem.scalars if s.dtype == "float"]
    return GroupRequest(tuple(sizes), share.slots, tuple(integers), tuple(floats))


def _slack(
    rows: list[list[Buffer]], whole: torch.Tensor, pattern: torch.Tensor
) -> list[tuple[int, torch.Tensor, torch.Tensor]]:
    found = []
    for slot, row in enumerate(rows):
        for b in row:
            for start, end in ((b.offset, b.start), (b.start + b.nbytes, b.offset + b.span)):
                if end > start:
                    phase = start % 4
                    found.append((slot, whole[start:end], pattern[phase : phase + end - start]))
    return found


def _views(
    region: Region, tensors: Sequence[Tensor], workload: Workload, buffers: Sequence[Buffer]
) -> dict[str, torch.Tensor]:
    import torch

    found: dict[str, torch.Tensor] = {}
    for tensor, buffer in zip(tensors, buffers, strict=True):
        extents, dtype = tensor.extents(workload.dims), getattr(torch, tensor.dtype)
        if buffer.nbytes == 0:
            found[tensor.name] = torch.empty(extents, dtype=dtype)
            continue
        flat = torch.frombuffer(
            region.memory, dtype=torch.uint8, count=buffer.nbytes, offset=buffer.start
        )
        found[tensor.name] = flat.view(dtype).view(extents)
    return found


def _same_bits(a: torch.Tensor, b: torch.Tensor) -> bool:
    import torch

    if a.numel() == 0:
        return True
    wide = a.numel() * a.element_size() % 8 == 0  # eight bytes at a time is eight times as fast
    word = torch.int64 if wide else torch.uint8
    return torch.equal(a.reshape(-1).view(word), b.reshape(-1).view(word))
