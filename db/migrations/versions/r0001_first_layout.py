"""The first layout: everything."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Create every table."""
    _create_blob()
    _create_problem()
    _create_target()
    _create_candidate()
    _create_campaign()
    _create_elite()
    _create_evaluation()
    _create_lesson()
    _create_model_call()
    _create_measurement()
    _create_proposal()
    _create_parent()


def _create_blob() -> None:
    op.create_table(
        "blob",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("base_id", KEY, nullable=True),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(["base_id"], ["blob.id"], name=op.f("fk_blob_base_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blob")),
        sa.UniqueConstraint("digest", name=op.f("uq_blob_digest")),
    )


def _create_problem() -> None:
    op.create_table(
        "problem",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("spec_digest", sa.LargeBinary(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_problem")),
        sa.UniqueConstraint("name", "spec_digest", name=op.f("uq_problem_name_spec_digest")),
    )


def _create_target() -> None:
    op.create_table(
        "target",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("facts", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_target")),
        sa.UniqueConstraint("name", name=op.f("uq_target_name")),
    )


def _create_candidate() -> None:
    op.create_table(
        "candidate",
        sa.Column("id", KEY, nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("problem", sa.String(), nullable=False),
        sa.Column("backend", sa.String(), nullable=False),
        sa.Column("source_id", KEY, nullable=False),
        sa.Column("tunables", sa.JSON(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["source_id"], ["blob.id"], name=op.f("fk_candidate_source_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_candidate")),
        sa.UniqueConstraint("digest", name=op.f("uq_candidate_digest")),
    )


def _create_campaign() -> None:
    op.create_table(
        "campaign",
        sa.Column("id", KEY, nullable=False),
        sa.Column("key", sa.LargeBinary(), nullable=False),
        sa.Column("problem_id", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("backend", sa.String(), nullable=False),
        sa.Column("config", sa.JSON(), nullable=False),
        sa.Column("target_facts", sa.JSON(), nullable=False),
        sa.Column("seed", KEY, nullable=False),
        sa.Column("random_state", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("started", sa.BigInteger(), nullable=False),
        sa.Column("updated", sa.BigInteger(), nullable=False),
        sa.Column("active_seconds", sa.Double(), nullable=False),
        sa.Column("noise_floor", sa.Double(), nullable=True),
        sa.Column("baseline_candidate_id", KEY, nullable=True),
        sa.Column("baseline_speedups", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(
            ["baseline_candidate_id"],
            ["candidate.id"],
            name=op.f("fk_campaign_baseline_candidate_id"),
        ),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["problem.id"], name=op.f("fk_campaign_problem_id")
        ),
        sa.ForeignKeyConstraint(["target_id"], ["target.id"], name=op.f("fk_campaign_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_campaign")),
        sa.UniqueConstraint("key", name=op.f("uq_campaign_key")),
    )


def _create_elite() -> None:
    op.create_table(
        "elite",
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("island", sa.Integer(), nullable=False),
        sa.Column("cell", sa.String(), nullable=False),
        sa.Column("candidate_id", KEY, nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_elite_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name=op.f("fk_elite_candidate_id")
        ),
        sa.PrimaryKeyConstraint("campaign_id", "island", "cell", name=op.f("pk_elite")),
    )


def _create_evaluation() -> None:
    op.create_table(
        "evaluation",
        sa.Column("id", KEY, nullable=False),
        sa.Column("candidate_id", KEY, nullable=False),
        sa.Column("problem_id", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("campaign_id", KEY, nullable=True),
        sa.Column("outcome", sa.String(), nullable=False),
        sa.Column("improved", sa.Boolean(), nullable=False),
        sa.Column("object_hash", sa.LargeBinary(), nullable=True),
        sa.Column("same_object_as", sa.LargeBinary(), nullable=True),
        sa.Column("seed_confirmed", sa.Boolean(), nullable=False),
        sa.Column("seed_speedup", sa.Double(), nullable=True),
        sa.Column("seed_low", sa.Double(), nullable=True),
        sa.Column("seed_high", sa.Double(), nullable=True),
        sa.Column("findings", sa.LargeBinary(), nullable=False),
        sa.Column("build_log_id", KEY, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["build_log_id"], ["blob.id"], name=op.f("fk_evaluation_build_log_id")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_evaluation_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name=op.f("fk_evaluation_candidate_id")
        ),
        sa.ForeignKeyConstraint(
            ["problem_id"], ["problem.id"], name=op.f("fk_evaluation_problem_id")
        ),
        sa.ForeignKeyConstraint(["target_id"], ["target.id"], name=op.f("fk_evaluation_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_evaluation")),
    )
    op.create_index(op.f("ix_evaluation_candidate_id"), "evaluation", ["candidate_id"])
    op.create_index(op.f("ix_evaluation_object_hash"), "evaluation", ["object_hash"])
    op.create_index(
        op.f("ix_evaluation_problem_id_target_id_seed_confirmed_seed_speedup"),
        "evaluation",
        ["problem_id", "target_id", "seed_confirmed", "seed_speedup"],
    )
    op.create_index(
        op.f("ix_evaluation_seed_confirmed_seed_speedup"),
        "evaluation",
        ["seed_confirmed", "seed_speedup"],
    )


def _create_lesson() -> None:
    op.create_table(
        "lesson",
        sa.Column("id", KEY, nullable=False),
        sa.Column("problem_id", KEY, nullable=False),
        sa.Column("target_id", KEY, nullable=False),
        sa.Column("campaign_id", KEY, nullable=True),
        sa.Column("candidate_id", KEY, nullable=True),
        sa.Column("text", sa.String(), nullable=False),
        sa.Column("speedup", sa.Double(), nullable=True),
        sa.Column("confirmed", sa.Boolean(), nullable=False),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_lesson_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name=op.f("fk_lesson_candidate_id")
        ),
        sa.ForeignKeyConstraint(["problem_id"], ["problem.id"], name=op.f("fk_lesson_problem_id")),
        sa.ForeignKeyConstraint(["target_id"], ["target.id"], name=op.f("fk_lesson_target_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_lesson")),
    )
    op.create_index(op.f("ix_lesson_problem_id"), "lesson", ["problem_id"])


def _create_model_call() -> None:
    op.create_table(
        "model_call",
        sa.Column("id", KEY, nullable=False),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("model", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=False),
        sa.Column("prompt_tokens", sa.Integer(), nullable=True),
        sa.Column("completion_tokens", sa.Integer(), nullable=True),
        sa.Column("cost", sa.Double(), nullable=True),
        sa.Column("error", sa.String(), nullable=True),
        sa.Column("prompt_id", KEY, nullable=True),
        sa.Column("completion_id", KEY, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_model_call_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["completion_id"], ["blob.id"], name=op.f("fk_model_call_completion_id")
        ),
        sa.ForeignKeyConstraint(["prompt_id"], ["blob.id"], name=op.f("fk_model_call_prompt_id")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_model_call")),
    )
    op.create_index(op.f("ix_model_call_campaign_id"), "model_call", ["campaign_id"])


def _create_measurement() -> None:
    op.create_table(
        "measurement",
        sa.Column("id", KEY, nullable=False),
        sa.Column("evaluation_id", KEY, nullable=True),
        sa.Column("campaign_id", KEY, nullable=True),
        sa.Column("purpose", sa.String(), nullable=True),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("workload", sa.String(), nullable=False),
        sa.Column("other", sa.String(), nullable=False),
        sa.Column("phase", sa.String(), nullable=False),
        sa.Column("seconds", sa.Double(), nullable=True),
        sa.Column("other_seconds", sa.Double(), nullable=True),
        sa.Column("estimate", sa.Double(), nullable=True),
        sa.Column("low", sa.Double(), nullable=True),
        sa.Column("high", sa.Double(), nullable=True),
        sa.Column("roofline", sa.Double(), nullable=True),
        sa.Column("rounds", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "(evaluation_id IS NULL) <> (campaign_id IS NULL)", name=op.f("ck_measurement_owner")
        ),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_measurement_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_measurement_evaluation_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_measurement")),
    )
    op.create_index(
        op.f("ix_measurement_campaign_id"),
        "measurement",
        ["campaign_id"],
        sqlite_where=sa.text("campaign_id IS NOT NULL"),
        postgresql_where=sa.text("campaign_id IS NOT NULL"),
    )
    op.create_index(op.f("ix_measurement_evaluation_id"), "measurement", ["evaluation_id"])


def _create_proposal() -> None:
    op.create_table(
        "proposal",
        sa.Column("id", KEY, nullable=False),
        sa.Column("campaign_id", KEY, nullable=False),
        sa.Column("ordinal", sa.Integer(), nullable=False),
        sa.Column("candidate_id", KEY, nullable=False),
        sa.Column("operator", sa.String(), nullable=False),
        sa.Column("proposer", sa.String(), nullable=False),
        sa.Column("description", sa.String(), nullable=False),
        sa.Column("rules", sa.JSON(), nullable=True),
        sa.Column("model_call_id", KEY, nullable=True),
        sa.Column("evaluation_id", KEY, nullable=True),
        sa.Column("created", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["campaign_id"], ["campaign.id"], name=op.f("fk_proposal_campaign_id")
        ),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["candidate.id"], name=op.f("fk_proposal_candidate_id")
        ),
        sa.ForeignKeyConstraint(
            ["evaluation_id"], ["evaluation.id"], name=op.f("fk_proposal_evaluation_id")
        ),
        sa.ForeignKeyConstraint(
            ["model_call_id"], ["model_call.id"], name=op.f("fk_proposal_model_call_id")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_proposal")),
        sa.UniqueConstraint("campaign_id", "ordinal", name=op.f("uq_proposal_campaign_id_ordinal")),
    )
    op.create_index(op.f("ix_proposal_candidate_id"), "proposal", ["candidate_id"])


def _create_parent() -> None:
    op.create_table(
        "parent",
        sa.Column("proposal_id", KEY, nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("parent_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["candidate.id"], name=op.f("fk_parent_parent_id")),
        sa.ForeignKeyConstraint(
            ["proposal_id"], ["proposal.id"], name=op.f("fk_parent_proposal_id")
        ),
        sa.PrimaryKeyConstraint("proposal_id", "position", name=op.f("pk_parent")),
    )
    op.create_index(op.f("ix_parent_parent_id"), "parent", ["parent_id"])
