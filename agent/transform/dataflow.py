"""What a piece of code declares, reads and writes, and what a loop carries between iterations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tree_sitter import Node

from agent.transform.loops import Loop
from agent.transform.syntax import Unit, bare, field, identifiers, walk

_INTO_FIRST = (
    "memcpy memmove memset std::memcpy std::memmove std::memset std::fill std::fill_n std::sort"
).split()
_INTO_LAST = ("std::copy", "std::copy_n", "std::partial_sum")
_SWAPS = {"swap", "std::swap"}


@dataclass(frozen=True)
class Local:
    """A variable declared somewhere inside the kernel.

    Attributes:
        name: Its name.
        ctype: Its type with `*` but without `const` in front, e.g. `float`, `const float*`.
        extent: Text of the array extents, e.g. `[16]`; empty for a scalar.
        init: Its initialiser, None without one.
        node: The whole declaration statement.
        alone: The statement declares nothing else.
    """

    name: str
    ctype: str
    extent: str
    init: Node | None
    node: Node
    alone: bool


@dataclass(frozen=True)
class Write:
    """One place that changes a variable or an element.

    Attributes:
        name: The variable, or the array or pointer the element belongs to.
        node: The assignment, update or call.
        target: What is assigned; None for a call such as `memcpy`.
        element: True for an element, False for the variable itself.
        operator: `=`, `+=`, `++`, or `call`.
    """

    name: str
    node: Node
    target: Node | None
    element: bool
    operator: str


@dataclass(frozen=True)
class Carried:
    """What stands between the iterations of a loop.

    Attributes:
        reductions: Scalars of outer scope that are only accumulated: name to `+ * max min`.
        private: Scalars of outer scope that every iteration overwrites before reading.
        scattered: Arrays written at places that do not follow from the induction variable.
        blocked: Why iterations depend on each other in another way; None if they do not.
    """

    reductions: dict[str, str]
    private: tuple[str, ...]
    scattered: tuple[str, ...]
    blocked: str | None

    @property
    def independent(self) -> bool:
        """Iterations may run in any order and at once (reductions and privates aside)."""
        return self.blocked is None and not self.scattered


def declarations(unit: Unit, node: Node) -> list[Local]:
    """The variables declared in `node`, nested blocks and loop headers included."""
    return [local for n in walk(node) if n.type == "declaration" for local in _declared(unit, n)]


def type_of(unit: Unit, name: str) -> str | None:
    """The declared type of a variable anywhere in the kernel, without a leading `const`."""
    for parameter in unit.parameters:
        if parameter.name == name:
            return (
                re.sub(r"^const\s+", "", parameter.ctype)
                if not parameter.is_pointer
                else (parameter.ctype)
            )
    for local in declarations(unit, unit.body):
        if local.name == name:
            return local.ctype
    return None


def writes(unit: Unit, node: Node) -> list[Write]:
    """Every write inside `node`, in source order."""
    return [w for n in walk(node) for w in _writes_at(unit, n)]


def names_in(unit: Unit, node: Node) -> set[str]:
    """The plain identifiers used in a node."""
    return {unit.text(n) for n in identifiers(node)}


def subscripts(unit: Unit, node: Node, name: str | None = None) -> list[Node]:
    """The outermost element accesses (of one array, or of any) inside `node`."""
    found = [
        n
        for n in walk(node)
        if n.type == "subscript_expression"
        and not (
            n.parent is not None
            and n.parent.type == "subscript_expression"
            and n.parent.child_by_field_name("argument") == n
        )
    ]
    return [n for n in found if name is None or base_name(unit, n) == name]


def base_name(unit: Unit, target: Node) -> str | None:
    """The array or pointer behind `a[i]`, `a[i][j]`, `*a`, `*(a + i)`."""
    names = identifiers(target)
    at = bare(target)
    while at.type in ("subscript_expression", "pointer_expression", "parenthesized_expression"):
        at = bare(field(at, "argument")) if at.type != "parenthesized_expression" else bare(at)
    if at.type == "identifier":
        return unit.text(at)
    return unit.text(names[0]) if names else None


def index_text(unit: Unit, element: Node) -> str:
    """The index part of an element access without white space."""
    whole = unit.text(element)
    return re.sub(r"\s+", "", whole[whole.index("[") :]) if "[" in whole else whole


def derived(unit: Unit, loop: Loop) -> set[str]:
    """The induction variable and the locals computed from it without reading memory."""
    found = {loop.var}
    for local in declarations(unit, loop.body):
        if local.init is not None and mentions(unit, local.init, found):
            found.add(local.name)
    return found


def mentions(unit: Unit, node: Node, names: set[str]) -> bool:
    """Whether an expression follows one of `names`: outside memory accesses, `%`, `/`, `&`, `>>`.

    Different values of the name then give different values of the expression, as a rule.
    """
    return any(
        n.type == "identifier" and unit.text(n) in names for n in walk(node, into=_keeps_apart)
    )


def reduction(unit: Unit, body: Node, name: str) -> str | None:
    """`+`, `*`, `max` or `min` if all uses of a scalar in `body` accumulate it that way."""
    spans: list[tuple[int, int]] = []
    operators: set[str | None] = set()
    for write in writes(unit, body):
        if write.name != name or write.element:
            continue
        at, operator = _accumulation(unit, write)
        operators.add(operator)
        spans.append((at.start_byte, at.end_byte))
    if len(operators) != 1:
        return None
    uses = [n for n in identifiers(body) if unit.text(n) == name]
    if any(not any(a <= n.start_byte < b for a, b in spans) for n in uses):
        return None
    return operators.pop()


def carried(unit: Unit, loop: Loop) -> Carried:
    """What the iterations of a loop owe each other."""
    locals_ = declarations(unit, loop.body)
    inside = {local.name for local in locals_} | {loop.var}
    storage = {x.name for x in locals_ if not x.ctype.endswith(("*", "&"))}
    if jump := _jump(loop.body):
        return Carried({}, (), (), f"{jump} leaves it")
    follows = derived(unit, loop)
    reductions: dict[str, str] = {}
    private: list[str] = []
    scattered: list[str] = []
    blocked: str | None = None
    for write in writes(unit, loop.body):
        if write.name in storage:
            continue
        if write.element:
            if not _separate(unit, write, follows):
                scattered.append(write.name)
            elif _reads_neighbours(unit, loop, write):
                blocked = blocked or f"{write.name} is read at other places"
        elif write.name in inside or write.name in reductions:
            continue
        elif (operator := reduction(unit, loop.body, write.name)) is not None:
            reductions[write.name] = operator
        elif _overwritten_first(unit, loop.body, write.name):
            private.append(write.name)
        else:
            blocked = blocked or f"{write.name} is carried"
    unique = tuple(dict.fromkeys(scattered))
    return Carried(reductions, tuple(dict.fromkeys(private)), unique, blocked)


def unit_stride(unit: Unit, element: Node, var: str) -> bool | None:
    """Whether an access moves by one element per step of `var`; None if it does not move."""
    answer: bool | None = None
    for use in identifiers(element):
        if unit.text(use) != var:
            continue
        at, factor = use, False
        while at.parent is not None and at != element:
            parent = at.parent
            if parent.type == "subscript_expression" and parent != element:
                if parent.child_by_field_name("argument") != at:
                    factor = True
            elif parent.type == "binary_expression":
                factor = factor or unit.text(field(parent, "operator")) not in ("+", "-")
            at = parent
        if factor:
            return False
        answer = True
    return answer


def _declared(unit: Unit, node: Node) -> Iterator[Local]:
    declarators = node.children_by_field_name("declarator")
    kind = unit.data[node.start_byte : declarators[0].start_byte].decode() if declarators else ""
    base = re.sub(r"\s+", " ", kind).strip()
    for declarator in declarators:
        init = declarator.child_by_field_name("value")
        inner, stars, extent = declarator, "", ""
        while inner.type != "identifier":
            child = inner.child_by_field_name("declarator")
            if inner.type == "pointer_declarator":
                stars += "*"
            elif inner.type == "reference_declarator":
                stars += "&"
                child = inner.children[-1]
            elif inner.type == "array_declarator":
                size = inner.child_by_field_name("size")
                extent = f"[{unit.text(size) if size is not None else ''}]" + extent
            if child is None:
                break
            inner = child
        if inner.type != "identifier":
            continue
        ctype = base + stars if stars else re.sub(r"^(const|constexpr)\s+", "", base)
        yield Local(unit.text(inner), ctype, extent, init, node, len(declarators) == 1)


def _writes_at(unit: Unit, node: Node) -> Iterator[Write]:
    if node.type == "assignment_expression":
        target, operator = bare(field(node, "left")), unit.text(field(node, "operator"))
    elif node.type == "update_expression":
        target, operator = bare(field(node, "argument")), "++"
    elif node.type == "call_expression":
        yield from _writes_of_call(unit, node)
        return
    else:
        return
    if target.type == "identifier":
        yield Write(unit.text(target), node, target, False, operator)
    elif (name := base_name(unit, target)) is not None:
        yield Write(name, node, target, True, operator)


def _writes_of_call(unit: Unit, node: Node) -> Iterator[Write]:
    function = field(node, "function")
    name = unit.text(function)
    arguments = [c for c in field(node, "arguments").children if c.is_named]
    if name in _SWAPS or (function.type == "field_expression" and name.endswith(".swap")):
        targets = [a for a in arguments if a.type == "identifier"]
        if function.type == "field_expression":
            targets.append(field(function, "argument"))
        for target in targets:
            yield Write(unit.text(target), node, None, False, "call")
        return
    place = {**dict.fromkeys(_INTO_FIRST, 0), **dict.fromkeys(_INTO_LAST, -1)}.get(name)
    if place is not None and arguments:
        base = base_name(unit, arguments[place])
        if base is not None:
            yield Write(base, node, arguments[place], True, "call")


def _accumulation(unit: Unit, write: Write) -> tuple[Node, str | None]:
    """The statement or expression that accumulates, and how; None if it does something else."""
    node, name = write.node, write.name
    if node.type == "update_expression":
        return node, "+"
    if node.type != "assignment_expression":
        return node, None
    right = bare(field(node, "right"))
    if write.operator != "=":
        operator = {"+=": "+", "-=": "+", "*=": "*"}.get(write.operator)
        return node, None if name in names_in(unit, right) else operator
    if right.type == "binary_expression":
        sides = [bare(field(right, "left")), bare(field(right, "right"))]
        operator = {"+": "+", "*": "*"}.get(unit.text(field(right, "operator")))
        own = [unit.text(s) == name for s in sides]
        other = sides[1] if own[0] else sides[0]
        single = any(own) and name not in names_in(unit, other)
        return node, operator if single else None
    if right.type == "call_expression":
        match = re.fullmatch(r"(std::)?f?(max|min)f?(<\w+>)?", unit.text(field(right, "function")))
        arguments = [c for c in field(right, "arguments").children if c.is_named]
        own = [unit.text(a) == name for a in arguments]
        return node, match[2] if match and sum(own) == 1 and len(own) == 2 else None
    if right.type == "conditional_expression":
        return node, _conditional(unit, right, name)
    return _guarded(unit, node, name)


def _conditional(unit: Unit, node: Node, name: str) -> str | None:
    condition = bare(field(node, "condition"))
    yes, no = field(node, "consequence"), field(node, "alternative")
    if condition.type != "binary_expression" or name not in (unit.text(yes), unit.text(no)):
        return None
    left, right = unit.text(field(condition, "left")), unit.text(field(condition, "right"))
    operator = unit.text(field(condition, "operator"))[0]
    if {left, right} != {unit.text(yes), unit.text(no)} or operator not in "<>":
        return None
    return "max" if (operator == ">") == (left == unit.text(yes)) else "min"


def _guarded(unit: Unit, node: Node, name: str) -> tuple[Node, str | None]:
    """`if (e > m) m = e;` as a maximum."""
    at = node.parent
    while at is not None and at.type in ("expression_statement", "compound_statement"):
        if at.type == "compound_statement" and sum(c.is_named for c in at.children) != 1:
            return node, None
        at = at.parent
    if at is None or at.type != "if_statement" or at.child_by_field_name("alternative"):
        return node, None
    condition = bare(field(at, "condition"))
    if condition.type != "binary_expression":
        return node, None
    left, right = unit.text(field(condition, "left")), unit.text(field(condition, "right"))
    operator = unit.text(field(condition, "operator"))[0]
    value = unit.text(field(node, "right"))
    if {left, right} != {name, value} or operator not in "<>":
        return node, None
    return at, "max" if (operator == ">") == (left == value) else "min"


def _separate(unit: Unit, write: Write, follows: set[str]) -> bool:
    if write.name in follows:
        return True
    if write.target is None:
        return False
    if write.operator == "call":
        return mentions(unit, write.target, follows)
    inner = [n for n in walk(write.target) if n.type == "subscript_argument_list"]
    direct = [n for n in inner if not _nested(n, write.target)]
    if not direct:
        return mentions(unit, write.target, follows)
    return any(mentions(unit, n, follows) for n in direct)


def _keeps_apart(node: Node) -> bool:
    if node.type == "binary_expression":
        operator = node.child_by_field_name("operator")
        return operator is None or operator.type not in ("%", "/", "&", ">>")
    return node.type != "subscript_expression"


def _nested(index: Node, target: Node) -> bool:
    """Whether an index list belongs to an access that is itself inside another index."""
    at = index.parent
    while at is not None and at != target:
        if at.type == "subscript_argument_list":
            return True
        at = at.parent
    return False


def _reads_neighbours(unit: Unit, loop: Loop, write: Write) -> bool:
    if write.target is None or write.operator == "call":
        return False
    offset = re.compile(rf"\b{re.escape(loop.var)}[-+]\d|\d[+]{re.escape(loop.var)}\b")
    own = set(offset.findall(index_text(unit, write.target)))
    elsewhere = [n for n in subscripts(unit, loop.body, write.name) if n != write.target]
    return any(set(offset.findall(index_text(unit, n))) != own for n in elsewhere)


def _overwritten_first(unit: Unit, body: Node, name: str) -> bool:
    """The first use in the body is an unconditional plain assignment."""
    uses = [n for n in identifiers(body) if unit.text(n) == name]
    first = uses[0].parent if uses else None
    if first is None or first.type != "assignment_expression":
        return False
    statement = first.parent
    return (
        unit.text(field(first, "operator")) == "="
        and field(first, "left") == uses[0]
        and name not in names_in(unit, field(first, "right"))
        and statement is not None
        and statement.parent == body
    )


def _jump(body: Node) -> str | None:
    for node in walk(body, into=lambda n: n.type != "lambda_expression"):
        if node.type in ("return_statement", "goto_statement"):
            return node.type.split("_")[0]
        if node.type == "break_statement":
            at = node.parent
            kinds = ("for_statement", "while_statement", "do_statement", "switch_statement")
            while at is not None and at != body and at.type not in kinds:
                at = at.parent
            if at == body:
                return "break"
    return None
