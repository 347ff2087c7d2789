"""Maximum and sum of exponentials in one pass."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.dataflow import type_of
from agent.transform.dependence import carried
from agent.transform.loops import Loop, contents, has_loops, loops
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Edit, Unit, bare, field, statements


class OnlineMaxSum:
    """Fuse `max` and `sum of exp(e - max)` over the same range into one pass.

    The running sum is rescaled whenever the maximum grows (Milakov and Gimelshein, 2018).
    """

    name = "online-max-sum"
    summary = "max and sum of exp(x - max) over one range in a single pass"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Pairs of sibling loops of that structure."""
        every = [x for x in loops(unit) if not has_loops(x.body)]
        for first, second in ((a, b) for a in every for b in every if a.start < b.start):
            if first.node.parent != second.node.parent or _range(first) != _range(second):
                continue
            top, total = _single(unit, first, "max"), _single(unit, second, "+")
            if top is None or total is None:
                continue
            call = bare(field(total[1], "right"))
            match = re.fullmatch(r"((?:std::|fast_)?expf?)\((.+)-\s*(\w+)\s*\)", unit.text(call))
            if match is None or match[3] != top[0] or type_of(unit, top[0]) is None:
                continue
            value = re.sub(rf"\b{re.escape(second.var)}\b", first.var, match[2].strip())
            if re.sub(r"\s", "", value) not in re.sub(r"\s", "", contents(unit, first)):
                continue
            yield self._fuse(unit, first, second, (top[0], total[0], match[1], value))

    def _fuse(
        self, unit: Unit, first: Loop, second: Loop, parts: tuple[str, str, str, str]
    ) -> Rewrite:
        top, total, exp, value = parts
        now, kind = unit.fresh("now"), type_of(unit, parts[0])
        text = (
            f"{second.header.replace(second.var, first.var)} {{\nconst {kind} {now} = {value};\n"
            f"if ({now} > {top}) {{\n{total} *= {exp}({top} - {now});\n{top} = {now};\n}}\n"
            f"{total} += {exp}({now} - {top});\n}}"
        )
        edits = [
            Edit(first.start, first.node.end_byte, ""),
            Edit(second.start, second.node.end_byte, text),
        ]
        what = f"online maximum {top} and sum {total} (line {unit.line(first.node)})"
        return Rewrite(self.name, what, unit.edited(*edits))


def _range(loop: Loop) -> tuple[str, str, str]:
    return loop.lower, loop.upper, loop.step


def _single(unit: Unit, loop: Loop, operator: str) -> tuple[str, Node] | None:
    """(accumulator, assignment) of a loop that is one reduction statement."""
    work = [s for s in statements(loop.body) if s.type not in ("comment", "preproc_call")]
    found = carried(unit, loop)
    if len(work) != 1 or list(found.reductions.values()) != [operator] or not found.independent:
        return None
    at: Node = work[0]
    name = next(iter(found.reductions))
    if operator == "+":
        if at.type != "expression_statement" or not at.children:
            return None
        at = at.children[0]
        if at.type != "assignment_expression" or unit.text(field(at, "operator")) != "+=":
            return None
    return name, at
