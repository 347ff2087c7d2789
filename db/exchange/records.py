"""The records an exported archive consists of. `docs/archive_format.md` is generated from here.

A record refers to others by what they are called everywhere (digests, keys, names), never by row
numbers. What is read may have been written by anybody: every field is bounded, unknown fields are
refused, and nothing but text and numbers comes in. Numbers that do not exist are null; `NaN` and
infinities, which JSON lacks, are those words.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from db.exchange.fields import (
    MOST_ENTRIES,
    CheckPart,
    ComparisonPart,
    Count,
    Digest,
    EvidencePart,
    Free,
    Instant,
    Integer,
    Key,
    Label,
    Name,
    Number,
    Part,
    SpeedupPart,
    StagePart,
    Text,
    UnreachedPart,
    Words,
)

FORMAT = 1


class Record(Part):
    """A record; `kind` tells which."""

    plural: ClassVar[str]


class Header(Record):
    """The first record: what this is."""

    plural = "headers"
    kind: Literal["archive"] = "archive"
    format: Integer = FORMAT
    """Version of this format."""
    made_by: Label
    """Program and version."""
    created: Instant
    scope: Words
    """In words: everything, or what was chosen."""
    rounds: bool
    """Whether evaluations come with their raw rounds."""


class ProblemRecord(Record):
    """A revision of a problem."""

    plural = "problems"
    kind: Literal["problem"] = "problem"
    name: Name
    revision: Digest
    """SHA-256 of `spec` as JSON with sorted keys."""
    spec: Free
    """Signature, workloads, numeric policy: what makes results comparable."""
    created: Instant


class TargetRecord(Record):
    """A kind of hardware and toolchain."""

    plural = "targets"
    kind: Literal["target"] = "target"
    name: Name
    facts: Free
    created: Instant


class CandidateRecord(Record):
    """A kernel's source with its tunables, once, whoever proposed it."""

    plural = "candidates"
    kind: Literal["candidate"] = "candidate"
    digest: Digest
    """SHA-256 of the JSON list [problem, backend, source, sorted pairs of tunables]."""
    problem: Name
    backend: Name
    source: Text | None
    """Where it is no valid Unicode: with replacement characters, and exactly in `exact`. Null
    where garbage collection has taken it; then `source_digest` and `source_size` are left."""
    exact: Text | None = None
    """Base64 of the source in UTF-8 that also takes lone surrogates; null where not needed."""
    source_digest: Digest | None = None
    """SHA-256 of a source that is not here."""
    source_size: Count | None = None
    """Bytes of a source that is not here."""
    tunables: dict[Label, Integer]
    created: Instant


class CampaignRecord(Record):
    """A search."""

    plural = "campaigns"
    kind: Literal["campaign"] = "campaign"
    key: Key
    problem: Name
    revision: Digest
    backend: Name
    target: Name
    config: Free
    """Without paths, addresses and other things that mean something on one machine alone."""
    target_facts: Free
    seed: Integer
    """Of the random numbers."""
    status: Literal["running", "finished", "stopped", "interrupted"]
    reason: Words
    started: Instant
    updated: Instant
    active_seconds: Number
    noise_floor: Number | None
    """What identical code differed by."""
    noise: list[ComparisonPart]
    """The A/A run."""
    best: Digest | None
    """The candidate that was compared with PyTorch at the end."""
    baselines: list[ComparisonPart]
    baseline_speedups: list[SpeedupPart]


class CallRecord(Record):
    """A call of a language model."""

    plural = "calls"
    kind: Literal["call"] = "call"
    campaign: Key
    index: Count
    """Place among the campaign's calls, from 1."""
    number: Count | None
    state: Literal["asked", "answered", "concluded"]
    model: Label
    operator: Label | None
    parents: list[Digest] | None
    template: Label | None
    seconds: Number
    prompt_tokens: Count | None
    completion_tokens: Count | None
    cost: Number | None
    """US dollars."""
    expected_prompt_tokens: Count | None
    expected_completion_tokens: Count | None
    expected_cost: Number | None
    error: Words | None
    prompt: Text | None
    completion: Text | None
    created: Instant


class EvaluationRecord(Record):
    """What an evaluator found for a candidate on a target."""

    plural = "evaluations"
    kind: Literal["evaluation"] = "evaluation"
    id: Digest
    """SHA-256 of this record as JSON with its rounds, sorted keys and no spaces, without `id`,
    `campaign`, `recheck` and `build_log`: the same finding has the same name in every archive."""
    candidate: Digest
    problem: Name
    revision: Digest
    target: Name
    campaign: Key | None
    """Where it was found; null for a check outside any campaign."""
    recheck: bool
    """It looked again at a stored candidate."""
    outcome: Name
    improved: bool
    object_hash: Digest | None
    """SHA-256 of the machine code."""
    same_object_as: Digest | None
    profile: Free
    """Instruction mix and sizes."""
    evidence: Annotated[list[EvidencePart], Field(max_length=MOST_ENTRIES)]
    checks: Annotated[list[CheckPart], Field(max_length=MOST_ENTRIES)]
    stages: Annotated[list[StagePart], Field(max_length=MOST_ENTRIES)]
    unreached: Annotated[list[UnreachedPart], Field(max_length=MOST_ENTRIES)]
    speedups: Annotated[list[SpeedupPart], Field(max_length=MOST_ENTRIES)]
    comparisons: Annotated[list[ComparisonPart], Field(max_length=MOST_ENTRIES)]
    build_log: Text
    created: Instant


class ProposalRecord(Record):
    """A step of a campaign: who proposed which candidate, how, and what settled it."""

    plural = "proposals"
    kind: Literal["proposal"] = "proposal"
    campaign: Key
    ordinal: Count
    """Place in the campaign, from 1."""
    candidate: Digest
    parents: Annotated[list[Digest], Field(max_length=64)]
    """The main parent first."""
    operator: Label
    proposer: Label
    description: Words
    rules: list[Label]
    call: Count | None
    """Index of the model call that made it."""
    evaluation: Digest | None
    created: Instant


class EliteRecord(Record):
    """The best candidate of a cell of an island of a campaign."""

    plural = "elites"
    kind: Literal["elite"] = "elite"
    campaign: Key
    island: Count
    cell: Label
    candidate: Digest
    score: Number
    created: Instant


class LessonRecord(Record):
    """What a change taught."""

    plural = "lessons"
    kind: Literal["lesson"] = "lesson"
    problem: Name
    revision: Digest
    target: Name
    campaign: Key | None
    candidate: Digest | None
    text: Words
    speedup: Number | None
    """Of the child over its parent."""
    confirmed: bool
    created: Instant


class EventRecord(Record):
    """A turn in a campaign that is no evaluation."""

    plural = "events"
    kind: Literal["event"] = "event"
    campaign: Key
    index: Count
    """Place among the campaign's events, from 1."""
    what: Literal["extinction", "review", "reviewer-off"]
    """An island was given up; a reviewer's word on an answer; the reviewer is asked no more."""
    call: Count | None
    """Index of the model call it is about."""
    details: Free
    created: Instant


class End(Record):
    """The last record: how many of each kind came before, so that a file cut short is noticed."""

    plural = "ends"
    kind: Literal["end"] = "end"
    counts: dict[Name, Count]


KINDS: tuple[type[Record], ...] = (
    ProblemRecord,
    TargetRecord,
    CandidateRecord,
    CampaignRecord,
    CallRecord,
    EvaluationRecord,
    ProposalRecord,
    EliteRecord,
    LessonRecord,
    EventRecord,
)
"""Between header and end, in this order: what a record refers to has come before."""


EVERY: tuple[type[Record], ...] = (Header, *KINDS, End)
"""All there are."""


def kind_of(model: type[Record]) -> str:
    """The word in a record's `kind`."""
    return str(model.model_fields["kind"].default)
