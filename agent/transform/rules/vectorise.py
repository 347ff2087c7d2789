"""Vector hints: `omp simd` with reductions, and `GCC ivdep`."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.transform.dependence import carried
from agent.transform.loops import Loop, add_pragma, has_loops, inner_loops, loops, pragma_text
from agent.transform.rewrite import Rewrite
from agent.transform.rules.parallel import clauses
from agent.transform.syntax import Edit, Unit


class Simd:
    """Mark an inner loop as safe to vectorise, reductions included."""

    name = "simd"
    summary = "`omp simd` on an inner loop, with the reductions found in its body"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops in source order."""
        for loop in loops(unit):
            if loop.step != "1" or not _innermost(unit, loop):
                continue
            pragmas = pragma_text(unit, loop)
            if "simd" in pragmas or "GCC" in pragmas or _in_vector_loop(unit, loop):
                continue
            found = carried(unit, loop)
            if not found.independent:
                continue
            what = f"vectorise loop over {loop.var} (line {unit.line(loop.node)})"
            yield Rewrite(self.name, what, unit.edited(_directive(unit, loop, clauses(found))))


class IgnoreDependences:
    """Tell the compiler that memory accesses of an inner loop do not conflict."""

    name = "ivdep"
    summary = "`GCC ivdep` on an inner loop: vectorise it without alias checks"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops without pragmas, in source order."""
        for loop in loops(unit):
            if loop.pragmas or has_loops(loop.body) or not carried(unit, loop).independent:
                continue
            what = f"ignore assumed dependences over {loop.var} (line {unit.line(loop.node)})"
            yield Rewrite(self.name, what, unit.edited(add_pragma(unit, loop, "GCC ivdep")))


def _innermost(unit: Unit, loop: Loop) -> bool:
    inner = inner_loops(unit, loop)
    if any("simd" in pragma_text(unit, x) or not x.is_lanes for x in inner):
        return False
    return bool(inner) or not has_loops(loop.body)


def _in_vector_loop(unit: Unit, loop: Loop) -> bool:
    return any(
        "simd" in pragma_text(unit, outer)
        for outer in loops(unit)
        if outer.body.start_byte < loop.node.start_byte < outer.body.end_byte
    )


def _directive(unit: Unit, loop: Loop, arguments: str) -> Edit:
    for pragma in loop.pragmas:
        text = unit.text(pragma)
        if re.search(r"\bomp\s+(parallel\s+)?for\b", text) and "collapse" not in text:
            new = re.sub(r"\bfor\b", "for simd", text, count=1)
            return Edit(pragma.start_byte, pragma.end_byte, new)
    return add_pragma(unit, loop, "omp simd" + arguments)
