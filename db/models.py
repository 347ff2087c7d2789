"""The tables of the archive. `db/migrations` creates them; a test holds the two together.

Keys are surrogate integers, identity is content: candidates and blobs are unique by SHA-256. All
texts of any length (sources, prompts, completions, logs) are blobs. Nothing is an
attribute-value pair: what is searched or sorted has a typed column, what is only shown is packed.
"""

from __future__ import annotations

import datetime
from typing import Any, ClassVar

from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    Index,
    LargeBinary,
    MetaData,
    UniqueConstraint,
    text,
)
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from db.column_types import HexDigest, Instant, Key, Real, Structure, Words, now


class Base(DeclarativeBase):
    """Declarative base; constraint names are fixed so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        datetime.datetime: Instant,
        str: Words,
        dict[str, Any]: Structure,
        list[str]: Structure,
    }


class Blob(Base):
    """A text, stored once, as a zstd frame that may refer to the text of another, its base.

    A child's source resembles its parent's: with that as a base it takes a tenth of the room. A
    base has no base itself.
    """

    __tablename__ = "blob"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(HexDigest, unique=True)
    size: Mapped[int]
    base_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"))
    data: Mapped[bytes] = mapped_column(LargeBinary)


class Problem(Base):
    """A revision of a problem: another specification under the same name is another row."""

    __tablename__ = "problem"
    __table_args__ = (UniqueConstraint("name", "spec_digest"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str]
    spec_digest: Mapped[str] = mapped_column(HexDigest)
    spec: Mapped[dict[str, Any]]
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class Target(Base):
    """A kind of hardware and toolchain; `facts` are the latest known."""

    __tablename__ = "target"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)
    facts: Mapped[dict[str, Any]]
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class ImportRun(Base):
    """A file of records of another archive that was taken in; `digest` is that of its records."""

    __tablename__ = "import_run"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(HexDigest, unique=True)
    name: Mapped[str]
    complete: Mapped[bool]
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class Campaign(Base):
    """One search. `random_state` is a zstd frame; `baselines` holds the final table's speedups."""

    __tablename__ = "campaign"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    key: Mapped[str] = mapped_column(HexDigest, unique=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id"))
    backend: Mapped[str]
    config: Mapped[dict[str, Any]]
    target_facts: Mapped[dict[str, Any]]
    seed: Mapped[int] = mapped_column(Key)
    random_state: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[str]
    reason: Mapped[str] = mapped_column(default="")
    started: Mapped[datetime.datetime] = mapped_column(default=now)
    updated: Mapped[datetime.datetime] = mapped_column(default=now)
    active_seconds: Mapped[float] = mapped_column(default=0.0)
    noise_floor: Mapped[float | None]
    baseline_candidate_id: Mapped[int | None] = mapped_column(ForeignKey("candidate.id"))
    baseline_speedups: Mapped[bytes | None] = mapped_column(LargeBinary)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))


class Candidate(Base):
    """One source with its tunables, stored once whoever proposed it."""

    __tablename__ = "candidate"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    digest: Mapped[str] = mapped_column(HexDigest, unique=True)
    problem: Mapped[str]
    backend: Mapped[str]
    source_id: Mapped[int] = mapped_column(ForeignKey("blob.id"))
    tunables: Mapped[dict[str, Any]]
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class ModelCallRow(Base):
    """One call of a language model, with what was said; announced before it is sent.

    Tokens and cost are NULL until the endpoint has told them; then what was expected counts.
    """

    __tablename__ = "model_call"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    number: Mapped[int | None]
    state: Mapped[str] = mapped_column(server_default="concluded")
    model: Mapped[str]
    operator: Mapped[str | None]
    parents: Mapped[list[str] | None]
    template: Mapped[str | None]
    seconds: Mapped[float]
    prompt_tokens: Mapped[int | None]
    completion_tokens: Mapped[int | None]
    cost: Mapped[float | None]
    expected_prompt_tokens: Mapped[int | None]
    expected_completion_tokens: Mapped[int | None]
    expected_cost: Mapped[float | None]
    error: Mapped[str | None]
    prompt_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"))
    completion_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"))
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class Evaluation(Base):
    """What was found for a candidate on a target.

    `seed_*` repeat the best figure over the seed, to rank by; `findings` packs evidence, stages,
    profile, checks and all speedups. A `recheck` looked again at a stored candidate: it is shown,
    and the search and the rankings do not rest on it. One with an `import_id` is what another
    archive says: a claim, which the search never takes for a finding and which is not
    `seed_confirmed`; `digest` names it in every archive.
    """

    __tablename__ = "evaluation"
    __table_args__ = (
        Index(None, "problem_id", "target_id", "seed_confirmed", "seed_speedup"),
        Index(None, "seed_confirmed", "seed_speedup"),
    )
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id"), index=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"))
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    outcome: Mapped[str]
    improved: Mapped[bool]
    object_hash: Mapped[str | None] = mapped_column(HexDigest, index=True)
    same_object_as: Mapped[str | None] = mapped_column(HexDigest)
    seed_confirmed: Mapped[bool] = mapped_column(default=False)
    seed_speedup: Mapped[float | None]
    seed_low: Mapped[float | None]
    seed_high: Mapped[float | None]
    findings: Mapped[bytes] = mapped_column(LargeBinary)
    build_log_id: Mapped[int | None] = mapped_column(ForeignKey("blob.id"))
    recheck: Mapped[bool] = mapped_column(default=False, server_default=text("false"))
    created: Mapped[datetime.datetime] = mapped_column(default=now)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
    digest: Mapped[str | None] = mapped_column(HexDigest)


class Tally(Base):
    """How many evaluations of a problem on a target ended so, rechecks not among them.

    A trigger of the database keeps it (migration 0007): evaluations are added and never change.
    """

    __tablename__ = "tally"
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), primary_key=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id"), primary_key=True)
    outcome: Mapped[str] = mapped_column(primary_key=True)
    count: Mapped[int] = mapped_column(Key)


class Proposal(Base):
    """A campaign's step: who proposed which candidate how, and the evaluation that settled it."""

    __tablename__ = "proposal"
    __table_args__ = (UniqueConstraint("campaign_id", "ordinal"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"))
    ordinal: Mapped[int]
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id"), index=True)
    operator: Mapped[str]
    proposer: Mapped[str]
    description: Mapped[str]
    rules: Mapped[list[str] | None]
    model_call_id: Mapped[int | None] = mapped_column(ForeignKey("model_call.id"))
    evaluation_id: Mapped[int | None] = mapped_column(ForeignKey("evaluation.id"))
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class Parent(Base):
    """An edge of the lineage: a proposal's parents, the main one at position 0."""

    __tablename__ = "parent"
    proposal_id: Mapped[int] = mapped_column(ForeignKey("proposal.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    parent_id: Mapped[int] = mapped_column(ForeignKey("candidate.id"), index=True)


class Measurement(Base):
    """One comparison on one workload; `rounds` packs every raw round (see `db.encoding`).

    It belongs to an evaluation, or to a campaign as `noise` or `baseline`.
    """

    __tablename__ = "measurement"
    __table_args__ = (CheckConstraint("(evaluation_id IS NULL) <> (campaign_id IS NULL)", "owner"),)
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    evaluation_id: Mapped[int | None] = mapped_column(ForeignKey("evaluation.id"), index=True)
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    purpose: Mapped[str | None]
    position: Mapped[int]
    workload: Mapped[str]
    other: Mapped[str]
    phase: Mapped[str]
    seconds: Mapped[float] = mapped_column(Real, nullable=True)
    other_seconds: Mapped[float] = mapped_column(Real, nullable=True)
    estimate: Mapped[float] = mapped_column(Real, nullable=True)
    low: Mapped[float] = mapped_column(Real, nullable=True)
    high: Mapped[float] = mapped_column(Real, nullable=True)
    roofline: Mapped[float | None]
    rounds: Mapped[bytes] = mapped_column(LargeBinary)


Index(
    None,
    Measurement.campaign_id,
    sqlite_where=Measurement.campaign_id.is_not(None),
    postgresql_where=Measurement.campaign_id.is_not(None),
)


class EventRow(Base):
    """A turn in a campaign that is no evaluation; `details` depend on its kind.

    What the search does by itself follows from its evaluations and stands here to be seen; what
    came from outside (a reviewer's verdict) is taken from here when a campaign is resumed.
    """

    __tablename__ = "event"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), index=True)
    kind: Mapped[str]
    model_call_id: Mapped[int | None] = mapped_column(ForeignKey("model_call.id"))
    details: Mapped[dict[str, Any]]
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class EliteRow(Base):
    """The best candidate of a cell of an island of a campaign."""

    __tablename__ = "elite"
    campaign_id: Mapped[int] = mapped_column(ForeignKey("campaign.id"), primary_key=True)
    island: Mapped[int] = mapped_column(primary_key=True)
    cell: Mapped[str] = mapped_column(primary_key=True)
    candidate_id: Mapped[int] = mapped_column(ForeignKey("candidate.id"))
    score: Mapped[float]
    created: Mapped[datetime.datetime] = mapped_column(default=now)


class LessonRow(Base):
    """What a lineage taught, for prompts to come."""

    __tablename__ = "lesson"
    id: Mapped[int] = mapped_column(Key, primary_key=True)
    problem_id: Mapped[int] = mapped_column(ForeignKey("problem.id"), index=True)
    target_id: Mapped[int] = mapped_column(ForeignKey("target.id"))
    campaign_id: Mapped[int | None] = mapped_column(ForeignKey("campaign.id"))
    candidate_id: Mapped[int | None] = mapped_column(ForeignKey("candidate.id"))
    text: Mapped[str]
    speedup: Mapped[float | None]
    confirmed: Mapped[bool]
    created: Mapped[datetime.datetime] = mapped_column(default=now)
    import_id: Mapped[int | None] = mapped_column(ForeignKey("import_run.id"))
