"""Unroll-and-jam: several iterations of an outer loop share one pass of the inner loops."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.transform.dataflow import subscripts, unit_stride
from agent.transform.dependence import carried
from agent.transform.lanes import CannotExpand, Lanes, blocked_loop, jams
from agent.transform.loops import Loop, loops, pragma_text, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Unit
from evaluator.tunables import Tunable, with_tunable


class UnrollAndJam:
    """Block an outer loop and move its lanes into the inner loops.

    The lanes are independent chains of work: they hide latencies, reuse what they load, and where
    the outer index is contiguous in memory they form vectors (register blocking).
    """

    name = "unroll-and-jam"
    summary = "block an outer loop and run its lanes inside the inner loops"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost candidates first."""
        for loop in sorted(loops(unit), key=lambda x: -x.depth):
            if loop.step != "1" or loop.is_lanes or not jams(unit, loop):
                continue
            found = carried(unit, loop)
            if not found.independent or found.reductions or "collapse" in pragma_text(unit, loop):
                continue
            try:
                yield self._jam(unit, loop)
            except CannotExpand:
                continue

    def _jam(self, unit: Unit, loop: Loop) -> Rewrite:
        wide = contiguous(unit, loop)
        name = unit.fresh("WIDTH" if wide else "JAM")
        choices = (8, 16, 32, 64) if wide else (2, 3, 4, 6, 8, 12)
        tunable = Tunable(name, 32 if wide else 4, choices)
        pragma = "omp simd" if wide else "GCC unroll 16"
        lanes = Lanes(name, unit.fresh("v" if wide else "u"), pragma)
        pragmas = re.sub(r"\bsimd\b|reduction\([^)]*\)", "", pragma_text(unit, loop))
        pragmas = "" if re.fullmatch(r"\s*#pragma omp\s*", pragmas) else pragmas
        text = blocked_loop(unit, loop, lanes, pragmas)
        source = with_tunable(unit.edited(replace_loop(loop, text)), tunable)
        what = f"unroll and jam loop over {loop.var} (line {unit.line(loop.node)}) by {name}"
        return Rewrite(self.name, what, source)


def contiguous(unit: Unit, loop: Loop) -> bool:
    """Whether most accesses that move with the loop move by one element."""
    strides = [unit_stride(unit, n, loop.var) for n in subscripts(unit, loop.body)]
    moving = [s for s in strides if s is not None]
    return bool(moving) and sum(moving) * 2 > len(moving)
