"""Loops over images and grids whose body asks again and again whether it is at the edge."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from agent.transform.dataflow import declarations
from agent.transform.loops import Loop, contents, inner_loops, loops, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Unit, bare
from agent.transform.syntax import field as part

_LOWER, _UPPER = ">=", "<"


@dataclass
class _Guards:
    """What is known where no guard is needed: from `lows` on, up to `highs` (exclusive).

    Attributes:
        lows, highs: C expressions.
        terms: The conditions that always hold between them, in source order.
    """

    lows: list[str] = field(default_factory=list)
    highs: list[str] = field(default_factory=list)
    terms: list[Node] = field(default_factory=list)


class SplitEdges:
    """Run the interior of a loop without the guards that only matter at its ends.

    Index-set splitting: with `col = j + s - 1` and s from 0 to 2, `col >= 0 && col < w` holds for
    all j from 1 to w - 2. The few others keep the guards, in a loop of their own.
    """

    name = "split-edges"
    summary = "run a loop's interior without the guards that only matter at its ends"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops first."""
        for loop in sorted(loops(unit), key=lambda x: -x.depth):
            parent = loop.node.parent
            if loop.is_lanes or loop.pragmas or loop.step != "1":
                continue
            if parent is None or parent.type != "compound_statement":
                continue
            found = _guards(unit, loop)
            if found.terms:
                yield self._split(unit, loop, found)

    def _split(self, unit: Unit, loop: Loop, found: _Guards) -> Rewrite:
        begin, end, edge = (unit.fresh(f"{loop.var}_{s}") for s in ("begin", "end", "edge"))
        lower, upper, kind, var = _atom(loop.lower), _atom(loop.upper), loop.ctype, loop.var
        before = begin if lower == "0" else f"({begin} - {lower})"
        text = [f"{kind} {begin} = {lower};", f"{kind} {end} = {upper};"]
        text += [f"if ({begin} < {low}) {{\n{begin} = {low};\n}}" for low in found.lows]
        text += [f"if ({end} > {high}) {{\n{end} = {high};\n}}" for high in found.highs]
        text += [f"if ({begin} > {upper}) {{\n{begin} = {upper};\n}}",
                 f"if ({end} < {begin}) {{\n{end} = {begin};\n}}",
                 f"for ({kind} {var} = {begin}; {var} < {end}; ++{var}) "
                 f"{_without(unit, loop, found.terms)}",
                 "// remainder",
                 f"for ({kind} {edge} = 0; {edge} < {before} + {upper} - {end}; ++{edge}) {{\n"
                 f"const {kind} {var} = {edge} < {before} ? {lower} + {edge} : "
                 f"{end} + {edge} - {before};\n{contents(unit, loop)}\n}}"]  # fmt: skip
        what = f"split the edges from loop over {var} (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, unit.edited(replace_loop(loop, "\n".join(text))))


@dataclass(frozen=True)
class _Sum:
    """A whole number and other terms with their signs."""

    number: int = 0
    terms: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of(cls, atom: str) -> _Sum:
        """A number or a name."""
        return cls(int(atom)) if atom.isdecimal() else cls(0, (("+", atom),))

    def plus(self, sign: str, other: _Sum) -> _Sum:
        """This and the other, or this without the other where the sign is `-`."""
        if sign != "-":
            return _Sum(self.number + other.number, (*self.terms, *other.terms))
        turned = tuple(("+" if s == "-" else "-", atom) for s, atom in other.terms)
        return _Sum(self.number - other.number, (*self.terms, *turned))

    def under(self, bound: str) -> str:
        """`bound` minus this, in C."""
        whole = -self.number
        text = "" if bound.isdecimal() else bound
        text += "".join(f" {'+' if sign == '-' else '-'} {atom}" for sign, atom in self.terms)
        if bound.isdecimal():
            return f"{int(bound) + whole}{text}"
        return text if whole == 0 else f"{text} {'+' if whole > 0 else '-'} {abs(whole)}"


def _atom(text: str) -> str:
    return text if re.fullmatch(r"\w+", text) else f"({text})"


def _guards(unit: Unit, loop: Loop) -> _Guards:
    """The conditions in a loop that hold everywhere but at its ends."""
    found = _Guards()
    inner = {
        x.var: (_Sum.of(x.lower), _Sum.of(x.upper).plus("-", _Sum(1)))
        for x in inner_loops(unit, loop)
        if x.step == "1" and re.fullmatch(r"\w+ \w+", f"{x.lower} {x.upper}")
    }
    local = {x.name for x in declarations(unit, loop.body)}
    values = {
        match[1]: match[2]
        for match in re.finditer(r"\b(\w+) = ([^;=<>]+);", unit.text(loop.body))
        if match[1] in local
    }
    for node in unit.walk(loop.body):
        if node.type != "if_statement":
            continue
        for term in _terms(bare(part(node, "condition"))):
            if term.type != "binary_expression":
                continue
            name, sign, bound = (unit.text(part(term, p)) for p in ("left", "operator", "right"))
            if sign not in (_LOWER, _UPPER) or not re.fullmatch(r"\w+", bound) or bound in local:
                continue
            reach = _reach(values.get(name, name), loop.var, inner, local - set(inner))
            if reach is None:
                continue
            least, most = reach
            listed, limit = (found.lows, least) if sign == _LOWER else (found.highs, most)
            if limit.under(bound) not in listed:
                listed.append(limit.under(bound))
            found.terms.append(term)
    return found


def _terms(condition: Node) -> Iterator[Node]:
    """The conditions that `&&` joins."""
    if condition.type == "binary_expression" and part(condition, "operator").type == "&&":
        yield from _terms(bare(part(condition, "left")))
        yield from _terms(bare(part(condition, "right")))
    else:
        yield condition


def _reach(
    text: str, var: str, inner: Mapping[str, tuple[_Sum, _Sum]], changing: set[str]
) -> tuple[_Sum, _Sum] | None:
    """Least and greatest of a sum without `var`, which it has once; None for anything else."""
    flat = re.sub(r"\s", "", text)
    if re.search(r"-\(", flat) or not re.fullmatch(r"\w+([+-]\w+)*", re.sub(r"[()]", "", flat)):
        return None
    least, most, seen = _Sum(), _Sum(), 0
    for sign, name in re.findall(r"([+-]?)(\w+)", re.sub(r"[()]", "", flat)):
        if name == var:
            seen += 1 if sign != "-" else 2
        elif name in changing:
            return None
        else:
            low, high = inner.get(name, (_Sum.of(name), _Sum.of(name)))
            low, high = (high, low) if sign == "-" else (low, high)
            least, most = least.plus(sign, low), most.plus(sign, high)
    return (least, most) if seen == 1 else None


def _without(unit: Unit, loop: Loop, terms: Sequence[Node]) -> str:
    """The body with these conditions taken as true."""
    start, data = loop.body.start_byte, unit.data[loop.body.start_byte : loop.body.end_byte]
    for term in reversed(terms):
        data = data[: term.start_byte - start] + b"true" + data[term.end_byte - start :]
    return re.sub(r"\btrue && | && true\b", "", data.decode())
