"""Claims: what was imported, until this archive's own evaluator has looked at it."""

from __future__ import annotations

import functools
from collections.abc import Sequence

from sqlalchemy import ColumnClause, ColumnElement, Exists, and_, literal_column, or_, select
from sqlalchemy.orm import Session, aliased

from db.models import Evaluation
from db.rows import Standing
from evaluator.outcome import Outcome

_UNINDEXED: ColumnClause[int] = literal_column("0")
"""Added to a column, it keeps SQLite from walking an index over all evaluations of a problem where
that over the few of a candidate is meant."""
_SAYS_NOTHING = (Outcome.INFRA_ERROR.value, Outcome.UNMEASURED.value)


def own() -> ColumnElement[bool]:
    """Evaluations that were found by this archive's own campaigns and checks."""
    return Evaluation.import_id.is_(None)


def standing(session: Session, row: Evaluation) -> Standing:
    """What an evaluation is worth here. A refutation outweighs what agrees."""
    if row.import_id is None:
        return Standing.FOUND
    outcomes = set(
        session.scalars(
            select(Evaluation.outcome).where(
                own(),
                Evaluation.candidate_id == row.candidate_id,
                Evaluation.problem_id == row.problem_id,
                Evaluation.outcome.not_in(_SAYS_NOTHING),
            )
        )
    )
    if not outcomes:
        return Standing.CLAIM
    return Standing.VERIFIED if outcomes == {Outcome.OK.value} else Standing.REFUTED


def standings(session: Session, rows: Sequence[Evaluation]) -> dict[int, Standing]:
    """What each of these evaluations is worth here; only claims cost a query."""
    return {row.id: standing(session, row) for row in rows}


def refuted() -> Exists:
    """For a claim: the candidate was found to be wrong here."""
    other = aliased(Evaluation)
    return (
        select(other.id)
        .where(
            other.import_id.is_(None),
            other.candidate_id == Evaluation.candidate_id,
            other.problem_id + _UNINDEXED == Evaluation.problem_id,
            other.outcome.not_in((Outcome.OK.value, *_SAYS_NOTHING)),
        )
        .exists()
    )


def outranked() -> Exists:
    """A later word with a figure on the same candidate, problem and target has taken its place.

    What was found here takes the place of claims, whenever those came in; never the reverse.
    """
    other = aliased(Evaluation)
    newer = other.id > Evaluation.id
    return (
        select(other.id)
        .where(
            other.candidate_id == Evaluation.candidate_id,
            other.problem_id + _UNINDEXED == Evaluation.problem_id,
            other.target_id + _UNINDEXED == Evaluation.target_id,
            other.seed_speedup.is_not(None),
            ~other.recheck,
            or_(
                and_(other.import_id.is_(None), or_(Evaluation.import_id.is_not(None), newer)),
                and_(other.import_id.is_not(None), Evaluation.import_id.is_not(None), newer),
            ),
        )
        .exists()
    )


@functools.cache
def unreplaced() -> ColumnElement[bool]:
    """What rankings rest on: of the evaluations of a candidate for a revision on a target only the
    last word, and of claims only those that were not refuted here."""
    return and_(
        Evaluation.seed_speedup.is_not(None),
        ~Evaluation.recheck,
        ~outranked(),
        or_(own(), ~refuted()),
    )


def found_here(session: Session, candidate_id: int, problem_id: int, target_id: int) -> bool:
    """Whether a search of this archive's own has a word on a candidate on a target."""
    statement = select(Evaluation.id).where(
        own(),
        ~Evaluation.recheck,
        Evaluation.candidate_id == candidate_id,
        Evaluation.problem_id == problem_id,
        Evaluation.target_id == target_id,
    )
    return session.scalar(statement.limit(1)) is not None
