"""Tiling: an inner loop in blocks, with the block loop moved outside its parent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.transform.dependence import carried
from agent.transform.loops import (
    Loop,
    contents,
    directly_inside,
    in_parallel,
    loops,
    only_statement,
    pragma_text,
    replace_loop,
)
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Unit
from evaluator.tunables import Tunable, with_tunable

_SIZES = (16, 32, 64, 128, 256, 512, 1024)


class Tile:
    """Walk an inner loop in blocks of a tunable size, with all outer iterations per block."""

    name = "tile"
    summary = "block an inner loop and move the block loop outside its parent (cache reuse)"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Perfect pairs of loops, outermost first."""
        for outer in loops(unit):
            inner = only_statement(unit, outer)
            if inner is None or inner.step != "1" or outer.is_lanes or inner.is_lanes:
                continue
            if bounds_use(inner, outer.var) or "collapse" in pragma_text(unit, outer):
                continue
            yield self._tile(unit, outer, inner)

    def _tile(self, unit: Unit, outer: Loop, inner: Loop) -> Rewrite:
        tile, block = unit.fresh("TILE"), unit.fresh(f"{inner.var}_block")
        end = unit.fresh(f"{inner.var}_end")
        body = unit.text(inner.body)
        text = (
            f"for ({inner.ctype} {block} = {inner.lower}; {block} < {inner.upper}; "
            f"{block} += {tile}) {{\n"
            f"const {inner.ctype} {end} = {block} + {tile} < {inner.upper} ? {block} + {tile}"
            f" : {inner.upper};\n{pragma_text(unit, outer)}{outer.header} {{\n"
            f"{pragma_text(unit, inner)}for ({inner.ctype} {inner.var} = {block}; "
            f"{inner.var} < {end}; ++{inner.var}) {body}\n}}\n}}"
        )
        source = unit.edited(replace_loop(outer, text))
        what = f"tile loop over {inner.var} around {outer.var} (line {unit.line(inner.node)})"
        return Rewrite(self.name, what, with_tunable(source, Tunable(tile, 256, _SIZES)))


class StripMine:
    """Split one loop into blocks without moving them: units of work for threads or caches."""

    name = "strip-mine"
    summary = "split an outer loop with several inner loops into blocks of a tunable size"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops of some length whose parent has only them."""
        for loop in loops(unit):
            if loop.step != "1" or loop.is_lanes or loop.pragmas or in_parallel(unit, loop.node):
                continue
            if directly_inside(unit, loop) or not carried(unit, loop).independent or loop.depth:
                continue
            tile, block = unit.fresh("TILE"), unit.fresh(f"{loop.var}_block")
            end = unit.fresh(f"{loop.var}_end")
            text = (
                f"for ({loop.ctype} {block} = {loop.lower}; {block} < {loop.upper}; "
                f"{block} += {tile}) {{\n"
                f"const {loop.ctype} {end} = {block} + {tile} < {loop.upper} ? {block} + {tile}"
                f" : {loop.upper};\nfor ({loop.ctype} {loop.var} = {block}; {loop.var} < {end}; "
                f"++{loop.var}) {{\n{contents(unit, loop)}\n}}\n}}"
            )
            tunable = Tunable(tile, 1024, (256, 512, 1024, 2048, 4096, 16384))
            source = with_tunable(unit.edited(replace_loop(loop, text)), tunable)
            what = f"strip-mine loop over {loop.var} (line {unit.line(loop.node)})"
            yield Rewrite(self.name, what, source)


def bounds_use(loop: Loop, name: str) -> bool:
    """Whether the bounds or step of a loop mention a name."""
    return name in re.findall(r"[A-Za-z_]\w*", f"{loop.lower} {loop.upper} {loop.step}")
