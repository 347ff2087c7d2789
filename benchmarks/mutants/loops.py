"""Faults in loops and indices: bounds, tails, strides, tiles, narrow types."""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from agent.transform.syntax import Edit, Unit, identifiers, walk
from benchmarks.mutants.sites import Fault, binaries, calls, inside, loops, replace

_NEIGHBOUR = {"<": "<=", "<=": "<", ">": ">=", ">=": ">"}
_WIDE = ("int64_t", "size_t", "long", "int", "int32_t", "std::size_t", "ptrdiff_t")
_NARROW = ("int16_t", "uint16_t")
_TILES = (1, 2, 5, 17)


def off_by_one(unit: Unit) -> Iterator[Fault]:
    """One iteration too few or too many, at either end."""
    for loop in loops(unit):
        sign = next((c for c in loop.condition.children if c.type in _NEIGHBOUR), None)
        if sign is not None:
            yield replace(unit, sign, _NEIGHBOUR[sign.type])
        yield replace(unit, loop.bound, f"({unit.text(loop.bound)}) - 1")
        if loop.start is not None:
            yield replace(unit, loop.start, f"({unit.text(loop.start)}) + 1")


def dropped_tail(unit: Unit) -> Iterator[Fault]:
    """A loop that stops at the last whole vector."""
    for loop in loops(unit):
        if loop.step == "1":
            for width in (4, 8, 16):
                bound = f"({unit.text(loop.bound)}) / {width} * {width}"
                yield replace(unit, loop.bound, bound)


def wrong_stride(unit: Unit) -> Iterator[Fault]:
    """Every other iteration, or rows that are one element longer or shorter than they are."""
    for loop in loops(unit):
        update = loop.node.child_by_field_name("update")
        if update is not None and loop.step:
            yield replace(unit, update, f"{loop.variable} += 2 * ({loop.step})")
    for _, _, _, right in binaries(unit, ("*",)):
        if right.type == "identifier" and _is_address(right):
            yield replace(unit, right, f"({unit.text(right)} + 1)")
            yield replace(unit, right, f"({unit.text(right)} - 1)")


def bad_tile(unit: Unit) -> Iterator[Fault]:
    """One iteration is left out."""
    for loop in loops(unit):
        if loop.start is None or not loop.step:
            continue
        for number in _TILES:
            at = f"({unit.text(loop.start)}) + {number} * ({loop.step})"
            skip = f"\nif ({loop.variable} == {at}) {{\ncontinue;\n}}"
            place = loop.body.start_byte + 1
            yield Fault(unit.line(loop.body), (Edit(place, place, skip),))


def swapped_indices(unit: Unit) -> Iterator[Fault]:
    """Two variables of an index expression exchanged."""
    for index in _indices(unit):
        names = identifiers(index)
        first = names[0] if names else None
        other = next((n for n in names if first and unit.text(n) != unit.text(first)), None)
        if first is not None and other is not None:
            yield Fault(
                unit.line(index),
                (
                    Edit(first.start_byte, first.end_byte, unit.text(other)),
                    Edit(other.start_byte, other.end_byte, unit.text(first)),
                ),
            )


def wrong_index(unit: Unit) -> Iterator[Fault]:
    """The neighbouring element."""
    for index in _indices(unit):
        yield replace(unit, index, f"{unit.text(index)} + 1")
        yield replace(unit, index, f"{unit.text(index)} - 1")


def narrow_index(unit: Unit) -> Iterator[Fault]:
    """A 16-bit integer where 64 bits are needed.

    32 bits are not tried: the first index that does not fit needs a tensor of 2^31 elements, 8 GiB,
    which no workload here has.
    """
    for node in inside(unit):
        if node.type not in ("declaration", "type_descriptor"):
            continue
        kind = node.child_by_field_name("type")
        declarator = node.child_by_field_name("declarator")
        if kind is None or unit.text(kind) not in _WIDE:
            continue
        if declarator is not None and declarator.type not in ("init_declarator", "identifier"):
            continue
        if declarator is not None and declarator.type == "init_declarator":
            inner = declarator.child_by_field_name("declarator")
            if inner is None or inner.type != "identifier":
                continue
        for narrow in _NARROW:
            yield replace(unit, kind, narrow)


def _indices(unit: Unit) -> Iterator[Node]:
    for node in inside(unit):
        if node.type == "subscript_argument_list":
            yield from node.named_children
    for _, name, arguments in calls(unit):
        if "load" in name or "store" in name or "stream" in name:
            yield from (a for a in arguments if a.type == "binary_expression")


def _is_address(node: Node) -> bool:
    """It is part of an index, or of a sum with a pointer."""
    around = node.parent
    while around is not None and around.type in ("binary_expression", "parenthesized_expression"):
        around = around.parent
    return around is not None and (
        around.type in ("subscript_argument_list", "argument_list")
        or (around.type == "init_declarator" and any(n.type == "*" for n in walk(around)))
    )
