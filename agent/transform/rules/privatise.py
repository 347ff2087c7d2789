"""Indirect increments (histograms, scatter-add): private copies per thread, merged at the end."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.transform.dataflow import Carried, carried, type_of, writes
from agent.transform.loops import Loop, all_loops, in_parallel, loops, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.rules.parallel import include
from agent.transform.syntax import Unit, field, walk
from evaluator.tunables import Tunable, with_tunable


class Privatise:
    """Every thread increments its own copies of a small array; a merge adds them up.

    Several copies per thread let consecutive increments of one element overlap. The length of the
    array is taken from the loop or the call that clears it.
    """

    name = "privatise"
    summary = "per-thread private copies of an array that is incremented indirectly, then merged"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Outermost loops whose only obstacle is one scattered array; with and without threads."""
        for loop in loops(unit):
            found = carried(unit, loop)
            if found.blocked or len(found.scattered) != 1 or loop.is_lanes:
                continue
            if found.reductions or in_parallel(unit, loop.node):
                continue
            array = found.scattered[0]
            extent = _extent(unit, loop, array)
            kind = type_of(unit, array)
            if extent is None or kind is None or not _only_added(unit, loop, array):
                continue
            element = re.sub(r"__restrict__|__restrict|\*|const", "", kind).strip()
            for element_type in _accumulators(element):
                yield self._privatise(unit, loop, found, extent, element_type)

    def _privatise(
        self, unit: Unit, loop: Loop, found: Carried, extent: str, element: str
    ) -> Rewrite:
        array = found.scattered[0]
        copies, store = unit.fresh("COPIES"), unit.fresh(f"{array}_private")
        at, total, slot = unit.fresh("slot"), unit.fresh("total"), unit.fresh("copy")
        private = f" private({', '.join(found.private)})" if found.private else ""
        own = unit.fresh(f"{array}_own")
        body = unit.render(loop.body, {array: own}).strip()[1:-1]
        text = (
            f"#pragma omp parallel{private}\n{{\n"
            f"std::vector<{element}> {store}(({extent}) * {copies});\n"
            f"#pragma omp for schedule(static) nowait\n{loop.header} {{\n"
            f"{element}* const {own} = {store}.data() + ({loop.var} % {copies}) * ({extent});\n"
            f"{body.strip()}\n}}\n"
            f"#pragma omp critical\n"
            f"for (int64_t {at} = 0; {at} < ({extent}); ++{at}) {{\n"
            f"{element} {total} = 0;\n"
            f"for (int {slot} = 0; {slot} < {copies}; ++{slot}) {{\n"
            f"{total} += {store}[{slot} * ({extent}) + {at}];\n}}\n"
            f"{array}[{at}] += {total};\n}}\n}}"
        )
        source = unit.edited(*include(unit, "vector"), replace_loop(loop, text))
        what = f"private copies of {array} ({element}) per thread (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, with_tunable(source, Tunable(copies, 4, (1, 2, 4, 8))))


def _accumulators(element: str) -> tuple[str, ...]:
    """Element types of the private copies: narrow integers first, they cache better."""
    if element in ("int64_t", "uint64_t", "long", "long long", "size_t"):
        return ("int32_t", element)
    return (element,)


def _extent(unit: Unit, loop: Loop, array: str) -> str | None:
    """The length of an array: where it is cleared, or a wide enough loop over it."""
    for other in all_loops(unit):
        if other.lower != "0" or other.step != "1" or other.node == loop.node:
            continue
        for write in writes(unit, other.body):
            if write.name == array and write.element and write.target is not None:
                index = re.sub(r"\s", "", unit.text(write.target))
                if index == f"{array}[{other.var}]":
                    return other.upper
    return _extent_of_call(unit, array)


def _extent_of_call(unit: Unit, array: str) -> str | None:
    for node in walk(unit.body):
        if node.type != "call_expression":
            continue
        name = unit.text(field(node, "function"))
        arguments = [unit.text(c) for c in field(node, "arguments").children if c.is_named]
        if len(arguments) != 3 or arguments[0] != array:
            continue
        if name == "std::fill_n":
            return arguments[1]
        if name == "std::fill":
            match = re.fullmatch(rf"{re.escape(array)}\s*\+\s*(.+)", arguments[1])
            return match[1] if match else None
        if name in ("memset", "std::memset"):
            factors = [f for f in re.split(r"\s*\*\s*", arguments[2]) if "sizeof" not in f]
            return " * ".join(factors) if factors else None
    return None


def _only_added(unit: Unit, loop: Loop, array: str) -> bool:
    found = [w for w in writes(unit, loop.body) if w.name == array]
    return all(w.element and w.operator in ("++", "+=", "-=") for w in found)
