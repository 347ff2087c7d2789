"""The judge's memory: input slots that all runners read, output slots one runner writes.

Layout follows `sandbox.layout`: page-aligned chunks with guard pages in the runner's mapping. Here
they are seen as torch tensors; whatever is not a buffer is slack, filled with canary bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evaluator.problem import Problem, Tensor, Workload
from sandbox.layout import Buffer, Layout, lay_out
from sandbox.regions import Region

if TYPE_CHECKING:
    import torch

INPUTS, OUTPUTS = 0, 1
POISON = 0x7FA5A5A5  # as float32 a signalling NaN; as integers an unlikely value
SAMPLES = 1024


def plan_slots(problem: Problem, workload: Workload, slots: int) -> Layout:
    """The layout of `slots` copies of a workload's buffers with its integers and floats."""
    sizes = [(INPUTS, t.nbytes(workload.dims)) for t in problem.inputs]
    sizes += [(OUTPUTS, t.nbytes(workload.dims)) for t in problem.outputs]
    integers = [workload.dims[d] for d in problem.dims]
    integers += [int(workload.scalars[s.name]) for s in problem.scalars if s.dtype == "int64"]
    floats = [float(workload.scalars[s.name]) for s in problem.scalars if s.dtype == "float"]
    return lay_out(sizes, slots, integers, floats)


class InputArena:
    """Input slots, shared read-only with every runner of a comparison."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.region = Region("inputs", 0o644)
        self.layout: Layout | None = None
        self.workload: Workload | None = None
        self.slots: list[dict[str, torch.Tensor]] = []

    def arrange(self, workload: Workload, slots: int) -> Layout:
        """Lay out a workload; views of the former one become invalid."""
        self.layout = plan_slots(self._problem, workload, slots)
        self.workload = workload
        self.region.ensure(self.layout.region_bytes(INPUTS))
        count = len(self._problem.inputs)
        self.slots = [
            views(self.region, self._problem.inputs, workload, row[:count])
            for row in self.layout.slots
        ]
        return self.layout

    def write(self, slot: int, inputs: Mapping[str, torch.Tensor]) -> None:
        """Copy an input set into a slot."""
        for name, view in self.slots[slot].items():
            view.copy_(inputs[name])

    def intact(self, slot: int, inputs: Mapping[str, torch.Tensor]) -> bool:
        """The slot still holds that input set, bit for bit."""
        return all(_same_bits(view, inputs[n]) for n, view in self.slots[slot].items())

    def close(self) -> None:
        """Give the memory back."""
        self.slots = []
        self.region.close()


class OutputArena:
    """Output slots of one runner, poisoned before every window."""

    def __init__(self, problem: Problem) -> None:
        self._problem = problem
        self.region = Region("outputs", 0o666)
        self.slots: list[dict[str, torch.Tensor]] = []
        self._chunks: list[list[Buffer]] = []
        self._words: torch.Tensor | None = None
        self._slack: list[tuple[torch.Tensor, torch.Tensor]] = []

    def arrange(self, layout: Layout, workload: Workload) -> None:
        """Make views for a layout."""
        import torch

        self.region.ensure(layout.region_bytes(OUTPUTS))
        count = len(self._problem.inputs)
        self._chunks = [list(row[count:]) for row in layout.slots]
        self.slots = [
            views(self.region, self._problem.outputs, workload, row) for row in self._chunks
        ]
        self._words = torch.frombuffer(self.region.memory, dtype=torch.int32)
        whole = torch.frombuffer(self.region.memory, dtype=torch.uint8)
        pattern = torch.full((1024,), POISON, dtype=torch.int32).view(torch.uint8)
        self._slack = [
            (whole[start:end], pattern[start % 4 : start % 4 + end - start])
            for row in self._chunks for b in row
            for start, end in ((b.offset, b.start), (b.start + b.nbytes, b.offset + b.span))
            if end > start
        ]  # fmt: skip

    def poison(self) -> None:
        """Overwrite every output and all slack with the canary pattern."""
        assert self._words is not None
        first, last = self._chunks[0][0], self._chunks[-1][-1]
        self._words[first.offset // 4 : (last.offset + last.span) // 4].fill_(POISON)

    def overrun(self) -> int | None:
        """Index of the slot beside whose outputs a byte was changed, None if there is none."""
        import torch

        for index, (bytes_now, pattern) in enumerate(self._slack):
            if not torch.equal(bytes_now, pattern[: len(bytes_now)]):
                return index * len(self._chunks) // len(self._slack)
        return None

    def close(self) -> None:
        """Give the memory back."""
        self.slots, self._slack, self._words = [], [], None
        self.region.close()


def views(
    region: Region, tensors: Sequence[Tensor], workload: Workload, buffers: Sequence[Buffer]
) -> dict[str, torch.Tensor]:
    """Tensors over the buffers of one slot, by name."""
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

    flat_a, flat_b = a.reshape(-1).view(torch.uint8), b.contiguous().reshape(-1).view(torch.uint8)
    return torch.equal(flat_a, flat_b)
