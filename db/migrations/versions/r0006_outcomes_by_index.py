"""How evaluations ended is counted along an index: a problem page on a million candidates."""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Add the index; nothing stored changes."""
    op.create_index(
        op.f("ix_evaluation_problem_id_target_id_recheck_outcome"),
        "evaluation",
        ["problem_id", "target_id", "recheck", "outcome"],
    )
