"""The lineage of a campaign as a drawing: lines of descent to the right, what came to nothing as
small marks below its parent.

A small campaign is drawn whole. Of a large one, the lines that led to improvements are drawn, and
every other descendant is a mark below the last ancestor on such a line: nothing is left out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from db.views import TreeNode

WHOLE = 400
"""Nodes up to which every line of descent is drawn."""
LINKED = 3000
"""Nodes up to which every mark is a link; beyond, those off the lines are drawn only."""
COLUMN, ROW, DOT, PER_ROW = 176.0, 31.0, 11.0, 12
_MARGIN = 22.0


@dataclass(frozen=True)
class Placed:
    """A node on a line of descent."""

    node: TreeNode
    x: float
    y: float
    parent: tuple[float, float] | None
    kept: bool


@dataclass(slots=True)  # not frozen, as `TreeNode`
class Small:
    """A descendant that led nowhere, as a mark below its ancestor."""

    node: TreeNode
    x: float
    y: float


@dataclass(frozen=True)
class TreeFigure:
    """The drawing.

    Attributes:
        lines: Nodes on lines of descent, in order of proposal.
        marks: All others.
        linked: Marks are links.
        whole: Every line of descent is drawn.
        width, height: In drawing units.
        depth: Generations on the longest line.
    """

    lines: tuple[Placed, ...]
    marks: tuple[Small, ...]
    linked: bool
    whole: bool
    width: float
    height: float
    depth: int

    def mark_path(self, outcome: str) -> str:
        """All marks of an outcome as one path, for drawings with too many to link."""
        return "".join(
            f"M{m.x:g} {m.y:g}h0" for m in self.marks if (m.node.outcome or "unjudged") == outcome
        )

    @property
    def edges(self) -> tuple[Placed, ...]:
        """Nodes with a parent, those on the line to the best last, so that it lies on top."""
        return tuple(sorted((p for p in self.lines if p.parent), key=lambda p: p.kept))

    @property
    def hanging(self) -> tuple[str, ...]:
        """Outcomes of the marks."""
        return tuple(dict.fromkeys(m.node.outcome or "unjudged" for m in self.marks))

    @property
    def outcomes(self) -> tuple[str, ...]:
        """Outcomes of all nodes."""
        every = [p.node.outcome or "unjudged" for p in self.lines]
        return tuple(dict.fromkeys([*every, *self.hanging]))


def tree_figure(nodes: Sequence[TreeNode], root: str | None = None) -> TreeFigure | None:
    """Place the nodes; with `root`, only that candidate and its descendants. None without any."""
    shown = _below(nodes, root) if root is not None else list(nodes)
    if not shown:
        return None
    whole = len(shown) <= WHOLE
    on_line = _on_lines(shown, whole)
    anchor = _anchors(shown, on_line)
    hanging: dict[str, list[TreeNode]] = {}
    children: dict[str, list[TreeNode]] = {}
    roots = []
    for node in shown:
        above = anchor.get(node.parent or "")
        if node.candidate not in on_line:
            hanging.setdefault(above or "", []).append(node)
        elif above is None:
            roots.append(node)
        else:
            children.setdefault(above, []).append(node)
    return _placed(roots, children, hanging, shown, whole)


def _below(nodes: Sequence[TreeNode], root: str) -> list[TreeNode]:
    inside = {root}
    found = []
    for node in nodes:  # parents come before their children
        if node.candidate in inside or node.parent in inside:
            inside.add(node.candidate)
            found.append(node)
    return found


def _on_lines(nodes: Sequence[TreeNode], whole: bool) -> set[str]:
    """Candidates on a line of descent: with children in a whole drawing, else with an improvement
    among their descendants; roots always."""
    known = {node.candidate for node in nodes}
    chosen = {n.candidate for n in nodes if n.improved or n.parent not in known}
    for node in reversed(nodes):
        if node.parent in known and (whole or node.candidate in chosen):
            chosen.add(str(node.parent))
    return chosen


def _anchors(nodes: Sequence[TreeNode], on_line: set[str]) -> dict[str, str]:
    """For each node, itself if it is on a line, else its nearest ancestor that is."""
    anchor: dict[str, str] = {}
    for node in nodes:
        if node.candidate in on_line:
            anchor[node.candidate] = node.candidate
        elif node.parent in anchor:
            anchor[node.candidate] = anchor[node.parent]
    return anchor


def _placed(
    roots: Sequence[TreeNode],
    children: dict[str, list[TreeNode]],
    hanging: dict[str, list[TreeNode]],
    nodes: Sequence[TreeNode],
    whole: bool,
) -> TreeFigure:
    kept = _line_of_best(nodes)
    own = {
        key: ROW + DOT * -(-len(hanging.get(key, ())) // PER_ROW)
        for key in (n.candidate for n in [*roots, *(c for cs in children.values() for c in cs)])
    }
    heights = _heights(roots, children, own)
    lines: list[Placed] = []
    marks: list[Small] = []
    depth, top = 0, _MARGIN
    waiting: list[tuple[TreeNode, int, float, tuple[float, float] | None]] = []
    for root in roots:
        waiting.append((root, 0, top, None))
        top += heights[root.candidate]
    while waiting:
        node, level, y, parent = waiting.pop()
        x = _MARGIN + level * COLUMN
        depth = max(depth, level)
        lines.append(Placed(node, x, y, parent, node.candidate in kept))
        for index, small in enumerate(hanging.get(node.candidate, ())):
            row, column = divmod(index, PER_ROW)
            marks.append(Small(small, x + 15 + column * DOT, y + 17 + row * DOT))
        below = y
        for child in children.get(node.candidate, ()):
            waiting.append((child, level + 1, below, (x, y)))
            below += heights[child.candidate]
    lines.sort(key=lambda p: p.node.ordinal)
    return TreeFigure(
        tuple(lines),
        tuple(marks),
        len(nodes) <= LINKED,
        whole,
        2 * _MARGIN + (depth + 1) * COLUMN,
        max(top, 3 * ROW) + _MARGIN,
        depth,
    )


def _heights(
    roots: Sequence[TreeNode], children: dict[str, list[TreeNode]], own: dict[str, float]
) -> dict[str, float]:
    """Room that a node and all right of it take; children before parents, without recursion."""
    order = list(roots)
    for node in order:
        order.extend(children.get(node.candidate, ()))
    heights: dict[str, float] = {}
    for node in reversed(order):
        beside = sum(heights[c.candidate] for c in children.get(node.candidate, ()))
        heights[node.candidate] = max(own[node.candidate], beside)
    return heights


def _line_of_best(nodes: Sequence[TreeNode]) -> set[str]:
    """The last improvement and its ancestors."""
    by_digest = {node.candidate: node for node in nodes}
    improvements = [node for node in nodes if node.improved]
    line: set[str] = set()
    current = improvements[-1] if improvements else None
    while current is not None and current.candidate not in line:
        line.add(current.candidate)
        current = by_digest.get(current.parent or "")
    return line
