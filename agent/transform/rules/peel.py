"""Loops that start off a vector boundary."""

from __future__ import annotations

from collections.abc import Iterator

from agent.transform.dependence import carried
from agent.transform.loops import Loop, has_loops, loops, pragma_text, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Unit

_VECTOR = 16


class AlignStart:
    """Run the first few iterations apart, so that the rest starts at a multiple of 16.

    Where rows are as long as whole vectors, most accesses of a stencil then stay within a line.
    """

    name = "align-start"
    summary = "peel a loop that starts at 1 (2, ...) up to the next vector boundary"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost independent loops with a small literal as their lower bound."""
        for loop in loops(unit):
            if not loop.lower.isdecimal() or int(loop.lower) % _VECTOR == 0:
                continue
            if has_loops(loop.body) or loop.step != "1" or loop.is_lanes:
                continue
            pragmas = pragma_text(unit, loop)
            if "omp for" in pragmas or "parallel" in pragmas:
                continue
            if carried(unit, loop).blocked is None:
                yield self._peel(unit, loop, pragmas)

    def _peel(self, unit: Unit, loop: Loop, pragmas: str) -> Rewrite:
        start = unit.fresh(f"{loop.var}_aligned")
        boundary = -(-int(loop.lower) // _VECTOR) * _VECTOR
        upper, body, var = f"({loop.upper})", unit.text(loop.body), loop.var
        text = (
            f"const {loop.ctype} {start} = {upper} < {boundary} ? {upper} : {boundary};\n"
            f"// remainder\n"
            f"for ({loop.ctype} {var} = {loop.lower}; {var} < {start}; ++{var}) {body}\n"
            f"{pragmas}for ({loop.ctype} {var} = {start}; {var} < {upper}; ++{var}) {body}"
        )
        what = f"align start of loop over {var} (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, unit.edited(replace_loop(loop, text)))
