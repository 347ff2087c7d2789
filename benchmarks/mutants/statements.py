"""Faults in statements: dropped ones, accumulators, stale outputs, races."""

from __future__ import annotations

import re
from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.syntax import Edit, Unit, bare, field, walk
from benchmarks.mutants.sites import Fault, enclosing_variable, inside, loops, replace, types

_ZERO = re.compile(r"-?(0|0?\.0*f?|0\.0*f?)")
_SET_ZERO = re.compile(r"_mm(\d*)_setzero_(ps|pd)\(\)")
_VALUE = re.compile(r"-?[\d.]+([eE][+-]?\d+)?f?|-?INFINITY|_mm\d*_setzero_\w+\(\)|\w+\[0\]")
_NUMERIC = ("float", "double", "int64_t", "int", "__m512", "__m256", "__m512d", "__m512i")
_SYNC = re.compile(r"\bomp\s+(critical|atomic|barrier|ordered|single|master)\b")
_CLAUSE = re.compile(r"\b(?:reduction|private|firstprivate|lastprivate)\s*\([^)]*\)")
_STORE = re.compile(r"_mm\d*_(mask_)?(storeu?|stream)_\w+")
_HIDE = 97


def dropped_statement(unit: Unit) -> Iterator[Fault]:
    """An assignment, a call, a loop or a branch that is missing."""
    for node in inside(unit):
        if node.type in (
            "expression_statement",
            "for_statement",
            "if_statement",
            "while_statement",
        ):
            yield replace(unit, node, ";")


def wrong_accumulator(unit: Unit) -> Iterator[Fault]:
    """Another start value."""
    for _, declarator in _initialised(unit):
        value = field(declarator, "value")
        text = unit.text(value)
        if match := _SET_ZERO.fullmatch(text):
            other = f"_mm{match[1]}_set1_{match[2]}(1.0f)"
        elif "setzero" in text:
            continue
        else:
            other = "1" if _ZERO.fullmatch(text) else "0"
        yield replace(unit, value, other)


def uninitialised(unit: Unit) -> Iterator[Fault]:
    """A start value that is missing.

    Where the compiler chooses the value that was meant, the mutant has the same machine code or the
    same outputs, and does not count.
    """
    for _, declarator in _initialised(unit):
        equals = next((c for c in declarator.children if c.type == "="), None)
        if equals is None:
            continue
        value = field(declarator, "value")
        yield Fault(unit.line(value), (Edit(equals.start_byte, value.end_byte, ""),))
    for node in inside(unit):
        if node.type == "call_expression" and unit.text(field(node, "function")).endswith("calloc"):
            count, size = field(node, "arguments").named_children
            text = f"std::malloc(({unit.text(count)}) * ({unit.text(size)}))"
            yield replace(unit, node, text)


def stale_output(unit: Unit) -> Iterator[Fault]:
    """A write that is skipped at some places, or for some values."""
    for node in inside(unit):
        if node.type != "expression_statement":
            continue
        written = _written(unit, node)
        variable = enclosing_variable(unit, node)
        if written is None:
            continue
        if variable is not None:
            for hidden in (1, _HIDE - 1):
                test = f"if (({variable}) % {_HIDE} != {hidden})"
                yield replace(unit, node, f"{test} {{\n{unit.text(node)}\n}}")
        if written.type != "argument_list":
            test = f"if (({unit.text(written)}) != 0)"
            yield replace(unit, node, f"{test} {{\n{unit.text(node)}\n}}")


def missing_sync(unit: Unit) -> Iterator[Fault]:
    """A critical section, barrier, atomic or clause less; a lock that is not taken."""
    for node in _pragmas(unit):
        text = unit.text(node).rstrip("\n")
        if _SYNC.search(text):
            yield Fault(unit.line(node), (Edit(node.start_byte, node.start_byte + len(text), ""),))
        for clause in _CLAUSE.finditer(text):
            start = node.start_byte + clause.start()
            yield Fault(unit.line(node), (Edit(start, start + len(clause[0]), ""),))
        if re.search(r"\bomp\s+for\b", text) and "nowait" not in text:
            end = node.start_byte + len(text)
            yield Fault(unit.line(node), (Edit(end, end, " nowait"),))
    for node in inside(unit):
        if node.type == "declaration" and re.match(
            r"std::(lock_guard|unique_lock)", unit.text(node)
        ):
            yield replace(unit, node, ";")


def race(unit: Unit) -> Iterator[Fault]:
    """A loop whose iterations add to one variable, given to threads without a reduction; a variable
    of a parallel loop that all threads share."""
    kinds = types(unit)
    for loop in loops(unit):
        before = loop.node.prev_sibling
        if before is not None and before.type == "preproc_call":
            if "parallel" in unit.text(before):
                yield from _shared(unit, loop.body)
            continue
        if loop.start is None or not _accumulates(unit, loop.body, kinds):
            continue
        if any(n.type in ("break_statement", "return_statement") for n in walk(loop.body)):
            continue
        place = loop.node.start_byte
        text = "\n#pragma omp parallel for num_threads(2)\n"
        yield Fault(unit.line(loop.node), (Edit(place, place, text),))


def _shared(unit: Unit, body: Node) -> Iterator[Fault]:
    for node in body.named_children:
        if node.type != "declaration" or unit.text(node).startswith(("const", "static")):
            continue
        kind = unit.text(field(node, "type"))
        declarators = node.children_by_field_name("declarator")
        if kind not in _NUMERIC or any(d.type != "init_declarator" for d in declarators):
            continue
        pairs = [
            (unit.text(field(d, "declarator")), unit.text(field(d, "value"))) for d in declarators
        ]
        if any("*" in name for name, _ in pairs):
            continue
        text = f"static volatile {kind} " + ", ".join(n for n, _ in pairs) + ";\n"
        text += "\n".join(f"{n} = {v};" for n, v in pairs)
        yield replace(unit, node, text)


def _accumulates(unit: Unit, body: Node, kinds: dict[str, str]) -> bool:
    own = {
        unit.text(field(d, "declarator"))
        for n in walk(body)
        if n.type == "declaration"
        for d in n.children_by_field_name("declarator")
        if d.type == "init_declarator"
    }
    for node in walk(body):
        if node.type == "assignment_expression":
            target = field(node, "left")
            name = unit.text(target)
            if target.type == "identifier" and name in kinds and name not in own:
                return True
    return False


def _initialised(unit: Unit) -> Iterator[tuple[Node, Node]]:
    """Variables that start at a constant: (declaration, declarator); no loop counters."""
    for node in inside(unit):
        if node.type != "declaration" or (node.parent and node.parent.type == "for_statement"):
            continue
        if re.match(r"(static |constexpr |const )", unit.text(node)):
            continue
        for declarator in node.children_by_field_name("declarator"):
            if declarator.type != "init_declarator":
                continue
            value = declarator.child_by_field_name("value")
            if field(declarator, "declarator").type != "identifier" or value is None:
                continue
            plain = any(c.type == "=" for c in declarator.children)
            if plain and _VALUE.fullmatch(unit.text(value)):
                yield node, declarator


def _written(unit: Unit, statement: Node) -> Node | None:
    """What a statement stores in memory: the value, or a vector store's arguments."""
    inner = statement.named_children[0] if statement.named_children else None
    if inner is None:
        return None
    inner = bare(inner)
    if inner.type == "assignment_expression":
        plain = unit.text(field(inner, "operator")) == "="
        is_memory = field(inner, "left").type == "subscript_expression"
        return field(inner, "right") if plain and is_memory else None
    if inner.type == "call_expression" and _STORE.fullmatch(unit.text(field(inner, "function"))):
        return field(inner, "arguments")
    return None


def _pragmas(unit: Unit) -> Iterator[Node]:
    for node in inside(unit):
        if node.type == "preproc_call" and "omp" in unit.text(node):
            yield node
