"""Loop fusion and fission."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.dataflow import declarations, index_text, names_in, subscripts, writes
from agent.transform.dependence import carried
from agent.transform.lanes import CannotExpand, Lanes, blocked_loop
from agent.transform.loops import Loop, contents, has_loops, loops, pragma_text, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Edit, Unit, statements
from evaluator.tunables import Tunable, with_tunable


class Fuse:
    """Merge two neighbouring loops over the same range."""

    name = "fuse"
    summary = "merge adjacent loops with the same bounds"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Pairs in source order; only declarations may stand between the loops."""
        every = loops(unit)
        for first, second in ((a, b) for a in every for b in every if a != b):
            if first.node.parent != second.node.parent or not _same_range(first, second):
                continue
            between = _between(first.node, second.node)
            if between is None or not _may_fuse(unit, first, second, between):
                continue
            tail = unit.render(second.body, {second.var: first.var})
            moved = "\n".join(unit.text(n) for n in between)
            body = f"{contents(unit, first)}\n{_inner(unit, first, second, tail)}"
            text = f"{moved}\n{first.header} {{\n{body}\n}}"
            edit = Edit(first.start, second.node.end_byte, text)
            what = f"fuse loops over {first.var} (lines {unit.line(first.node)}"
            yield Rewrite(self.name, f"{what} and {unit.line(second.node)})", unit.edited(edit))


class Fission:
    """Part a loop in two, so that one half can be vectorised.

    Locals that both halves use are kept in a small buffer: the loop is blocked and each block
    runs the first half for all its iterations, then the second.
    """

    name = "fission"
    summary = "part a loop body in two loops, block by block where locals cross"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Every boundary between statements of an innermost loop; late ones first."""
        for loop in loops(unit):
            if has_loops(loop.body) or loop.step != "1" or loop.is_lanes:
                continue
            if "simd" in pragma_text(unit, loop) or "GCC" in pragma_text(unit, loop):
                continue
            body = statements(loop.body)
            if any(n.type in ("continue_statement", "break_statement") for n in body):
                continue
            for split in range(len(body) - 1, 0, -1):
                if body[split].type in ("comment", "declaration"):
                    continue
                if _shares_scalar(unit, loop, body[:split], body[split:]):
                    continue
                yield from self._part(unit, loop, split)

    def _part(self, unit: Unit, loop: Loop, split: int) -> Iterator[Rewrite]:
        name = unit.fresh("BLOCK")
        lanes = Lanes(name, unit.fresh("w"), "GCC ivdep")
        try:
            text = blocked_loop(unit, loop, lanes, pragma_text(unit, loop), split)
        except CannotExpand:
            return
        tunable = Tunable(name, 256, (16, 64, 256, 1024))
        source = with_tunable(unit.edited(replace_loop(loop, text)), tunable)
        what = f"part loop over {loop.var} (line {unit.line(loop.node)}) after statement {split}"
        yield Rewrite(self.name, what, source)


def _shares_scalar(unit: Unit, loop: Loop, early: list[Node], late: list[Node]) -> bool:
    """Whether one half changes a scalar of outer scope that the other uses."""
    local = {x.name for x in declarations(unit, loop.body)}
    for half, other in ((early, late), (late, early)):
        used: set[str] = set().union(*(names_in(unit, n) for n in other))
        changed = {w.name for n in half for w in writes(unit, n) if not w.element}
        if (changed - local) & used:
            return True
    return False


def _same_range(first: Loop, second: Loop) -> bool:
    a, b = (re.sub(r"\s", "", f"{x.lower}|{x.upper}|{x.step}") for x in (first, second))
    return a == b


def _between(first: Node, second: Node) -> list[Node] | None:
    """The declarations between two siblings; None if there is anything else, or they are not."""
    found: list[Node] = []
    at = first.next_sibling
    while at is not None and at != second:
        if at.type == "declaration":
            found.append(at)
        elif at.type not in ("comment", "preproc_call"):
            return None
        at = at.next_sibling
    return found if at is not None else None


def _may_fuse(unit: Unit, first: Loop, second: Loop, between: list[Node]) -> bool:
    changed = {w.name for w in writes(unit, first.body)}
    scalars = {w.name for w in writes(unit, first.body) if not w.element}
    local = {x.name for x in declarations(unit, first.body)}
    used = names_in(unit, second.body).union(*(names_in(unit, n) for n in between))
    if (scalars - local) & used or any(changed & names_in(unit, n) for n in between):
        return False
    inner = {x.name for x in declarations(unit, second.body)}
    if (local & used) - inner or first.var in inner:
        return False
    for name in {w.name for w in writes(unit, first.body) if w.element} & used:
        places = {index_text(unit, n) for n in subscripts(unit, first.body, name)}
        later = {
            re.sub(rf"\b{re.escape(second.var)}\b", first.var, index_text(unit, n))
            for n in subscripts(unit, second.body, name)
        }
        if places != later:
            return False
    return carried(unit, second).blocked is None


def _inner(unit: Unit, first: Loop, second: Loop, tail: str) -> str:
    """The second body, in a block of its own if its names clash with the first's."""
    clash = {x.name for x in declarations(unit, first.body)} & {
        x.name for x in declarations(unit, second.body)
    }
    return tail if clash else tail.strip()[1:-1].strip()
