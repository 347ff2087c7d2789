"""Figures are data: where everything is, before anything is drawn."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.browse.figures import tree
from agent.browse.figures.mix import WIDTH, mix
from agent.browse.figures.progress import progress_figures
from agent.browse.figures.scales import Scale, ratio_steps, steps
from agent.browse.figures.strip import strip_figures
from agent.browse.figures.tree import tree_figure
from agent.browse.figures.workloads import heat_map, roofline_figure
from db.rows import OutcomeCount
from db.views import Progress, Step, TreeNode, WorkloadFigure
from evaluator.evaluation import TRAFFIC, Comparison, Interval, Round

positive = st.floats(1e-9, 1e9)


@given(positive, positive, positive, st.booleans())
def test_scales_keep_order_and_stay_inside(a: float, b: float, value: float, log: bool) -> None:
    low, high = sorted((a, b))
    scale = Scale(low, high, 10, 200, log)
    assert 10 <= scale.at(value) <= 200
    assert scale.at(low) <= scale.at(value) <= scale.at(high)


@given(positive, st.floats(1.001, 1e6))
def test_ticks_are_few_round_and_inside(low: float, factor: float) -> None:
    high = low * factor
    for ticks in (ratio_steps(low, high), steps(low, high)):
        assert len(ticks) <= 12
        assert all(low * 0.99 <= t <= high * 1.01 for t in ticks)
    assert steps(0, 67, 4) == [0, 20, 40, 60]
    assert ratio_steps(1, 16) == [1, 2, 5, 10]


def step(ordinal: int, speedup: float, cost: float = 0.0) -> Step:
    interval = Interval(speedup, speedup * 0.9, speedup * 1.1)
    return Step(ordinal, ordinal * 10.0, cost, interval, f"{ordinal:064x}")


def test_progress_is_drawn_against_what_there_is() -> None:
    free = Progress(1, "a", 60, 700.0, 0.0, (step(2, 3.0), step(9, 8.0)))
    paid = Progress(2, "b", 30, 300.0, 0.5, (step(4, 5.0, 0.1),))
    assert [f.unit for f in progress_figures([free])] == ["candidates", "time"]
    figures = progress_figures([paid, free])
    assert [f.unit for f in figures] == ["candidates", "time", "cost"]
    first = figures[0]
    assert [line.key for line in first.lines] == ["a", "b"]  # the newest lies on top
    assert [line.newest for line in first.lines] == [False, True]
    older = first.lines[0]
    assert [(d.x, d.y) for d in older.dots] == [(2, 3.0), (9, 8.0)]
    assert older.until == 60
    path = first.path(older)
    assert path.startswith(f"M{first.x.at(0)} {first.y.at(1)}H{first.x.at(2)}V{first.y.at(3.0)}")
    assert path.endswith(f"H{first.x.at(60)}")
    assert progress_figures([Progress(1, "a", 9, 9.0, 0.0, ())]) == []


def test_the_bar_of_outcomes_is_full() -> None:
    bar = mix([OutcomeCount("ok", 97), OutcomeCount("crashed", 3)])
    assert bar is not None
    assert [(p.outcome, p.share) for p in bar.parts] == [("ok", 0.97), ("crashed", 0.03)]
    assert bar.parts[1].x == pytest.approx(970)
    assert bar.parts[1].x + bar.parts[1].width <= WIDTH
    assert mix([]) is None


def timed(other: str, ratios: list[float]) -> Comparison:
    rounds = tuple(Round(1.0, r, 0.0, r < 5) for r in ratios)
    return Comparison("w", other, 1.0, 2.0, Interval(2.0, 1.5, 2.5), rounds, "confirm")


def test_every_raw_round_is_a_dot() -> None:
    figures = strip_figures([timed("seed", [1.9, 2.0, 9.0]), timed("eager", [1.0])])
    assert [f.other for f in figures] == ["seed", "eager"]
    (strip,) = figures[0].strips
    assert [(d.ratio, d.used) for d in strip.dots] == [(1.9, True), (2.0, True), (9.0, False)]
    assert strip.low < strip.estimate < strip.high
    assert strip.dots[1].x == strip.estimate
    assert figures[0].one == figures[0].x.at(1.0) < strip.low


def test_the_heat_map_compares_over_the_seed() -> None:
    rivals = {
        "seed": (WorkloadFigure("w", 8.0, Interval(4, 4, 4), 0.1),),
        "eager": (WorkloadFigure("w", 16.0, None, 0.05),),
        TRAFFIC: (WorkloadFigure("w", 1.0, None, 0.8),),
    }
    heat = heat_map((), rivals)
    assert heat is not None
    (row,) = heat.rows
    assert (row.name, row.cells[0].speedup, row.cells[0].bin) == ("eager", 0.5, 0)
    figure = roofline_figure((), rivals)
    assert figure is not None
    assert {(m.name, m.kind, m.share) for m in figure.lanes[0].marks} == {
        ("seed", "seed", 0.1), ("eager", "pytorch", 0.05), (TRAFFIC, "traffic", 0.8),
    }  # fmt: skip
    assert heat_map((), {}) is None
    assert roofline_figure((), {}) is None


@st.composite
def forests(draw: st.DrawFn) -> list[TreeNode]:
    """Campaigns: parents come before their children."""
    nodes: list[TreeNode] = []
    for index in range(draw(st.integers(1, 60))):
        above = draw(st.none() | st.integers(0, index - 1)) if index else None
        parent = None if above is None else nodes[above].candidate
        improved = draw(st.booleans()) and draw(st.booleans())
        outcome = draw(st.sampled_from(["ok", "incorrect", None]))
        nodes.append(
            TreeNode(f"{index:064x}", parent, index + 1, "transform", "", outcome,
                     2.0 if improved else None, improved, improved)
        )  # fmt: skip
    return nodes


@settings(deadline=None)
@given(forests(), st.sampled_from([1, 400]))
def test_every_candidate_has_its_own_place(nodes: list[TreeNode], whole: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(tree, "WHOLE", whole)
        figure = tree_figure(nodes)
    assert figure is not None
    placed = [p.node.candidate for p in figure.lines] + [m.node.candidate for m in figure.marks]
    assert sorted(placed) == [n.candidate for n in nodes]
    places = [(p.x, p.y) for p in figure.lines] + [(m.x, m.y) for m in figure.marks]
    assert len(set(places)) == len(places)
    assert all(0 < x < figure.width and 0 < y < figure.height for x, y in places)
    assert {p.node.candidate for p in figure.lines} >= {n.candidate for n in nodes if n.improved}
    drawn = "".join(figure.mark_path(outcome) for outcome in figure.hanging)
    assert len(re.findall("M", drawn)) == len(figure.marks)
    for a, b in itertools.pairwise(figure.edges):
        assert a.kept <= b.kept  # the line to the best lies on top


def test_a_deep_line_needs_no_recursion() -> None:
    nodes = [
        TreeNode(f"{i:064x}", f"{i - 1:064x}" if i else None, i + 1, "t", "", "ok", 1.0, True, True)
        for i in range(5000)
    ]
    figure = tree_figure(nodes)
    assert figure is not None
    assert figure.depth == 4999
