"""Several time steps of a stencil per pass over memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from agent.transform.dataflow import declarations, subscripts, type_of, writes
from agent.transform.dependence import carried
from agent.transform.loops import Loop, contents, directly_inside, in_parallel, loops
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Edit, Unit, statements
from evaluator.tunables import Tunable, with_tunable


@dataclass(frozen=True)
class _Step:
    """One time step: a sweep over rows that reads one buffer, writes the other, and a swap."""

    rows: Loop
    read: str
    written: str
    reach: int


class TimeTile:
    """Split tiling of a time loop over two exchanged buffers (Grosser et al., 2013).

    Blocks of rows advance several steps while they are in cache, losing the rows at their borders
    that need neighbours (`reach` rows a step and side); a second phase fills those in. Both
    phases run on all cores. Two buffers suffice: what the second phase reads is never overwritten
    by the first.
    """

    name = "time-tile"
    summary = "advance blocks of a stencil several time steps while they are in cache"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Time loops whose body is one independent sweep and a swap of two pointers."""
        for loop in loops(unit):
            if in_parallel(unit, loop.node) or loop.step != "1":
                continue
            step = _time_step(unit, loop)
            if step is not None:
                yield self._tile(unit, loop, step)

    def _tile(self, unit: Unit, loop: Loop, step: _Step) -> Rewrite:
        steps, height = unit.fresh("STEPS"), unit.fresh("ROWS")
        rows, t = step.rows, unit.fresh(f"{loop.var}_base")
        batch, block, s = unit.fresh("batch"), unit.fresh("block"), unit.fresh("s")
        end, reach = unit.fresh("block_end"), step.reach
        lower, upper, int_ = f"({rows.lower})", f"({rows.upper})", rows.ctype

        def sweep(first: str, last: str) -> str:
            return _sweep(unit, step, (s, batch, first, last))

        inside = sweep(
            f"{block} == {lower} ? {lower} : {block} + {reach} * {s}",
            f"{end} == {upper} ? {upper} : {end} - {reach} * {s}",
        )
        border = sweep(
            f"{block} - {reach} * {s} > {lower} ? {block} - {reach} * {s} : {lower}",
            f"{block} + {reach} * {s} < {upper} ? {block} + {reach} * {s} : {upper}",
        )
        spare = unit.fresh("spare")
        text = (
            f"for ({loop.ctype} {t} = {loop.lower}; {t} < {loop.upper}; {t} += {steps}) {{\n"
            f"const {loop.ctype} {batch} = {loop.upper} - {t} < {steps} ? {loop.upper} - {t}"
            f" : {steps};\n#pragma omp parallel for schedule(static)\n"
            f"for ({int_} {block} = {lower}; {block} < {upper}; {block} += {height}) {{\n"
            f"const {int_} {end} = {block} + {height} < {upper} ? {block} + {height} : {upper};\n"
            f"{inside}\n}}\n#pragma omp parallel for schedule(static)\n"
            f"for ({int_} {block} = {lower} + {height}; {block} < {upper}; {block} += {height}) "
            f"{{\n{border}\n}}\nif ({batch} % 2 != 0) {{\n"
            f"auto* {spare} = {step.read};\n{step.read} = {step.written};\n"
            f"{step.written} = {spare};\n}}\n}}"
        )
        source = unit.edited(Edit(loop.start, loop.node.end_byte, text))
        source = with_tunable(source, Tunable(steps, 8, (2, 4, 8, 16)))
        least = max(64, 32 * reach)
        choices = tuple(least * f for f in (1, 2, 4, 8))
        source = with_tunable(source, Tunable(height, least, choices))
        what = f"time tiles over {loop.var} and {rows.var} (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, source)


def _sweep(unit: Unit, step: _Step, words: tuple[str, str, str, str]) -> str:
    """All steps of a batch over the rows `first` to `last` of each."""
    s, batch, first, last = words
    rows = step.rows
    source, target = unit.fresh(f"{step.read}_now"), unit.fresh(f"{step.written}_then")
    element = (type_of(unit, step.written) or "float*").replace("__restrict__", "").strip()
    body = unit.render(rows.body, {step.read: source, step.written: target})
    start, stop = unit.fresh(f"{rows.var}_first"), unit.fresh(f"{rows.var}_last")
    return (
        f"for (int64_t {s} = 0; {s} < {batch}; ++{s}) {{\n"
        f"const {element} __restrict__ {source} = {s} % 2 == 0 ? {step.read} : {step.written};\n"
        f"{element} __restrict__ {target} = {s} % 2 == 0 ? {step.written} : {step.read};\n"
        f"const {rows.ctype} {start} = {first};\nconst {rows.ctype} {stop} = {last};\n"
        f"for ({rows.ctype} {rows.var} = {start}; {rows.var} < {stop}; ++{rows.var}) {body}\n}}"
    )


def _time_step(unit: Unit, loop: Loop) -> _Step | None:
    inner = directly_inside(unit, loop)
    body = [s for s in statements(loop.body) if s.type not in ("comment", "preproc_call")]
    if len(inner) != 1 or not body or body[0] != inner[0].node or inner[0].step != "1":
        return None
    pair = _swapped(unit, body[1:])
    found = carried(unit, inner[0])
    if pair is None or not found.independent or found.reductions or found.private:
        return None
    if loop.var in re.findall(r"\w+", contents(unit, inner[0])):
        return None
    targets = {w.name for w in writes(unit, inner[0].body) if w.element}
    written = [n for n in pair if n in targets]
    if len(written) != 1 or targets - {written[0]} - _declared_names(unit, inner[0]):
        return None
    read = pair[0] if written[0] == pair[1] else pair[1]
    kinds = {re.sub(r"\s|__restrict__", "", type_of(unit, n) or "") for n in pair}
    if len(kinds) != 1 or not next(iter(kinds)).endswith("*"):
        return None
    reach = _reach(unit, inner[0], read)
    return _Step(inner[0], read, written[0], reach) if reach is not None else None


def _declared_names(unit: Unit, loop: Loop) -> set[str]:
    return {x.name for x in declarations(unit, loop.body)}


def _swapped(unit: Unit, rest: list[Node]) -> tuple[str, str] | None:
    """The two pointers that the statements exchange, and nothing else."""
    text = re.sub(r"\s+", " ", " ".join(unit.text(s) for s in rest)).strip()
    match = re.fullmatch(r"(?:std::)?swap\((\w+), ?(\w+)\);", text)
    if match is not None:
        return match[1], match[2]
    match = re.fullmatch(
        r"[\w:]+ ?\* ?(?:const )?(\w+) = (\w+); (\w+) = (\w+); (\w+) = (\w+);", text
    )
    if match is None or match[1] != match[6] or match[2] != match[3] or match[4] != match[5]:
        return None
    return match[2], match[4]


def _reach(unit: Unit, rows: Loop, read: str) -> int | None:
    """How many rows away a row reads; None if that cannot be told from the indices."""
    far = 0
    var = re.escape(rows.var)
    for node in subscripts(unit, rows.body, read):
        index = re.sub(r"\s", "", unit.text(node))
        if not re.search(rf"\b{var}\b", index):
            return None
        for offset in re.findall(rf"\b{var}\b[-+](\d+)", index):
            far = max(far, int(offset))
        for other in re.findall(rf"\b{var}\b[-+]([A-Za-z_]\w*)", index):
            if other:
                return None
    return max(far, 1)
