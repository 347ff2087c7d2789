"""Ancestors and descendants. Proposing an ancestor again closes a circle, so visits are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.blobs import chunks
from db.campaigns import parents_of
from db.listings import interval_of
from db.lookup import digests_of, find_candidate
from db.models import Evaluation, Parent, Proposal
from db.rows import LineageRow


def lineage_rows(session: Session, prefix: str) -> list[LineageRow]:
    """See `Archive.lineage`."""
    start = find_candidate(session, prefix).id
    generations = {start: 0}
    _walk(session, start, -1, generations)
    _walk(session, start, +1, generations)
    ordered = sorted(generations, key=lambda i: (generations[i], i))
    digests = digests_of(session, ordered)
    proposals = _proposals(session, ordered)
    parents = parents_of(session, [p.id for found in proposals.values() for p in found])
    latest = _latest_evaluations(session, ordered)
    rows = []
    for key in ordered:
        own = proposals.get(key, [])
        evaluation = latest.get(key)
        named = dict.fromkeys(d for p in own for d in parents.get(p.id, ()))
        rows.append(
            LineageRow(
                generation=generations[key],
                candidate=digests[key],
                parents=tuple(named),
                operator=own[0].operator if own else None,
                description=own[0].description if own else None,
                outcome=evaluation.outcome if evaluation else None,
                speedup=interval_of(evaluation) if evaluation else None,
                confirmed=bool(evaluation and evaluation.seed_confirmed),
            )
        )
    return rows


def _walk(session: Session, start: int, step: int, generations: dict[int, int]) -> None:
    """Go through the generations on one side, adding those not seen yet."""
    frontier, generation = [start], 0
    while frontier:
        generation += step
        near = _relatives(session, frontier, ancestors=step < 0)
        frontier = [key for key in dict.fromkeys(near) if key not in generations]
        generations.update(dict.fromkeys(frontier, generation))


def _relatives(session: Session, keys: Sequence[int], *, ancestors: bool) -> Iterable[int]:
    """Parents or children of candidates, by row id."""
    child, parent = Proposal.candidate_id, Parent.parent_id
    near, far = (child, parent) if ancestors else (parent, child)
    for part in chunks(keys):
        statement = (
            select(far).join_from(Proposal, Parent, Parent.proposal_id == Proposal.id)
        ).where(near.in_(part))
        yield from session.scalars(statement)


def _proposals(session: Session, keys: Sequence[int]) -> dict[int, list[Proposal]]:
    found: dict[int, list[Proposal]] = {}
    for part in chunks(keys):
        statement = select(Proposal).where(Proposal.candidate_id.in_(part)).order_by(Proposal.id)
        for row in session.scalars(statement):
            found.setdefault(row.candidate_id, []).append(row)
    return found


def _latest_evaluations(session: Session, keys: Sequence[int]) -> dict[int, Evaluation]:
    found: dict[int, Evaluation] = {}
    for part in chunks(keys):
        statement = (
            select(Evaluation)
            .where(Evaluation.candidate_id.in_(part), ~Evaluation.recheck)
            .order_by(Evaluation.import_id.is_(None), Evaluation.id)  # claims first: they lose
        )
        found.update((row.candidate_id, row) for row in session.scalars(statement))
    return found
