"""Prefix sums: several elements per step, added up in a vector register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from agent.transform.dataflow import base_name, declarations, names_in, type_of, unit_stride, writes
from agent.transform.dependence import carried
from agent.transform.loops import Loop, has_loops, loops, pragma_text, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.rules.functions import insertion
from agent.transform.syntax import Unit, bare, field, statements

_LANES = {"float": 16, "double": 8, "int": 16, "int32_t": 16, "int64_t": 8}


class BlockedScan:
    """Rewrite `acc += e; out = f(acc);` as a prefix sum inside vectors.

    A block of elements is summed in log2(lanes) shifted additions (Hillis and Steele, 1986), so
    that the chain from block to block is one addition long.
    """

    name = "blocked-scan"
    summary = "running sums: log-step prefix sum in vector registers, one carried add per block"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops that carry one running sum and store it."""
        for loop in loops(unit):
            if has_loops(loop.body) or loop.step != "1" or pragma_text(unit, loop):
                continue
            found = _running_sum(unit, loop)
            if found is not None:
                yield self._block(unit, loop, *found)

    def _block(
        self, unit: Unit, loop: Loop, name: str, before: list[Node], add: Node, after: list[Node]
    ) -> Rewrite:
        kind = type_of(unit, name) or "float"
        lanes = _LANES[kind]
        pack, zero, sums = unit.fresh(f"{kind}_pack"), unit.fresh("zero"), unit.fresh("sums")
        names = _Names(kind, lanes, pack, sums, unit.fresh("part"), unit.fresh("lane"))
        steps = []
        shift = 1
        while shift < lanes:
            picks = ", ".join(str(lanes + i - shift if i >= shift else 0) for i in range(lanes))
            steps.append(f"{sums} += __builtin_shuffle({zero}, {sums}, {pack}_index{{{picks}}});")
            shift *= 2
        var, upper = loop.var, f"({loop.upper})"
        text = "\n".join(
            [
                "{", f"{loop.ctype} {var} = {loop.lower};", f"const {pack} {zero} = {{}};",
                f"for (; {var} + {lanes} <= {upper}; {var} += {lanes}) {{",
                _load(unit, loop, names, before, _addend(unit, add, name) or add),
                *steps, f"{sums} += {name};", f"{name} = {sums}[{lanes - 1}];",
                _store(unit, loop, names, name, after), "}",
                f"for (; {var} < {upper}; ++{var}) {unit.text(loop.body)}", "}",
            ]
        )  # fmt: skip
        index = "int64_t" if lanes == 8 else "int32_t"
        types = (
            f"typedef {kind} {pack} __attribute__((vector_size(64), aligned(4), may_alias));\n"
            f"typedef {index} {pack}_index __attribute__((vector_size(64)));\n"
        )
        source = unit.edited(*insertion(unit, [types]), replace_loop(loop, text))
        what = f"prefix sum of {name} in vectors of {lanes} (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, source)


@dataclass(frozen=True)
class _Names:
    """What the generated code calls things."""

    kind: str
    lanes: int
    pack: str
    sums: str
    part: str
    lane: str

    @property
    def header(self) -> str:
        return (
            f"#pragma omp simd\nfor (int {self.lane} = 0; {self.lane} < {self.lanes}; "
            f"++{self.lane})"
        )


def _load(unit: Unit, loop: Loop, names: _Names, before: list[Node], value: Node) -> str:
    """Bring the addends of a block into a vector: one load if they are contiguous."""
    value = bare(value)
    if not before and _contiguous(unit, loop, value, names.kind):
        place = unit.text(value)
        return f"{names.pack} {names.sums} = *reinterpret_cast<const {names.pack}*>(&{place});"
    here = {loop.var: f"({loop.var} + {names.lane})"}
    first = "\n".join(unit.render(s, here) for s in before)
    return (
        f"alignas(64) {names.kind} {names.part}[{names.lanes}];\n{names.header} {{\n{first}\n"
        f"{names.part}[{names.lane}] = {unit.render(value, here)};\n}}\n"
        f"{names.pack} {names.sums} = *reinterpret_cast<const {names.pack}*>({names.part});"
    )


def _store(unit: Unit, loop: Loop, names: _Names, name: str, after: list[Node]) -> str:
    """Use the sums of a block: one store if that is all."""
    only = after[0].children[0] if len(after) == 1 and after[0].children else None
    if only is not None and only.type == "assignment_expression":
        target, right = field(only, "left"), bare(field(only, "right"))
        plain = unit.text(right) == name and unit.text(field(only, "operator")) == "="
        if plain and _contiguous(unit, loop, target, names.kind):
            place = unit.text(target)
            return f"*reinterpret_cast<{names.pack}*>(&{place}) = {names.sums};"
    here = {loop.var: f"({loop.var} + {names.lane})", name: f"{names.sums}_each[{names.lane}]"}
    then = "\n".join(unit.render(s, here) for s in after)
    return (
        f"alignas(64) {names.kind} {names.sums}_each[{names.lanes}];\n"
        f"*reinterpret_cast<{names.pack}*>({names.sums}_each) = {names.sums};\n"
        f"{names.header} {{\n{then}\n}}"
    )


def _contiguous(unit: Unit, loop: Loop, node: Node, kind: str) -> bool:
    """Whether an expression is an element of an array of `kind` that moves by one per step."""
    if node.type != "subscript_expression" or not unit_stride(unit, node, loop.var):
        return False
    array = base_name(unit, node)
    declared = type_of(unit, array) if array is not None else None
    words = re.sub(r"\bconst\b|__restrict__|\*", " ", declared or "").split()
    return words == [kind] and "*" in (declared or "")


def _running_sum(unit: Unit, loop: Loop) -> tuple[str, list[Node], Node, list[Node]] | None:
    """The accumulator, and what happens before, at and after its addition."""
    body = [s for s in statements(loop.body) if s.type != "comment"]
    local = {x.name for x in declarations(unit, loop.body)}
    outer = [w for w in writes(unit, loop.body) if not w.element and w.name not in local]
    if len(outer) != 1 or carried(unit, loop).scattered or outer[0].name == loop.var:
        return None
    name, add = outer[0].name, outer[0].node
    place = next((i for i, s in enumerate(body) if s == add.parent), None)
    if place is None or place == len(body) - 1 or add.type != "assignment_expression":
        return None
    if type_of(unit, name) not in _LANES or _addend(unit, add, name) is None:
        return None
    before, after = body[:place], body[place + 1 :]
    early: set[str] = set().union(*(names_in(unit, s) for s in before)) if before else set()
    late: set[str] = set().union(*(names_in(unit, s) for s in after))
    if name in early or name not in late or any(s.type == "declaration" for s in before):
        return None
    return name, before, add, after


def _addend(unit: Unit, add: Node, name: str) -> Node | None:
    """What is added: `e` of `acc += e`, `acc = acc + e` or `acc = e + acc`."""
    operator, right = unit.text(field(add, "operator")), bare(field(add, "right"))
    if operator == "+=":
        return None if name in names_in(unit, right) else right
    if operator != "=" or right.type != "binary_expression":
        return None
    if unit.text(field(right, "operator")) != "+":
        return None
    sides = [field(right, "left"), field(right, "right")]
    rest = [s for s in sides if unit.text(s) != name]
    return rest[0] if len(rest) == 1 and name not in names_in(unit, rest[0]) else None
