"""All about a problem on a target."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.errors import ArchiveError
from db.lesson_view import lesson_views
from db.listings import campaigns_in_lines, tallied
from db.models import Campaign, Problem, Tally
from db.overview import fields
from db.progress import progress_of
from db.selection import Wanted, candidate_page
from db.views import Field, Leader, ProblemView
from db.workload_figures import by_evaluation, rivals

_LEADERS, _CAMPAIGNS, _LESSONS = 24, 8, 8


def problem_view(session: Session, problem: str, target: str | None) -> ProblemView:
    """A problem on a target, by default the one with the most recent campaign.

    Raises:
        ArchiveError: The archive has nothing on them.
    """
    known = fields(session, problem=problem)
    field = _chosen(known, problem, target)
    revisions = session.execute(
        select(Problem.id, Problem.spec).where(Problem.name == problem).order_by(Problem.id)
    ).all()
    campaigns = _campaigns(session, [row.id for row in revisions], field.target_id)
    table = field.finalists
    return ProblemView(
        field=field,
        spec=dict(revisions[-1].spec),
        revisions=len(revisions),
        targets=tuple(f.target for f in known),
        outcomes=tallied(
            session,
            Tally.problem_id.in_([row.id for row in revisions]),
            Tally.target_id == field.target_id,
        ),
        leaders=_leaders(session, problem, field.target),
        rivals={} if table is None else rivals(session, table.campaign),
        progress=tuple(progress_of(session, [c.id for c in campaigns])),
        campaigns=tuple(
            campaigns_in_lines(session, [(c, problem, field.target) for c in campaigns])
        ),
        lessons=tuple(lesson_views(session, problem, field.target, limit=_LESSONS)[0]),
    )


def _chosen(known: Sequence[Field], problem: str, target: str | None) -> Field:
    if not known:
        raise ArchiveError(f"the archive has nothing on problem {problem!r}")
    if target is None:
        dated = [f for f in known if f.updated is not None]
        return max(dated, key=lambda f: str(f.updated), default=known[0])
    for field in known:
        if field.target == target:
            return field
    raise ArchiveError(
        f"the archive has nothing on problem {problem!r} on target {target!r}; it has "
        + ", ".join(f.target for f in known)
    )


def _campaigns(session: Session, revisions: Sequence[int], target_id: int) -> Sequence[Campaign]:
    return session.scalars(
        select(Campaign)
        .where(Campaign.problem_id.in_(revisions), Campaign.target_id == target_id)
        .order_by(Campaign.id.desc())
        .limit(_CAMPAIGNS)
    ).all()


def _leaders(session: Session, problem: str, target: str) -> tuple[Leader, ...]:
    wanted = Wanted(problem=problem, target=target)
    page, evaluations = candidate_page(session, wanted, limit=_LEADERS)
    figures = by_evaluation(session, evaluations)
    return tuple(
        Leader(row, figures.get(key, ())) for row, key in zip(page.rows, evaluations, strict=True)
    )
