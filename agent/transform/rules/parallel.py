"""OpenMP threads: parallel loops, and one parallel region around a sequential loop."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.dataflow import declarations, names_in
from agent.transform.dependence import Carried, carried
from agent.transform.loops import (
    Loop,
    add_pragma,
    before,
    directly_inside,
    in_parallel,
    loops,
    only_statement,
    pragma_text,
)
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Edit, Unit, statements

BOTH = "collapse(2)"
"""Two loops are shared out as one: an outer loop over a batch of one would leave cores idle."""


def clauses(found: Carried) -> str:
    """The OpenMP clauses that reductions and private variables need, with a leading space."""
    parts = [f"reduction({op}:{name})" for name, op in found.reductions.items()]
    if found.private:
        parts.append(f"private({', '.join(found.private)})")
    return "".join(f" {p}" for p in parts)


class ParallelFor:
    """Share the iterations of an independent loop out to threads."""

    name = "parallel-for"
    summary = "run an outer loop on all cores (schedules, collapse, reductions)"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Outermost loops first, static schedule first."""
        candidates = [x for x in loops(unit) if not x.is_lanes and not in_parallel(unit, x.node)]
        for loop in sorted(candidates, key=lambda x: x.depth):
            found = carried(unit, loop)
            if not found.independent or "GCC" in pragma_text(unit, loop):
                continue
            for variant in self._variants(unit, loop):
                source = unit.edited(*_with_directive(unit, loop, variant + clauses(found)))
                what = f"parallelise loop over {loop.var} (line {unit.line(loop.node)}): {variant}"
                yield Rewrite(self.name, what, source)

    def _variants(self, unit: Unit, loop: Loop) -> Iterator[str]:
        yield "schedule(static)"
        inner = only_statement(unit, loop)
        square = inner is not None and not inner.pragmas and not _uses(unit, inner, loop.var)
        work = inner is not None and any(not x.is_lanes for x in directly_inside(unit, inner))
        if inner is not None and square and work and carried(unit, inner).independent:
            yield f"{BOTH} schedule(static)"  # not an innermost loop: that is one for vectors
        yield "schedule(dynamic, 8)"
        yield "schedule(guided)"


class ParallelRegion:
    """Start the threads once, outside a sequential loop; share out the loops inside."""

    name = "parallel-region"
    summary = "hoist the parallel region around a sequential (time-step) loop"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Sequential loops whose direct inner loops are independent."""
        for loop in loops(unit):
            if in_parallel(unit, loop.node) or carried(unit, loop).independent:
                continue
            edits = self._inside(unit, loop)
            if edits:
                edits.append(add_pragma(unit, loop, "omp parallel"))
                what = f"hoist parallel region around {loop.var} (line {unit.line(loop.node)})"
                yield Rewrite(self.name, what, unit.edited(*edits))

    def _inside(self, unit: Unit, loop: Loop) -> list[Edit]:
        edits: list[Edit] = []
        inner = {x.node: x for x in directly_inside(unit, loop)}
        alone: list[Node] = []
        shared = False
        for statement in statements(loop.body):
            at = inner.get(statement)
            found = carried(unit, at) if at is not None else None
            if at is None or found is None or not found.independent or found.reductions:
                if statement.type not in ("comment", "preproc_call"):
                    alone.append(statement)
                continue
            shared = True
            edits += [*_once(unit, loop, alone), _worksharing(unit, at, found)]
            alone = []
        return [*edits, *_once(unit, loop, alone)] if shared else []


class StaticPartition:
    """Give each thread one contiguous block of iterations, computed by hand."""

    name = "static-partition"
    summary = "partition an outer loop by hand, one contiguous block per thread"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Outermost independent loops without reductions."""
        for loop in loops(unit):
            found = carried(unit, loop)
            if loop.depth or in_parallel(unit, loop.node) or loop.pragmas or loop.is_lanes:
                continue
            if not found.independent or found.reductions or found.private or loop.step != "1":
                continue
            yield self._partition(unit, loop)

    def _partition(self, unit: Unit, loop: Loop) -> Rewrite:
        share, first, last = (unit.fresh(f"{loop.var}_{s}") for s in ("share", "first", "last"))
        body = unit.text(loop.body)
        text = (
            "#pragma omp parallel\n{\n"
            f"const int64_t {share} = (({loop.upper}) - ({loop.lower}) + omp_get_num_threads() - 1)"
            " / omp_get_num_threads();\n"
            f"const int64_t {first} = ({loop.lower}) + {share} * omp_get_thread_num();\n"
            f"const int64_t {last} = {first} + {share} < ({loop.upper}) ? {first} + {share}"
            f" : ({loop.upper});\n"
            f"for (int64_t {loop.var} = {first}; {loop.var} < {last}; ++{loop.var}) {body}\n}}"
        )
        edits = [Edit(loop.node.start_byte, loop.node.end_byte, text), *include(unit, "omp.h")]
        what = f"partition loop over {loop.var} by thread (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, unit.edited(*edits))


def include(unit: Unit, header: str) -> list[Edit]:
    """The edit that includes a header, if the source does not yet."""
    if f"<{header}>" in unit.source:
        return []
    found = [n for n in unit.root.children if n.type == "preproc_include"]
    if not found and unit.root.children:
        found = [n for n in unit.root.children if n.type != "comment"][:1]
    at = found[0].start_byte if found else 0
    return [Edit(at, at, f"#include <{header}>\n")]


def _with_directive(unit: Unit, loop: Loop, arguments: str) -> list[Edit]:
    for pragma in loop.pragmas:
        text = unit.text(pragma)
        if re.search(r"\bomp\s+simd\b", text):
            kept = re.sub(r"reduction\([^)]*\)|private\([^)]*\)", "", arguments)
            kept = kept.replace(BOTH, "").strip()
            new = re.sub(r"\bomp\s+simd\b", "omp parallel for simd " + kept, text)
            return [Edit(pragma.start_byte, pragma.end_byte, new)]
    return [add_pragma(unit, loop, f"omp parallel for {arguments}")]


def _once(unit: Unit, loop: Loop, run: list[Node]) -> list[Edit]:
    """Let one thread execute a run of statements; what it declares for later, every thread."""
    if not run:
        return []
    declared = {x.name for s in run for x in declarations(unit, s)}
    later = [s for s in statements(loop.body) if s.start_byte > run[-1].start_byte]
    used: set[str] = set().union(*(names_in(unit, s) for s in later)) if later else set()
    groups = [run]
    if declared & used:
        groups = [[s] for s in run if s.type != "declaration"]
    edits = []
    for group in groups:
        first = before(unit, group[0])
        start = first[0].start_byte if first else group[0].start_byte
        edits.append(Edit(start, start, "\n#pragma omp single\n{\n"))
        edits.append(Edit(group[-1].end_byte, group[-1].end_byte, "\n}"))
    return edits


def _worksharing(unit: Unit, loop: Loop, found: Carried) -> Edit:
    for pragma in loop.pragmas:
        text = unit.text(pragma)
        if "omp parallel for" in text:
            new = text.replace("omp parallel for", "omp for")
            return Edit(pragma.start_byte, pragma.end_byte, new)
        if re.search(r"\bomp\s+simd\b", text):
            new = text.replace("omp simd", "omp for simd schedule(static)")
            return Edit(pragma.start_byte, pragma.end_byte, new)
    return add_pragma(unit, loop, "omp for schedule(static)" + clauses(found))


def _uses(unit: Unit, inner: Loop, var: str) -> bool:
    init: Node | None = inner.node.child_by_field_name("initializer")
    condition: Node | None = inner.node.child_by_field_name("condition")
    return any(n is not None and var in names_in(unit, n) for n in (init, condition))
