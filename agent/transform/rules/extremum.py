"""The place of the largest or smallest element: first its value, in vectors, then where it is."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from agent.transform.loops import Loop, has_loops, loops, pragma_text, replace_loop
from agent.transform.rewrite import Rewrite
from agent.transform.syntax import Unit, bare, field, statements

_BLOCK = 64
"""Elements that are compared before anybody asks whether the value was among them."""


class IndexOfExtremum:
    """Rewrite `if (x[j] > x[best]) best = j;` as a reduction and a search.

    The place stays that of the first of equal elements, and what it was before the loop if no
    element exceeds that one.
    """

    name = "index-of-extremum"
    summary = "argmax, argmin: reduce the value in vectors, then look for its first place"

    def rewrites(self, unit: Unit) -> Iterator[Rewrite]:
        """Innermost loops that carry nothing but such a place."""
        for loop in loops(unit):
            if has_loops(loop.body) or loop.step != "1" or pragma_text(unit, loop):
                continue
            found = _place(unit, loop)
            if found is not None:
                yield self._split(unit, loop, found)

    def _split(self, unit: Unit, loop: Loop, found: _Place) -> Rewrite:
        top, at, lane, hit = (unit.fresh(stem) for stem in ("top", "at", "lane", "hit"))
        var, upper, kind = loop.var, f"({loop.upper})", loop.ctype
        here = found.element(var)
        reduction = "max" if found.sign == ">" else "min"
        text = (
            f"{{\nauto {top} = {found.element(found.name)};\n"
            f"#pragma omp simd reduction({reduction}:{top})\n"
            f"{loop.header} {{\n{top} = {here} {found.sign} {top} ? {here} : {top};\n}}\n"
            f"if ({top} {found.sign} {found.element(found.name)}) {{\n"
            f"{kind} {at} = {loop.lower};\n"
            f"for (; {at} + {_BLOCK} <= {upper}; {at} += {_BLOCK}) {{\nint {hit} = 0;\n"
            f"#pragma omp simd reduction(|:{hit})\n"
            f"for (int {lane} = 0; {lane} < {_BLOCK}; ++{lane}) {{\n"
            f"{hit} |= {found.element(f'({at} + {lane})')} == {top};\n}}\n"
            f"if ({hit}) {{\nbreak;\n}}\n}}\n"
            f"while ({found.element(at)} != {top}) {{\n++{at};\n}}\n"
            f"{found.name} = {at};\n}}\n}}"
        )
        what = f"{reduction} over {var}, then its place (line {unit.line(loop.node)})"
        return Rewrite(self.name, what, unit.edited(replace_loop(loop, text)))


@dataclass(frozen=True)
class _Place:
    """`if (element(var) sign element(name)) name = var;`"""

    name: str
    sign: str
    var: str
    text: str

    def element(self, index: str) -> str:
        """The element at an index."""
        return re.sub(rf"\b{re.escape(self.var)}\b", index, self.text)


def _place(unit: Unit, loop: Loop) -> _Place | None:
    work = [s for s in statements(loop.body) if s.type != "comment"]
    if len(work) != 1 or work[0].type != "if_statement":
        return None
    test, taken = work[0], field(work[0], "consequence")
    braced = taken.type == "compound_statement"
    inside = [s for s in statements(taken) if s.type != "comment"] if braced else [taken]
    if len(inside) != 1 or inside[0].type != "expression_statement":
        return None
    if test.child_by_field_name("alternative") is not None:
        return None
    assigned = re.fullmatch(rf"(\w+) = {re.escape(loop.var)};", unit.text(inside[0]))
    compared = bare(field(test, "condition"))
    if assigned is None or compared.type != "binary_expression":
        return None
    left, right = (unit.text(field(compared, side)) for side in ("left", "right"))
    found = _Place(assigned[1], unit.text(field(compared, "operator")), loop.var, left)
    if found.sign not in "<>" or "[" not in left or found.element(found.name) != right:
        return None
    return found if right != left else None
