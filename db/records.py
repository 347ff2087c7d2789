"""Values that go into the archive and come back when a campaign is resumed."""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from evaluator.candidate import Candidate
from evaluator.evaluation import Comparison, Evaluation, Speedup


class CampaignStatus(enum.StrEnum):
    """Where a campaign stands. All but `finished` can be resumed."""

    RUNNING = "running"
    """Under way, or its process was killed."""
    FINISHED = "finished"
    """Its budget was used up or its goal reached."""
    STOPPED = "stopped"
    """The user asked it to stop and it reported."""
    INTERRUPTED = "interrupted"
    """It ended in the middle of something, and said so."""


@dataclass(frozen=True)
class ModelCall:
    """One call of a language model.

    Attributes:
        model: Name the endpoint knows the model by.
        seconds: Wall time of the call.
        prompt_tokens, completion_tokens: As billed; None where the endpoint did not say.
        cost: In US dollars; None where the price is unknown.
        error: What went wrong, for a call that gave no usable answer.
    """

    model: str
    seconds: float
    prompt_tokens: int | None = None
    completion_tokens: int | None = None
    cost: float | None = None
    error: str | None = None


class CallState(enum.StrEnum):
    """Where a call of a model stands."""

    ASKED = "asked"
    """Announced; it may have been sent."""
    ANSWERED = "answered"
    """The answer is here and nothing has been made of it yet."""
    CONCLUDED = "concluded"
    """It became a proposal, or it is known why not."""


@dataclass(frozen=True)
class Question:
    """A call of a model as it is announced, before it is sent.

    Attributes:
        number: Place among the campaign's questions, from 1.
        model: Who is asked.
        operator: What for.
        parents: Digests, the main parent first.
        template: Name and version of the prompt's template.
        prompt: The whole text.
        prompt_tokens, completion_tokens, cost: What it is expected to come to; counts as spent
            until the endpoint has told. The cost is None where no price is known.
    """

    number: int
    model: str
    operator: str
    parents: tuple[str, ...]
    template: str
    prompt: str
    prompt_tokens: int
    completion_tokens: int
    cost: float | None


@dataclass(frozen=True)
class Call:
    """A question with what became of it.

    Attributes:
        id: Row in this archive.
        number, operator, parents: As asked; the number is 0 where none was recorded.
        state: Where it stands.
        figures: Model, time, tokens, cost, and why there is no usable answer.
        prompt, completion: The texts, for a call in the state `answered` alone.
    """

    id: int
    number: int
    operator: str
    parents: tuple[str, ...]
    state: CallState
    figures: ModelCall
    prompt: str | None = None
    completion: str | None = None


class EventKind(enum.StrEnum):
    """What kind of turn a campaign took."""

    EXTINCTION = "extinction"
    """An island was given up and seeded anew."""
    REVIEW = "review"
    """A reviewer said what it thinks of an answer, before anything was built."""
    REVIEWER_OFF = "reviewer-off"
    """It was wrong too often and is not asked any more."""


Detail = str | int | float | bool | None


@dataclass(frozen=True)
class Event:
    """A turn in a campaign that is no evaluation.

    Attributes:
        kind: What happened.
        details: Particulars by name; which ones depends on the kind.
        call: Row of the model call it is about, None if it is about none.
    """

    kind: EventKind
    details: Mapping[str, Detail]
    call: int | None = None


@dataclass(frozen=True)
class Elite:
    """The best candidate of a cell of an island; a later one takes its place.

    Attributes:
        island: Number of the island.
        cell: Name of the cell of the behaviour grid.
        candidate: Digest.
        score: What it was ranked by (speedup over the seed).
    """

    island: int
    cell: str
    candidate: str
    score: float


@dataclass(frozen=True)
class Lesson:
    """One thing a lineage taught.

    Attributes:
        text: In words a prompt can carry.
        candidate: Digest of the child that taught it, if one did.
        speedup: Of the child over its parent, if measured.
        confirmed: The figure is a confirmed one.
    """

    text: str
    candidate: str | None = None
    speedup: float | None = None
    confirmed: bool = False


@dataclass(frozen=True)
class CampaignRecord:
    """A campaign as it was started.

    Attributes:
        id: Number within this archive; what every method takes.
        key: Random hex name, the same in every copy of the campaign.
        problem_id: Row of the problem's revision: same name, other specification, other row.
        problem, backend, target: Names.
        config: The whole configuration (tuples come back as lists).
        seed: Of the random number generator.
        status, reason: Where it stands and why.
        started: UTC.
        active_seconds: Wall time spent running, over all its processes, up to the last record.
    """

    id: int
    key: str
    problem_id: int
    problem: str
    backend: str
    target: str
    config: Mapping[str, Any]
    seed: int
    status: CampaignStatus
    reason: str
    started: datetime.datetime
    active_seconds: float


@dataclass(frozen=True)
class CandidateRecord:
    """What recording a candidate found.

    Attributes:
        candidate: Digest.
        ordinal: Place of this proposal in its campaign, from 1.
        repeated: The campaign had proposed the same candidate before.
        evaluation: The campaign's evaluation of it, if it was repeated and judged already.
    """

    candidate: str
    ordinal: int
    repeated: bool
    evaluation: Evaluation | None


@dataclass(frozen=True)
class Proposal:
    """One proposal of a campaign, in order, with what became of it.

    Attributes:
        ordinal: Place in the campaign, from 1.
        candidate: The candidate itself.
        operator, proposer: How and by whom it was made.
        parents: Digests, the main parent first.
        description: The proposer's words.
        rules: Names of the rewriting rules that made it.
        evaluation: None while it is pending.
        call: Row of the model call it came from, None if no model made it.
    """

    ordinal: int
    candidate: Candidate
    operator: str
    proposer: str
    parents: tuple[str, ...]
    description: str
    rules: tuple[str, ...]
    evaluation: Evaluation | None
    call: int | None = None


@dataclass(frozen=True)
class NoiseFloor:
    """What comparing the seed with itself gave at the start of a campaign.

    Attributes:
        floor: Relative difference below which nothing is distinguishable (0.01 is 1 %).
        comparisons: The A/A comparisons, raw.
    """

    floor: float
    comparisons: tuple[Comparison, ...]


@dataclass(frozen=True)
class Baselines:
    """The best candidate against all others, measured at the end of a campaign."""

    candidate: str
    comparisons: tuple[Comparison, ...]
    speedups: tuple[Speedup, ...]


@dataclass(frozen=True)
class Spending:
    """What a campaign has paid models so far, expected cost where the endpoint did not tell;
    `unpriced` calls have no known cost."""

    calls: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float = 0.0
    unpriced: int = 0


@dataclass(frozen=True)
class CampaignState:
    """Everything a resume needs.

    Attributes:
        record: The campaign.
        random_state: As last recorded.
        proposals: In order of proposal.
        elites: The current ones.
        noise_floor, baselines: None until recorded.
        spending: Sum over its model calls.
        calls: Its model calls, in the order they were asked.
        events: What else happened, in order.
    """

    record: CampaignRecord
    random_state: str
    proposals: tuple[Proposal, ...] = ()
    elites: tuple[Elite, ...] = ()
    noise_floor: NoiseFloor | None = None
    baselines: Baselines | None = None
    spending: Spending = field(default_factory=Spending)
    calls: tuple[Call, ...] = ()
    events: tuple[Event, ...] = ()

    @property
    def pending(self) -> tuple[Proposal, ...]:
        """Proposals without an evaluation, in order."""
        return tuple(p for p in self.proposals if p.evaluation is None)
