"""Lessons: what a change brought, distilled from children that were compared with their parents."""

from __future__ import annotations

import bisect
from collections import deque
from collections.abc import Iterable, Sequence

from agent.proposers.protocol import Child
from db.records import Lesson
from evaluator.evaluation import Comparison, Evaluation
from evaluator.outcome import Outcome

NOT_PAID = 0.95
"""A child whose interval ends below this is a lesson too: its change does not pay."""
UNEVEN = 1.15
"""Workloads whose gains differ by more than this factor are named."""
MOST_GAINS, MOST_LOSSES = 5, 3
LONGEST = 240


def distilled(child: Child, evaluation: Evaluation, incumbent: str) -> Lesson | None:
    """What a child taught, None if nothing worth telling.

    Args:
        child: With its author's words on what was changed.
        evaluation: Of the child, against the incumbent.
        incumbent: Digest of that.
    """
    over = evaluation.speedup_over("incumbent")
    if evaluation.outcome is not Outcome.OK or over is None or not child.description.strip():
        return None
    own_parent = incumbent in child.parents[:1]
    lost = own_parent and over.interval.high < NOT_PAID
    if not evaluation.improved and not lost:
        return None
    whom = "its parent" if own_parent else "the best so far"
    found = over.interval
    figure = f"{found.estimate:.2f}x over {whom} ({found.low:.2f} to {found.high:.2f})"
    plan = " ".join(child.description.split())[:LONGEST].rstrip(" .;")
    confirmed = evaluation.improved and over.confirmed
    how = "confirmed" if confirmed else "raced only, did not pay"
    text = f"{plan}: {figure}, {how}{_where(evaluation.comparisons)}"
    return Lesson(text, evaluation.candidate, found.estimate, confirmed)


class Lessons:
    """The few of a campaign's lessons that a prompt should carry; the others are in the archive.

    Args:
        lessons: In the order they were learnt.
    """

    def __init__(self, lessons: Iterable[Lesson] = ()) -> None:
        self._gains: list[Lesson] = []
        self._losses: deque[Lesson] = deque(maxlen=MOST_LOSSES)
        for lesson in lessons:
            self.add(lesson)

    def add(self, lesson: Lesson) -> None:
        """One more was learnt."""
        speedup = lesson.speedup or 1.0
        if speedup > 1.0:
            bisect.insort(self._gains, lesson, key=lambda x: -(x.speedup or 1.0))
            del self._gains[MOST_GAINS:]
        elif speedup < 1.0:
            self._losses.appendleft(lesson)

    def worth_telling(self, before: Sequence[Lesson] = ()) -> list[str]:
        """The largest gains, then the latest losses.

        Args:
            before: From elsewhere; they come after this campaign's own gains.
        """
        chosen = [*self._gains, *before[:MOST_GAINS], *self._losses]
        return list(dict.fromkeys(x.text for x in chosen))


def _where(comparisons: Sequence[Comparison]) -> str:
    timed = [c for c in comparisons if c.other == "incumbent"]
    if len(timed) < 2:
        return ""
    best = max(timed, key=lambda c: c.speedup.estimate)
    least = min(timed, key=lambda c: c.speedup.estimate)
    if best.speedup.estimate < UNEVEN * least.speedup.estimate:
        return ""
    return (
        f"; most on {best.workload} ({best.speedup.estimate:.2f}x), least on {least.workload} "
        f"({least.speedup.estimate:.2f}x)"
    )
