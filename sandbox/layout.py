"""Where buffers lie in the shared regions: page-aligned chunks, so that each gets guard pages.

A buffer starts 64-byte aligned. Its *lead* puts it flush against the end of its chunk (an overrun
hits the guard page at once) or at the start (an underrun does). The slack around it belongs to
nobody and is watched by the judge.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

PAGE = 4096
ALIGNMENT = 64


@dataclass(frozen=True)
class Buffer:
    """One buffer of one slot.

    Attributes:
        region: 0 for the read-only inputs, 1 for the writable outputs.
        offset: Byte offset of its chunk in the region's file, a page multiple.
        span: Size of the chunk in bytes, a page multiple.
        lead: Offset of the buffer's first byte in its chunk.
        nbytes: Size of the buffer.
    """

    region: int
    offset: int
    span: int
    lead: int
    nbytes: int

    @property
    def start(self) -> int:
        """Byte offset of the buffer's first byte in its region."""
        return self.offset + self.lead


@dataclass(frozen=True)
class Layout:
    """All buffers of all slots, and the arguments that are the same for every slot."""

    slots: tuple[tuple[Buffer, ...], ...]
    integers: tuple[int, ...]
    floats: tuple[float, ...]

    def region_bytes(self, region: int) -> int:
        """Size the region's file needs."""
        ends = (b.offset + b.span for slot in self.slots for b in slot if b.region == region)
        return max(ends, default=PAGE)

    def words(self) -> bytes:
        """The BIND message's payload."""
        head = struct.pack(f"<q{len(self.integers)}q", len(self.integers), *self.integers)
        head += struct.pack(f"<q{len(self.floats)}d", len(self.floats), *self.floats)
        head += struct.pack("<2q", len(self.slots), len(self.slots[0]))
        flat = [v for s in self.slots for b in s for v in (b.region, b.offset, b.span, b.lead)]
        return head + struct.pack(f"<{len(flat)}q", *flat)


def lay_out(
    sizes: Sequence[tuple[int, int]],
    slots: int,
    integers: Sequence[int],
    floats: Sequence[float],
) -> Layout:
    """Place `slots` copies of a list of buffers.

    Args:
        sizes: (region, bytes) per buffer in parameter order.
        slots: Number of slots.
        integers: Integer arguments.
        floats: Floating arguments.
    """
    ends = [0, 0]
    placed: list[tuple[Buffer, ...]] = []
    for slot in range(slots):
        row: list[Buffer] = []
        for region, nbytes in sizes:
            span = max(PAGE, -(-nbytes // PAGE) * PAGE)
            flush_end = slot % 2 == 0
            lead = (span - nbytes) // ALIGNMENT * ALIGNMENT if flush_end else 0
            row.append(Buffer(region, ends[region], span, lead, nbytes))
            ends[region] += span
        placed.append(tuple(row))
    return Layout(tuple(placed), tuple(integers), tuple(floats))
