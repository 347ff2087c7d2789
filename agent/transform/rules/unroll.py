"""Unrolling an inner loop, and breaking a reduction into independent partial results."""

from __future__ import annotations

import re
from collections.abc import Iterator

from agent.transform.dataflow import type_of
from agent.transform.dependence import carried
from agent.transform.loops import Loop, contents, has_loops, loops, pragma_text, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Edit, Unit
from evaluator.tunables import Tunable, with_tunable

_LOWEST = {"+": "0", "*": "1"}


class Unroll:
    """Ask the compiler to unroll an inner loop a tunable number of times."""

    name = "unroll"
    summary = "`GCC unroll` on an inner loop with a tunable factor"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops that carry no OpenMP directive."""
        for loop in loops(unit):
            if has_loops(loop.body) or loop.pragmas or loop.is_lanes:
                continue
            name = unit.fresh("UNROLL")
            factor = unit.fresh(f"{name.lower()}_factor")
            at = unit.body.start_byte + 1
            start = loop.node.start_byte
            source = unit.edited(
                Edit(at, at, f"\nconstexpr int {factor} = {name};"),
                Edit(start, start, f"\n#pragma GCC unroll {factor}\n"),
            )
            what = f"unroll loop over {loop.var} (line {unit.line(loop.node)})"
            tunable = Tunable(name, 4, (2, 4, 8, 16))
            yield Rewrite(self.name, what, with_tunable(source, tunable))


class SplitAccumulator:
    """Accumulate into several independent partial results, combined after the loop.

    Needs no permission to reassociate, vectorises at any optimisation level, and sums of many
    terms lose less precision.
    """

    name = "split-accumulator"
    summary = "independent partial sums (or maxima) in a small local array"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops with one or more accumulators and nothing else carried."""
        for loop in loops(unit):
            if has_loops(loop.body) or loop.step != "1" or loop.is_lanes:
                continue
            if "omp" in pragma_text(unit, loop) or "GCC" in pragma_text(unit, loop):
                continue
            found = carried(unit, loop)
            if not found.reductions or not found.independent or found.private:
                continue
            types = {name: type_of(unit, name) for name in found.reductions}
            if all(t in ("float", "double", "int", "int64_t", "int32_t") for t in types.values()):
                yield self._split(unit, loop, found.reductions, types)

    def _split(
        self, unit: Unit, loop: Loop, operators: dict[str, str], types: dict[str, str | None]
    ) -> Rewrite:
        lanes, lane = unit.fresh("LANES"), unit.fresh("lane")
        parts = {name: unit.fresh(f"{name}_part") for name in operators}
        names = {name: f"{part}[{lane}]" for name, part in parts.items()}
        names[loop.var] = f"({loop.var} + {lane})"
        lines = [f"{types[n]} {part}[{lanes}];" for n, part in parts.items()]
        starts = [f"{p}[{lane}] = {_LOWEST.get(operators[n], n)};" for n, p in parts.items()]
        header = f"for (int {lane} = 0; {lane} < {lanes}; ++{lane})"
        body = unit.render(loop.body, names)
        merges = [_merge(n, f"{p}[{lane}]", operators[n]) for n, p in parts.items()]
        upper = loop.upper if re.fullmatch(r"\w+", loop.upper) else f"({loop.upper})"
        var = loop.var
        text = "\n".join(
            [
                "{", *lines, f"{header} {{", *starts, "}",
                f"{loop.ctype} {var} = {loop.lower};",
                f"for (; {var} + {lanes} <= {upper}; {var} += {lanes}) {{",
                "#pragma omp simd", f"{header} {body}", "}",
                f"for (; {var} < {upper}; ++{var}) {{", contents(unit, loop), "}",
                f"{header} {{", *merges, "}", "}",
            ]
        )  # fmt: skip
        source = unit.edited(replace_loop(loop, text))
        what = f"split accumulators {', '.join(operators)} (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, with_tunable(source, Tunable(lanes, 32, (8, 16, 32, 64))))


def _merge(name: str, part: str, operator: str) -> str:
    if operator in _LOWEST:
        return f"{name} {operator}= {part};"
    comparison = ">" if operator == "max" else "<"
    return f"{name} = {part} {comparison} {name} ? {part} : {name};"
