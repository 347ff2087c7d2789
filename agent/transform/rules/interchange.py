"""Loop interchange, also where a scalar accumulator stands between the loops."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.dataflow import declarations, names_in, writes
from agent.transform.dependence import reduction
from agent.transform.loops import Loop, contents, directly_inside, loops, only_statement
from agent.transform.rewrite import Rewrite
from agent.transform.rules.tiling import bounds_use
from agent.transform.syntax import Edit, Unit, bare, field, statements


class Interchange:
    """Swap two nested loops.

    A perfect pair is swapped as it is. In `for j { T acc = a; for p acc += e; out[j] = f(acc); }`
    the accumulator is expanded into the output element: `for j out[j] = a; for p for j
    out[j] += e; for j out[j] = f(out[j]);`.
    """

    name = "interchange"
    summary = "swap nested loops (accumulators become output elements), e.g. ijk to ikj"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Accumulator nests first: they gain most."""
        for loop in loops(unit):
            text = _expanded(unit, loop)
            if text is not None:
                edit = Edit(loop.start, loop.node.end_byte, text)
                what = f"interchange into loop over {loop.var} (line {unit.line(loop.node)})"
                yield Rewrite(self.name, what, unit.edited(edit))
        for loop in loops(unit):
            inner = only_statement(unit, loop)
            if inner is None or bounds_use(inner, loop.var) or loop.pragmas or inner.pragmas:
                continue
            if loop.is_lanes or inner.is_lanes:
                continue
            text = f"{inner.header} {{\n{loop.header} {unit.text(inner.body)}\n}}"
            what = f"interchange {loop.var} and {inner.var} (line {unit.line(loop.node)})"
            edit = Edit(loop.node.start_byte, loop.node.end_byte, text)
            yield Rewrite(self.name, what, unit.edited(edit))


def _expanded(unit: Unit, outer: Loop) -> str | None:
    """The accumulator nest inside out; None if `outer` is not one."""
    inner = directly_inside(unit, outer)
    work = [s for s in statements(outer.body) if s.type not in ("comment", "preproc_call")]
    if len(inner) != 1 or len(work) != 3 or work[1] != inner[0].node or outer.is_lanes:
        return None
    if bounds_use(inner[0], outer.var) or outer.step != "1":
        return None
    locals_ = [x for x in declarations(unit, work[0]) if x.node == work[0]]
    if len(locals_) != 1 or locals_[0].init is None or locals_[0].extent:
        return None
    name, init = locals_[0].name, unit.text(locals_[0].init)
    found = _stored(unit, work[2], name)
    if found is None or reduction(unit, inner[0].body, name) is None:
        return None
    target, value = found
    if any(w.name != name for w in writes(unit, inner[0].body)):
        return None
    element = unit.text(target)
    body = _rendered(unit, inner[0], {name: element})
    parts = [
        f"{outer.header} {{\n{element} = {init};\n}}",
        f"{inner[0].header} {{\n{outer.header} {{\n{body}\n}}\n}}",
    ]
    if value.type != "identifier":
        parts.append(f"{outer.header} {{\n{element} = {unit.render(value, {name: element})};\n}}")
    return "\n".join(parts)


def _rendered(unit: Unit, loop: Loop, names: dict[str, str]) -> str:
    text = unit.render(loop.body, names).strip()
    return text[1:-1].strip() if text.startswith("{") else contents(unit, loop)


def _stored(unit: Unit, statement: Node, name: str) -> tuple[Node, Node] | None:
    """The element a statement stores an expression of `name` in, and that expression."""
    if statement.type != "expression_statement" or not statement.children:
        return None
    node = statement.children[0]
    if node.type != "assignment_expression" or unit.text(field(node, "operator")) != "=":
        return None
    target, value = field(node, "left"), bare(field(node, "right"))
    if target.type != "subscript_expression" or name in names_in(unit, target):
        return None
    array = re.match(r"\w+", unit.text(target))
    if name not in names_in(unit, value) or array is None or array[0] in names_in(unit, value):
        return None
    return target, value
