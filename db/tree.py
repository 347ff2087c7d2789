"""The lineage of a whole campaign, failures included."""

from __future__ import annotations

from sqlalchemy import and_, bindparam, select
from sqlalchemy.orm import Session

from db.direct import run, table
from db.models import Candidate, Evaluation, Parent, Proposal
from db.views import TreeNode

_CANDIDATES, _EVALUATIONS = table(Candidate), table(Evaluation)
_PARENTS, _PROPOSALS = table(Parent), table(Proposal)
_NODES = (
    select(
        _PROPOSALS.c.candidate_id,
        _CANDIDATES.c.digest,
        _PARENTS.c.parent_id,
        _PROPOSALS.c.ordinal,
        _PROPOSALS.c.operator,
        _PROPOSALS.c.description,
        _EVALUATIONS.c.outcome,
        _EVALUATIONS.c.seed_speedup,
        _EVALUATIONS.c.seed_confirmed,
        _EVALUATIONS.c.improved,
    )
    .join(_CANDIDATES, _CANDIDATES.c.id == _PROPOSALS.c.candidate_id)
    .outerjoin(_PARENTS, and_(_PARENTS.c.proposal_id == _PROPOSALS.c.id, _PARENTS.c.position == 0))
    .outerjoin(_EVALUATIONS, _EVALUATIONS.c.id == _PROPOSALS.c.evaluation_id)
    .where(_PROPOSALS.c.campaign_id == bindparam("campaign"))
    .order_by(_PROPOSALS.c.ordinal)
)


def tree_nodes(session: Session, campaign_id: int) -> list[TreeNode]:
    """Each candidate once, at its first proposal, in order of proposal; parents of elsewhere and
    later than their child (it was proposed again) are left out, so that it is a forest."""
    known: dict[int, str] = {}
    nodes = []
    for row in run(session, _NODES, {"campaign": campaign_id}).rows:
        key, digest, parent, ordinal, operator, description, outcome, speedup, sure, better = row
        if key in known:
            continue
        nodes.append(
            TreeNode(
                candidate=digest,
                parent=known.get(parent),
                ordinal=ordinal,
                operator=operator,
                description=description,
                outcome=outcome,
                speedup=speedup,
                confirmed=bool(sure),
                improved=bool(better),
            )
        )
        known[key] = digest
    return nodes
