"""Counted loops of a kernel: induction variable, bounds, nesting and the pragmas before them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from agent.transform.syntax import Edit, Unit, bare, field, statements, walk

REMAINDER = "// remainder"
"""Comment before a loop that handles what a blocked loop left over; rules leave it alone."""


@dataclass(frozen=True)
class Loop:
    """A canonical loop `for (T var = lower; var < upper; var += step) { ... }`.

    Attributes:
        node: The for statement.
        body: Its compound statement.
        var: Induction variable.
        ctype: Its type, e.g. `int64_t`.
        lower: First value, as text.
        upper: End of the range (exclusive), as text.
        step: Increment, as text (`1` for `++`).
        pragmas: The pragma lines directly before it.
        depth: Number of canonical loops around it.
        is_remainder: Marked by `REMAINDER`, or inside a loop that is.
    """

    node: Node
    body: Node
    var: str
    ctype: str
    lower: str
    upper: str
    step: str
    pragmas: tuple[Node, ...]
    depth: int
    is_remainder: bool

    @property
    def is_lanes(self) -> bool:
        """A short loop of constant length that a rule made (or the author wrote)."""
        return self.lower == "0" and re.fullmatch(r"\d+|[A-Z][A-Z0-9_]*", self.upper) is not None

    @property
    def is_rewritten_lanes(self) -> bool:
        """Lanes that a rule made: their number is a tunable, or a pragma stands before them. Short
        loops of an author's, over the taps of a filter for instance, are loops like others."""
        return self.is_lanes and (bool(self.pragmas) or not self.upper.isdecimal())

    @property
    def start(self) -> int:
        """Offset of the first pragma, or of the loop if it has none."""
        return self.pragmas[0].start_byte if self.pragmas else self.node.start_byte

    @property
    def header(self) -> str:
        """The canonical text before the body."""
        update = f"++{self.var}" if self.step == "1" else f"{self.var} += {self.step}"
        return f"for ({self.ctype} {self.var} = {self.lower}; {self.var} < {self.upper}; {update})"


@functools.lru_cache(maxsize=8)
def all_loops(unit: Unit) -> tuple[Loop, ...]:
    """The canonical loops of the kernel in source order, remainders included."""
    return tuple(_loops(unit, unit.body, 0, False))


def loops(unit: Unit) -> list[Loop]:
    """The canonical loops that rules should look at.

    Neither remainders, nor what is inside them, nor the inner loop of a collapsed pair.
    """
    every = [loop for loop in all_loops(unit) if not loop.is_remainder]
    fixed = [loop.body for loop in every if "collapse" in pragma_text(unit, loop)]
    return [loop for loop in every if loop.node.parent not in fixed]


def inner_loops(unit: Unit, loop: Loop) -> list[Loop]:
    """The canonical loops inside `loop` (one of this unit's), at any depth."""
    start, end = loop.body.start_byte, loop.body.end_byte
    return [inner for inner in all_loops(unit) if start < inner.node.start_byte < end]


def directly_inside(unit: Unit, loop: Loop) -> list[Loop]:
    """The canonical loops that are statements of the body of `loop`."""
    return [inner for inner in inner_loops(unit, loop) if inner.node.parent == loop.body]


@functools.lru_cache(maxsize=256)
def has_loops(node: Node) -> bool:
    """Whether any kind of loop is below `node` (itself excluded)."""
    kinds = ("for_statement", "while_statement", "do_statement", "for_range_loop")
    return any(n.type in kinds for n in walk(node) if n != node)


def only_statement(unit: Unit, outer: Loop) -> Loop | None:
    """The inner loop if it is all there is in `outer` (comments and pragmas aside)."""
    work = [s for s in statements(outer.body) if s.type not in ("comment", "preproc_call")]
    inner = directly_inside(unit, outer)
    return inner[0] if len(work) == 1 and len(inner) == 1 else None


def pragma_text(unit: Unit, loop: Loop) -> str:
    """All pragmas before a loop as one string."""
    return "".join(unit.text(p) for p in loop.pragmas)


def before(unit: Unit, node: Node) -> tuple[Node, ...]:
    """The pragma lines directly before a statement."""
    found: list[Node] = []
    at = node.prev_sibling
    while at is not None and at.type == "preproc_call" and "pragma" in unit.text(at):
        found.insert(0, at)
        at = at.prev_sibling
    return tuple(found)


def in_parallel(unit: Unit, node: Node) -> bool:
    """Whether an OpenMP parallel or worksharing construct already governs `node`."""
    at: Node | None = node
    while at is not None and at != unit.body:
        text = "".join(unit.text(p) for p in before(unit, at))
        if re.search(r"\bomp\s+(parallel|for)\b", text):
            return True
        at = at.parent
    return False


def in_region(unit: Unit, node: Node) -> bool:
    """Whether `node` is inside an `omp parallel` region without being shared out yet."""
    at: Node | None = node
    while at is not None and at != unit.body:
        text = "".join(unit.text(p) for p in before(unit, at))
        if re.search(r"\bomp\s+(parallel\s+)?for\b", text):
            return False
        if re.search(r"\bomp\s+parallel\b", text):
            return True
        at = at.parent
    return False


def add_pragma(unit: Unit, loop: Loop, pragma: str) -> Edit:
    """The edit that puts a pragma line before a loop, after those it has."""
    at = loop.node.start_byte
    line_start = unit.data.rfind(b"\n", 0, at) + 1
    lead = "" if unit.data[line_start:at].strip() == b"" else "\n"
    return Edit(at, at, f"{lead}#pragma {pragma}\n")


def replace_loop(loop: Loop, text: str) -> Edit:
    """The edit that replaces a loop together with its pragmas."""
    lead = "\n" if loop.pragmas else ""
    return Edit(loop.start, loop.node.end_byte, lead + text)


def contents(unit: Unit, loop: Loop) -> str:
    """The text between the braces of the body."""
    return unit.data[loop.body.start_byte + 1 : loop.body.end_byte - 1].decode().strip()


def _loops(unit: Unit, node: Node, depth: int, remainder: bool) -> Iterator[Loop]:
    for child in node.children:
        if child.type == "lambda_expression":
            continue
        loop = _canonical(unit, child, depth, remainder) if child.type == "for_statement" else None
        if loop is None:
            yield from _loops(unit, child, depth, remainder)
        else:
            yield loop
            yield from _loops(unit, loop.body, depth + 1, loop.is_remainder)


def _canonical(unit: Unit, node: Node, depth: int, remainder: bool) -> Loop | None:
    init, body = node.child_by_field_name("initializer"), node.child_by_field_name("body")
    condition, update = node.child_by_field_name("condition"), node.child_by_field_name("update")
    if init is None or condition is None or update is None or body is None:
        return None
    if init.type != "declaration" or body.type != "compound_statement":
        return None
    match = re.fullmatch(
        r"(?P<type>[A-Za-z_][\w:\s]*?)\s+(?P<var>[A-Za-z_]\w*)\s*=\s*(?P<lower>[^,;]+);",
        unit.text(init).strip(),
    )
    if match is None:
        return None
    var = match["var"]
    upper, step = _upper(unit, condition, var), _step(unit, update, var)
    if upper is None or step is None or match["type"].strip() in ("float", "double", "auto"):
        return None
    if _assigned(unit, body, var):
        return None
    pragmas = before(unit, node)
    first = pragmas[0] if pragmas else node
    comment = first.prev_sibling
    marked = comment is not None and comment.type == "comment" and unit.text(comment) == REMAINDER
    return Loop(
        node, body, var, match["type"].strip(), match["lower"].strip(), upper, step, pragmas,
        depth, remainder or marked,
    )  # fmt: skip


def _upper(unit: Unit, condition: Node, var: str) -> str | None:
    condition = bare(condition)
    if condition.type != "binary_expression":
        return None
    left, right = field(condition, "left"), field(condition, "right")
    operator = unit.text(field(condition, "operator"))
    if unit.text(right) == var:
        left, right = right, left
        operator = {"<": ">", ">": "<", "<=": ">=", ">=": "<="}.get(operator, operator)
    if unit.text(left) != var:
        return None
    text = unit.text(right)
    if operator in ("<", "!="):
        return text
    return f"({text}) + 1" if operator == "<=" else None


def _step(unit: Unit, update: Node, var: str) -> str | None:
    text = re.sub(r"\s+", "", unit.text(update))
    if text in (f"++{var}", f"{var}++"):
        return "1"
    match = re.fullmatch(rf"{var}\+=(.+)|{var}={var}\+(.+)", text)
    return (match[1] or match[2]) if match else None


def _assigned(unit: Unit, body: Node, var: str) -> bool:
    places = _assignments(unit).get(var, ())
    return any(body.start_byte <= place < body.end_byte for place in places)


@functools.lru_cache(maxsize=8)
def _assignments(unit: Unit) -> dict[str, list[int]]:
    """Where the kernel assigns to what: offsets by the text of the target."""
    found: dict[str, list[int]] = {}
    for node in unit.walk(unit.body):
        if node.type in ("assignment_expression", "update_expression"):
            part = "left" if node.type == "assignment_expression" else "argument"
            found.setdefault(unit.text(field(node, part)), []).append(node.start_byte)
    return found
