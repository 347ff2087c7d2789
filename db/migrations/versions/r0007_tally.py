"""How evaluations ended is counted as they are stored: nobody counts a million rows for a page."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

COUNT = """
INSERT INTO tally (problem_id, target_id, outcome, count)
VALUES (NEW.problem_id, NEW.target_id, NEW.outcome, 1)
ON CONFLICT (problem_id, target_id, outcome) DO UPDATE SET count = tally.count + 1;
"""
SQLITE = (
    f"""CREATE TRIGGER evaluation_counted AFTER INSERT ON evaluation
    WHEN NOT NEW.recheck BEGIN {COUNT} END""",
)
POSTGRESQL = (
    f"""CREATE FUNCTION count_evaluation() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN {COUNT} RETURN NULL; END $$""",
    """CREATE TRIGGER evaluation_counted AFTER INSERT ON evaluation
    FOR EACH ROW WHEN (NOT NEW.recheck) EXECUTE FUNCTION count_evaluation()""",
)


def upgrade() -> None:
    """Add the table and what keeps it; count what is stored; drop the index used before."""
    op.create_table(
        "tally",
        sa.Column("problem_id", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("count", KEY, nullable=False),
        sa.ForeignKeyConstraint(["problem_id"], ["problem.id"], name=op.f("fk_tally_problem_id")),
        sa.ForeignKeyConstraint(["target_id"], ["target.id"], name=op.f("fk_tally_target_id")),
        sa.PrimaryKeyConstraint("problem_id", "target_id", "outcome", name=op.f("pk_tally")),
    )
    op.execute(
        "INSERT INTO tally (problem_id, target_id, outcome, count) "
        "SELECT problem_id, target_id, outcome, count(*) FROM evaluation "
        "WHERE NOT recheck GROUP BY problem_id, target_id, outcome"
    )
    sqlite = op.get_bind().dialect.name == "sqlite"
    for statement in SQLITE if sqlite else POSTGRESQL:
        op.execute(statement)
    op.drop_index(
        op.f("ix_evaluation_problem_id_target_id_recheck_outcome"), table_name="evaluation"
    )
