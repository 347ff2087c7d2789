"""Lists of candidates: filtered, in order, a page at a time along an index."""

from __future__ import annotations

import heapq
import string
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import Row, Select, and_, literal, select, tuple_
from sqlalchemy.orm import Session

from db.blobs import chunks
from db.claims import standings, unreplaced
from db.errors import ArchiveError
from db.lookup import begins_with
from db.models import Campaign, Candidate, Evaluation, Problem, Proposal, Target
from db.overview import interval
from db.views import CandidatePage, CandidateRow

_Row = Row[*tuple[Any, ...]]
_DIGEST_LENGTH = 64
_PREFIX = 6  # fewer hex digits are a word to look for


@dataclass(frozen=True)
class Wanted:
    """What a list of candidates shall hold.

    Attributes:
        text: Words of the description or a rule's name; or the first hex digits of a digest.
        problem, target, backend, outcome, operator: Names, None for any.
        campaign: Number of the campaign that proposed it.
        confirmed: Only those with a confirmed speedup.
        newest: Newest first; otherwise the fastest over the seed first, which leaves out those
            without a figure.
    """

    text: str | None = None
    problem: str | None = None
    target: str | None = None
    backend: str | None = None
    outcome: str | None = None
    operator: str | None = None
    campaign: int | None = None
    confirmed: bool = False
    newest: bool = False


def candidate_page(
    session: Session, wanted: Wanted, after: str | None = None, limit: int = 50
) -> tuple[CandidatePage, list[int]]:
    """A page of candidates by their evaluations, and the rows of these.

    Args:
        session: A reading one.
        wanted: What it shall hold.
        after: From the page before.
        limit: At most so many.

    Raises:
        ArchiveError: `after` is not from such a page.
    """
    if wanted.problem is None:
        found = list(session.execute(_statement(wanted, after).limit(limit + 1)))
    else:
        found = _merged(session, wanted, after, limit + 1)
    evaluations = [row.id for row in found[:limit]]
    after = _mark(found[limit - 1], wanted) if len(found) > limit else None
    return CandidatePage(tuple(candidate_rows(session, evaluations)), after), evaluations


def candidate_rows(session: Session, evaluations: Sequence[int]) -> list[CandidateRow]:
    """Candidates in a list, by the rows of their evaluations, in that order."""
    found: dict[int, CandidateRow] = {}
    for part in chunks(evaluations):
        found.update(_rows(session, part))
    return [found[key] for key in evaluations]


def _merged(session: Session, wanted: Wanted, after: str | None, limit: int) -> list[_Row]:
    """Revisions and targets are asked one by one, each along its index, and merged in order."""
    problems = session.scalars(select(Problem.id).where(Problem.name == wanted.problem)).all()
    within = select(Target.id)
    if wanted.target is not None:
        within = within.where(Target.name == wanted.target)
    targets = session.scalars(within).all()
    lists = []
    for problem_id in problems:
        for target_id in targets:
            statement = _statement(replace(wanted, target=None), after).where(
                Evaluation.problem_id == problem_id, Evaluation.target_id == target_id
            )
            lists.append(session.execute(statement.limit(limit)).all())
    return list(heapq.merge(*lists, key=_rank(wanted), reverse=True))[:limit]


def _statement(wanted: Wanted, after: str | None) -> Select[int, bool, float | None]:
    statement = select(Evaluation.id, Evaluation.seed_confirmed, Evaluation.seed_speedup)
    statement = statement.where(*_conditions(wanted))
    if wanted.newest:
        statement = statement.where(~Evaluation.recheck)
        if after is not None:
            statement = statement.where(Evaluation.id < _newest_mark(after))
        return statement.order_by(Evaluation.id.desc())
    statement = statement.where(unreplaced())
    if after is not None:
        place = tuple_(Evaluation.seed_confirmed, Evaluation.seed_speedup, Evaluation.id)
        statement = statement.where(place < tuple_(*map(literal, _best_mark(after))))
    return statement.order_by(
        Evaluation.seed_confirmed.desc(), Evaluation.seed_speedup.desc(), Evaluation.id.desc()
    )


def _conditions(wanted: Wanted) -> list[Any]:
    conditions: list[Any] = []
    if wanted.target is not None:
        named = select(Target.id).where(Target.name == wanted.target)
        conditions.append(Evaluation.target_id == named.scalar_subquery())
    if wanted.outcome is not None:
        conditions.append(Evaluation.outcome == wanted.outcome)
    if wanted.confirmed:
        conditions.append(Evaluation.seed_confirmed.is_(True))
    if wanted.backend is not None:
        conditions.append(_of_candidate(Candidate.backend == wanted.backend))
    if wanted.operator is not None:
        conditions.append(_of_proposal(Proposal.operator == wanted.operator))
    if wanted.campaign is not None:
        conditions.append(_of_proposal(Proposal.campaign_id == wanted.campaign))
    if wanted.text:
        conditions.append(_matching(wanted.text))
    return conditions


def _matching(text: str) -> Any:
    prefix = text.strip().lower()
    if _PREFIX <= len(prefix) <= _DIGEST_LENGTH and set(prefix) <= set(string.hexdigits):
        named = select(Candidate.id).where(begins_with(Candidate.digest, prefix, _DIGEST_LENGTH))
        return Evaluation.candidate_id.in_(named)  # few: their own index leads to them
    words = [Proposal.description.icontains(word, autoescape=True) for word in text.split()]
    return _of_proposal(and_(*words))


def _of_candidate(condition: Any) -> Any:
    return select(Candidate.id).where(Candidate.id == Evaluation.candidate_id, condition).exists()


def _of_proposal(condition: Any) -> Any:
    return (
        select(Proposal.id)
        .where(Proposal.candidate_id == Evaluation.candidate_id, condition)
        .exists()
    )


def _rank(wanted: Wanted) -> Callable[[_Row], tuple[Any, ...]]:
    if wanted.newest:
        return lambda row: (row.id,)
    return lambda row: (row.seed_confirmed, row.seed_speedup, row.id)


def _mark(row: _Row, wanted: Wanted) -> str:
    if wanted.newest:
        return str(row.id)
    return f"{int(row.seed_confirmed)}_{row.seed_speedup!r}_{row.id}"


def _newest_mark(after: str) -> int:
    if not (after.isascii() and after.isdecimal() and len(after) < 19):
        raise ArchiveError(f"{after[:40]!r} does not say where a page begins")
    return int(after)


def _best_mark(after: str) -> tuple[bool, float, int]:
    parts = after.split("_")
    try:
        confirmed, speedup, key = int(parts[0]), float(parts[1]), _newest_mark(parts[2])
    except (ValueError, IndexError):
        raise ArchiveError(f"{after[:40]!r} does not say where a page begins") from None
    return bool(confirmed), speedup, key


def _rows(session: Session, ids: Sequence[int]) -> dict[int, CandidateRow]:
    statement = (
        select(Evaluation, Candidate.digest, Candidate.problem, Candidate.backend, Target.name)
        .join(Candidate, Candidate.id == Evaluation.candidate_id)
        .join(Target, Target.id == Evaluation.target_id)
        .where(Evaluation.id.in_(ids))
    )
    rows = session.execute(statement).all()
    steps = _steps(session, [row[0].candidate_id for row in rows])
    worth = standings(session, [row[0] for row in rows])
    found = {}
    for row, digest, problem, backend, target in rows:
        own = steps.get(row.candidate_id, [])
        step = next((s for s in own if s.evaluation_id == row.id), own[0] if own else None)
        found[row.id] = CandidateRow(
            candidate=digest,
            problem=problem,
            backend=backend,
            target=target,
            outcome=row.outcome,
            standing=worth[row.id],
            speedup=interval(row.seed_speedup, row.seed_low, row.seed_high),
            confirmed=row.seed_confirmed,
            improved=row.improved,
            campaign=step.key if step else None,
            ordinal=step.ordinal if step else None,
            operator=step.operator if step else None,
            description=step.description if step else None,
            evaluated=row.created,
        )
    return found


def _steps(session: Session, candidates: Sequence[int]) -> dict[int, list[_Row]]:
    """The proposals of candidates, first ones first."""
    statement = (
        select(
            Proposal.candidate_id,
            Proposal.evaluation_id,
            Proposal.ordinal,
            Proposal.operator,
            Proposal.description,
            Campaign.key,
        )
        .join(Campaign, Campaign.id == Proposal.campaign_id)
        .where(Proposal.candidate_id.in_(candidates))
        .order_by(Proposal.id)
    )
    found: dict[int, list[_Row]] = {}
    for row in session.execute(statement):
        found.setdefault(row.candidate_id, []).append(row)
    return found


def known_names(session: Session) -> tuple[list[str], list[str]]:
    """Names of problems and of targets, sorted."""
    problems = session.scalars(select(Problem.name).distinct().order_by(Problem.name))
    targets = session.scalars(select(Target.name).order_by(Target.name))
    return list(problems), list(targets)
