"""The loop in which a kernel's machine code most likely spends its time, read off its listing.

Nothing is run: of all innermost loops (a jump back over code without another jump back inside) it
is the one with the most arithmetic, weighed by how many elements an instruction works on. A guess,
good enough to look at first.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

MOST_LINES = 60
TOP = "top"
"""How the jump back is written, instead of an address."""
Row = tuple[str, str, str]
"""Address in hex, mnemonic, and operands as they stand there."""
_LINE = re.compile(r"^[ \t]+([0-9a-f]+):[ \t]+(\S+)[ \t]*([^\n]*)$", re.MULTILINE)
_TARGET = re.compile(r"^([0-9a-f]+)\b")
_SYMBOL = re.compile(r"\s*<[^>]*>|\s+#.*$")
_ELEMENTS = {"zmm": 16.0, "ymm": 8.0, "xmm": 4.0}
_ARITHMETIC = re.compile(
    r"^v?p?(f?n?m(add|sub)|add|sub|mul|div|sqrt|max|min|rcp|rsqrt|scalef|range|reduce|dp|abs|cvt)"
)
_BESIDE = 0.05
"""Weight of everything that is not arithmetic on vector registers."""


@dataclass(frozen=True)
class Instruction:
    """One line of a listing; `address` in hex, as it stands there."""

    address: str
    mnemonic: str
    operands: str

    @property
    def target(self) -> str | None:
        """Where a jump leads, None for what is no jump."""
        found = _TARGET.match(self.operands) if self.mnemonic.startswith("j") else None
        return found[1] if found else None

    @property
    def weight(self) -> float:
        """How much it works on."""
        if not _ARITHMETIC.match(self.mnemonic):
            return _BESIDE
        if self.mnemonic.endswith(("ss", "sd")):
            return 1.0
        return max((n for r, n in _ELEMENTS.items() if r in self.operands), default=_BESIDE)


def parsed(body: str) -> list[Row]:
    """The lines of a function from `objdump -d --no-show-raw-insn`."""
    return _LINE.findall(body)


def innermost(rows: Sequence[Row]) -> list[list[Instruction]]:
    """Loops of a function that hold no other loop."""
    places = {address: n for n, (address, _, _) in enumerate(rows)}
    spans = set()
    for n, row in enumerate(rows):
        if row[1].startswith("j"):
            first = places.get(Instruction(*row).target or "", n + 1)
            if first <= n:
                spans.add((first, n))
    kept: list[tuple[int, int]] = []
    for first, last in sorted(spans, key=lambda span: span[1] - span[0]):
        if not any(first <= start and end <= last for start, end in kept):
            kept.append((first, last))
    return [
        [Instruction(a, m, _SYMBOL.sub("", rest).strip()) for a, m, rest in rows[first : last + 1]]
        for first, last in sorted(kept)
    ]


def hottest(functions: Iterable[Sequence[Row]]) -> Sequence[Instruction]:
    """The likely hot loop of several functions; empty if none has a loop."""
    loops = [loop for rows in functions for loop in innermost(rows)]
    return max(loops, key=lambda loop: sum(i.weight for i in loop), default=())


def listing(loop: Sequence[Instruction]) -> str:
    """A loop in lines, jumps to its beginning marked, without what is too long to be read."""
    if not loop:
        return ""
    lines = [
        f"{i.mnemonic:<14}{TOP if i.target == loop[0].address else i.operands}".rstrip()
        for i in loop
    ]
    if len(lines) > MOST_LINES:
        left = len(lines) - MOST_LINES
        lines = [*lines[: MOST_LINES - 1], f"... {left} more ...", lines[-1]]
    return "\n".join(lines)


def most_frequent(text: str, count: int = 5) -> str:
    """The instructions of a `listing` that occur most, in words: `4 vfmadd231ps zmm, 2 vmovups`."""
    kinds = Counter[str]()
    for line in text.splitlines():
        mnemonic, _, operands = line.partition(" ")
        if not operands or mnemonic.startswith(("j", "...")):
            continue
        width = next((f" {r}" for r in _ELEMENTS if r in operands), "")
        kinds[mnemonic + width] += 1
    return ", ".join(f"{n} {kind}" for kind, n in kinds.most_common(count))
