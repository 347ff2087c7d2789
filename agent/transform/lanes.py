"""Run several iterations of a loop together: locals become small arrays, one entry per lane.

`expand` turns the body of a loop into code for `LANES` consecutive iterations. Straight-line code
is wrapped in a loop over lanes; inner loops whose bounds are the same for all lanes stay outside
the lane loop ("jam"), so that their bodies hold independent work for every lane.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from tree_sitter import Node

from agent.transform.dataflow import Local, declarations, names_in, writes
from agent.transform.dependence import carried
from agent.transform.loops import Loop, before, inner_loops
from agent.transform.syntax import Unit, bare, identifiers, statements

_SAME_VALUES = re.compile(r"\{\s*(0(\.0*)?f?)?\s*\}")


class CannotExpand(Exception):
    """The body holds something that has no form per lane."""


@dataclass(frozen=True)
class Lanes:
    """How to write the loop over lanes.

    Attributes:
        count: Text of the number of lanes: a macro or a number.
        var: Induction variable of the lane loop.
        pragma: Pragma before it.
    """

    count: str
    var: str
    pragma: str

    @property
    def header(self) -> str:
        """The lane loop without its body."""
        loop = f"for (int {self.var} = 0; {self.var} < {self.count}; ++{self.var})"
        return f"#pragma {self.pragma}\n{loop}"


@dataclass
class _Plan:
    """What becomes of the locals while a body is being expanded."""

    expanded: list[Local] = field(default_factory=list)
    repeated: list[Local] = field(default_factory=list)


def blocked_loop(
    unit: Unit, loop: Loop, lanes: Lanes, pragmas: str, split: int | None = None
) -> str:
    """Text that replaces `loop`: blocks of lanes, then the remainder one by one.

    Args:
        unit: The source.
        loop: A loop of step 1.
        lanes: The lane loop.
        pragmas: Pragma lines for the blocked loop, each ending in a newline.
        split: Where to part the straight-line body in two lane loops; None to not do so.

    Raises:
        CannotExpand: The body has no form per lane.
    """
    ctype = "int64_t" if re.search(r"unsigned|size_t|uint", loop.ctype) else loop.ctype
    body = expand(unit, loop, lanes, split)
    upper = loop.upper if re.fullmatch(r"\w+", loop.upper) else f"({loop.upper})"
    if ctype != loop.ctype:
        upper = f"static_cast<int64_t>({loop.upper})"
    lower = loop.lower
    if lower == "0":
        rest = f"{upper} / {lanes.count} * {lanes.count}"
    else:
        rest = f"({lower}) + ({upper} - ({lower})) / {lanes.count} * {lanes.count}"
        if lower != "0":
            rest = f"{upper} > ({lower}) ? {rest} : ({lower})"
    return (
        f"{pragmas}for ({ctype} {loop.var} = {lower}; {loop.var} < {upper} - ({lanes.count} - 1); "
        f"{loop.var} += {lanes.count}) {{\n{body}\n}}\n"
        f"// remainder\n"
        f"for ({ctype} {loop.var} = {rest}; {loop.var} < {upper}; ++{loop.var}) "
        f"{unit.text(loop.body)}"
    )


def expand(unit: Unit, loop: Loop, lanes: Lanes, split: int | None = None) -> str:
    """The body of `loop` for `lanes.count` iterations that start at its induction variable.

    Raises:
        CannotExpand: The body has no form per lane.
    """
    jammed = [] if split is not None else _jammable(unit, loop)
    plan = _plan(unit, loop, jammed, split)
    names = {loop.var: f"({loop.var} + {lanes.var})"}
    names.update({x.name: f"{x.name}[{lanes.var}]" for x in plan.expanded})
    if split is not None:
        body = statements(loop.body)
        parts = [body[:split], body[split:]]
        return "\n".join(_group(unit, part, lanes, plan, names) for part in parts)
    return _block(unit, loop.body, {x.node: x for x in jammed}, lanes, plan, names)


def jams(unit: Unit, loop: Loop) -> bool:
    """Whether `loop` has an inner loop that all its lanes can share."""
    return bool(_jammable(unit, loop))


def _jammable(unit: Unit, loop: Loop) -> list[Loop]:
    """Inner loops with the same bounds for every lane, reached through such loops only."""
    local = {x.name for x in declarations(unit, loop.body)}
    found: list[Loop] = []
    shared: set[Node] = {loop.body}
    for inner in inner_loops(unit, loop):
        if inner.node.parent not in shared or inner.is_rewritten_lanes:
            continue
        bounds = set(re.findall(r"[A-Za-z_]\w*", f"{inner.lower} {inner.upper} {inner.step}"))
        outside = local - {x.var for x in found}
        if loop.var in bounds or bounds & outside or carried(unit, inner).blocked == "break":
            continue
        found.append(inner)
        shared.add(inner.body)
    return found


def _plan(unit: Unit, loop: Loop, jammed: Sequence[Loop], split: int | None) -> _Plan:
    """Decide for every local that outlives its group: recompute it per group, or one per lane."""
    blocks = [loop.body, *(x.body for x in jammed)]
    changed = {w.name for w in writes(unit, loop.body) if not w.element}
    headers = {x.var for x in jammed}
    plan = _Plan()
    every = {x.name for x in declarations(unit, loop.body)}
    for local in declarations(unit, loop.body):
        if local.node.parent not in blocks or local.name in headers:
            continue
        if split is None and _stays_in_group(unit, local, jammed):
            continue
        if split is not None and not _crosses(unit, loop, local, split):
            continue
        if not local.alone:
            raise CannotExpand(f"{local.name} is declared together with others")
        init = local.init
        pure = init is not None and _recomputable(unit, init, changed, every, plan)
        if local.name not in changed and pure and not local.extent:
            plan.repeated.append(local)
        elif (
            re.fullmatch(
                r"(float|double|bool|int|long|unsigned|u?int\d+_t|size_t|"
                r"std::(u?int\d+_t|size_t)|const \w+\*|\w+\*)",
                local.ctype,
            )
            is None
        ):
            raise CannotExpand(f"{local.name} has type {local.ctype}")
        else:
            plan.expanded.append(local)
    lanes = {x.name for x in plan.expanded}
    if any(x.name in lanes for x in _others(declarations(unit, loop.body), plan.expanded)):
        raise CannotExpand("one name is declared twice with different fates")
    return plan


def _recomputable(unit: Unit, init: Node, changed: set[str], local: set[str], plan: _Plan) -> bool:
    """Whether an initialiser gives the same value wherever in the body it is evaluated."""
    if any(n.type in ("subscript_expression", "call_expression") for n in unit.walk(init)):
        return False
    available = {x.name for x in plan.repeated}
    return not names_in(unit, init) & (changed | (local - available))


def _others(every: Sequence[Local], chosen: Sequence[Local]) -> list[Local]:
    return [x for x in every if all(x.node != y.node for y in chosen)]


def _stays_in_group(unit: Unit, local: Local, jammed: Sequence[Loop]) -> bool:
    """All uses are in the straight-line run of statements that the declaration is in."""
    breaks = {x.node for x in jammed}
    block = local.node.parent
    if block is None:
        return True
    reach, seen = [], False
    for statement in statements(block):
        if statement == local.node:
            seen = True
        elif seen and statement in breaks:
            break
        if seen:
            reach.append(statement)
    uses = [n for n in identifiers(block) if unit.text(n) == local.name]
    return all(any(s.start_byte <= n.start_byte < s.end_byte for s in reach) for n in uses)


def _crosses(unit: Unit, loop: Loop, local: Local, split: int) -> bool:
    body = statements(loop.body)
    late = set().union(*(names_in(unit, s) for s in body[split:])) if body[split:] else set()
    return local.node in body[:split] and local.name in late


def _block(
    unit: Unit, block: Node, jammed: dict[Node, Loop], lanes: Lanes, plan: _Plan,
    names: dict[str, str],
) -> str:  # fmt: skip
    out: list[str] = []
    group: list[Node] = []
    pragmas = {p for inner in jammed for p in before(unit, inner)}
    for statement in statements(block):
        if statement in pragmas:
            continue
        inner = jammed.get(statement)
        if inner is None:
            group.append(statement)
            continue
        if group:
            out.append(_group(unit, group, lanes, plan, names))
            group = []
        body = _block(unit, inner.body, jammed, lanes, plan, names)
        out.append(f"{_kept_pragmas(unit, inner)}{inner.header} {{\n{body}\n}}")
    if group:
        out.append(_group(unit, group, lanes, plan, names))
    return "\n".join(out)


def _kept_pragmas(unit: Unit, inner: Loop) -> str:
    """The pragmas of a jammed loop that still hold: not those that reduce a local."""
    texts = [unit.text(p).strip() for p in inner.pragmas]
    return "".join(f"{t}\n" for t in texts if "reduction" not in t and "unroll" not in t)


def _group(
    unit: Unit, group: Sequence[Node], lanes: Lanes, plan: _Plan, names: dict[str, str]
) -> str:
    """One lane loop over a run of statements, with the declarations it needs before and in it."""
    if all(s.type == "comment" for s in group):
        return "\n".join(unit.text(s) for s in group)
    above: list[str] = []
    lines: list[str] = []
    own = {s for s in group if s.type == "declaration"}
    for statement in group:
        local = next((x for x in plan.expanded if x.node == statement), None)
        if local is None:
            lines.append(unit.render(statement, names))
            continue
        above.append(_array(unit, local, lanes))
        if local.init is not None and not local.extent:
            lines.append(f"{names[local.name]} = {unit.render(local.init, names)};")
    used = set().union(*(names_in(unit, s) for s in group))
    repeats: list[str] = []
    for local in reversed(plan.repeated):
        if local.name in used and local.node not in own:
            repeats.insert(0, unit.render(local.node, names))
            used |= names_in(unit, local.node)
    if not lines:
        return "\n".join(above)
    body = "\n".join([*repeats, *lines])
    return "\n".join([*above, f"{lanes.header} {{\n{body}\n}}"])


def _array(unit: Unit, local: Local, lanes: Lanes) -> str:
    text = f"{local.ctype} {local.name}[{lanes.count}]{local.extent}"
    if local.extent and local.init is not None:
        if _SAME_VALUES.fullmatch(unit.text(bare(local.init))) is None:
            raise CannotExpand(f"{local.name} is initialised element by element")
        return f"{text} = {{}};"
    return f"{text};"
