"""Prefix sums: several elements per step, added up in a vector register."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.dataflow import carried, declarations, names_in, type_of, writes
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
        pack, zero = unit.fresh(f"{kind}_pack"), unit.fresh("zero")
        part, sums, lane = unit.fresh("part"), unit.fresh("sums"), unit.fresh("lane")
        here = {loop.var: f"({loop.var} + {lane})"}
        first = "\n".join(unit.render(s, here) for s in before)
        addend = _addend(unit, add, name)
        value = unit.render(addend if addend is not None else field(add, "right"), here)
        then = "\n".join(unit.render(s, {**here, name: f"{part}[{lane}]"}) for s in after)
        header = f"#pragma omp simd\nfor (int {lane} = 0; {lane} < {lanes}; ++{lane})"
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
                f"alignas(64) {kind} {part}[{lanes}];",
                f"{header} {{", first, f"{part}[{lane}] = {value};", "}",
                f"{pack} {sums};", f"__builtin_memcpy(&{sums}, {part}, sizeof {sums});",
                *steps, f"{sums} += {name};",
                f"__builtin_memcpy({part}, &{sums}, sizeof {sums});",
                f"{name} = {part}[{lanes - 1}];", f"{header} {{", then, "}", "}",
                f"for (; {var} < {upper}; ++{var}) {unit.text(loop.body)}", "}",
            ]
        )  # fmt: skip
        index = "int64_t" if lanes == 8 else "int32_t"
        types = (
            f"typedef {kind} {pack} __attribute__((vector_size(64)));\n"
            f"typedef {index} {pack}_index __attribute__((vector_size(64)));\n"
        )
        source = unit.edited(*insertion(unit, [types]), replace_loop(loop, text))
        what = f"prefix sum of {name} in vectors of {lanes} (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, source)


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
