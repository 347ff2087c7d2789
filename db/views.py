"""What the archive's pages show: frozen values, apart from how they are drawn."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from db.records import Event
from db.rows import CampaignRow, CandidateDetail, OutcomeCount, Standing
from evaluator.evaluation import Interval, Speedup


@dataclass(frozen=True)
class Finalists:
    """The last table of a campaign: its best candidate against the seed and PyTorch.

    Attributes:
        campaign: Number of the campaign.
        key: Its name anywhere.
        candidate: Digest of the best.
        speedups: Of the best over each.
        claimed: The campaign was imported.
    """

    campaign: int
    key: str
    candidate: str
    speedups: tuple[Speedup, ...]
    claimed: bool

    def over(self, other: str) -> Speedup | None:
        """The speedup over one of them."""
        return next((s for s in self.speedups if s.other == other), None)

    @property
    def toughest(self) -> Speedup | None:
        """The speedup over the fastest PyTorch variant."""
        rivals = [s for s in self.speedups if s.over_pytorch]
        return min(rivals, key=lambda s: s.interval.estimate, default=None)


@dataclass(frozen=True)
class Best:
    """The best candidate of a problem on a target; figures over the seed.

    Attributes:
        candidate: Digest.
        speedup: As its campaign's last table has it, else as the search found it.
        confirmed: From a confirmation run.
        standing: What the figure is worth here.
        roofline: Geometric mean over workloads of the fraction reached; None without calibration.
    """

    candidate: str
    speedup: Interval
    confirmed: bool
    standing: Standing
    roofline: float | None


@dataclass(frozen=True)
class Field:
    """A problem on a target: a cell of the overview.

    Attributes:
        problem, target: Names.
        problem_id, target_id: Rows of the latest revision there, and of the target.
        summary: What the problem computes, in a line.
        campaigns, proposals: How many there have been, over all revisions.
        running: Campaigns that say they are under way.
        updated: When the last of them recorded something.
        best: None where nothing was timed against the seed.
        finalists: Against PyTorch; None where no campaign came so far.
    """

    problem: str
    target: str
    problem_id: int
    target_id: int
    summary: str
    campaigns: int
    proposals: int
    running: int
    updated: datetime.datetime | None
    best: Best | None
    finalists: Finalists | None


@dataclass(frozen=True)
class CandidateRow:
    """A candidate in a list, by its latest evaluation on a target."""

    candidate: str
    problem: str
    backend: str
    target: str
    outcome: str
    standing: Standing
    speedup: Interval | None
    confirmed: bool
    improved: bool
    campaign: str | None
    ordinal: int | None
    operator: str | None
    description: str | None
    evaluated: datetime.datetime


@dataclass(frozen=True)
class CandidatePage:
    """A part of a list; `after` is what to ask for next, None at the end."""

    rows: tuple[CandidateRow, ...]
    after: str | None


@dataclass(frozen=True)
class WorkloadFigure:
    """A candidate on one workload, from its best supported comparison with the seed."""

    workload: str
    seconds: float
    speedup: Interval | None
    roofline: float | None


@dataclass(frozen=True)
class Leader:
    """One of the best, with its figures by workload."""

    row: CandidateRow
    workloads: tuple[WorkloadFigure, ...]


@dataclass(frozen=True)
class Step:
    """A candidate that was better than all before it in its campaign.

    Attributes:
        ordinal: Place in the campaign.
        seconds: Wall time since the campaign began.
        cost: Dollars spent on models until then.
        speedup: Confirmed, over the seed.
        candidate: Digest.
    """

    ordinal: int
    seconds: float
    cost: float
    speedup: Interval
    candidate: str


@dataclass(frozen=True)
class Progress:
    """How a campaign got better.

    Attributes:
        campaign, key: Number and name.
        proposals: So many until now.
        seconds: Wall time until its last record.
        cost: Dollars spent on models; 0 where none was paid.
        steps: The best so far, in order.
    """

    campaign: int
    key: str
    proposals: int
    seconds: float
    cost: float
    steps: tuple[Step, ...]


@dataclass(frozen=True)
class LessonView:
    """A lesson with where it comes from; `id` is its place in the archive. One that was imported
    is `claimed`, and no prompt carries it."""

    id: int
    text: str
    problem: str
    target: str
    campaign: str | None
    candidate: str | None
    speedup: float | None
    confirmed: bool
    claimed: bool
    created: datetime.datetime


@dataclass(frozen=True)
class ProblemView:
    """A problem on a target.

    Attributes:
        field: Its cell of the overview.
        spec: Of its latest revision: signature, workloads, policy.
        revisions: How many specifications the archive has seen under the name.
        targets: Where else the archive has figures for it.
        outcomes: Over all its evaluations there.
        leaders: The best candidates, best first.
        rivals: Seed, PyTorch variants and memory traffic by workload, from the last table;
            `speedup` is of the best over it.
        progress: Of its latest campaigns there, newest first.
        campaigns: The same campaigns.
        lessons: The latest.
    """

    field: Field
    spec: Mapping[str, Any]
    revisions: int
    targets: tuple[str, ...]
    outcomes: tuple[OutcomeCount, ...]
    leaders: tuple[Leader, ...]
    rivals: Mapping[str, tuple[WorkloadFigure, ...]]
    progress: tuple[Progress, ...]
    campaigns: tuple[CampaignRow, ...]
    lessons: tuple[LessonView, ...]


@dataclass(frozen=True)
class Relative:
    """A parent, an ancestor or a child of a candidate."""

    candidate: str
    operator: str | None
    description: str | None
    outcome: str | None
    standing: Standing
    speedup: Interval | None
    confirmed: bool


@dataclass(frozen=True)
class CandidateView:
    """A candidate with its surroundings.

    Attributes:
        detail: All that is known of itself.
        parent_source: Source of the main parent of its first proposal with one.
        ancestors: Main parents, from its own back to where the line begins.
        children: The best of them first, `detail.children` counts all.
        target_facts: Hardware and toolchain of its latest evaluation, as its campaign had them.
        keys: Names of the campaigns that proposed it, by number.
        lessons: What it taught.
    """

    detail: CandidateDetail
    parent_source: str | None
    ancestors: tuple[Relative, ...]
    children: tuple[Relative, ...]
    target_facts: Mapping[str, Any]
    keys: Mapping[int, str]
    lessons: tuple[LessonView, ...]

    @property
    def home(self) -> str | None:
        """The campaign that proposed it first."""
        return next((self.keys[p.campaign] for p in self.detail.proposals), None)


@dataclass(frozen=True)
class Turn:
    """Something that happened in a campaign beside evaluations, and when."""

    event: Event
    happened: datetime.datetime


@dataclass(frozen=True)
class CampaignView:
    """A campaign and where it stands.

    Attributes:
        row: Itself.
        config: How it was asked for.
        target_facts: Hardware and toolchain.
        updated: When it last recorded something.
        outcomes: Of its proposals.
        pending: Proposals without a verdict.
        progress: How it got better.
        operators: Proposals by operator, with how many of them improved.
        finalists: Its last table; None before its end.
        rivals: Seed, PyTorch variants and memory traffic by workload, from that table.
        latest: Its newest proposals with a verdict, newest first.
        turns: What else happened, the latest first: islands given up, a reviewer's verdicts.
        more_turns: So many further ones.
        calls: Questions to models, and tokens.
        lessons: The latest.
    """

    row: CampaignRow
    config: Mapping[str, Any]
    target_facts: Mapping[str, Any]
    updated: datetime.datetime
    outcomes: tuple[OutcomeCount, ...]
    pending: int
    progress: Progress
    operators: tuple[OperatorCount, ...]
    finalists: Finalists | None
    rivals: Mapping[str, tuple[WorkloadFigure, ...]]
    latest: CandidatePage
    turns: tuple[Turn, ...]
    more_turns: int
    calls: int
    tokens: int
    lessons: tuple[LessonView, ...]


@dataclass(frozen=True)
class OperatorCount:
    """How often an operator was used in a campaign, and how often it brought an improvement."""

    operator: str
    proposals: int
    improved: int


@dataclass(slots=True)  # not frozen: a page makes ten thousand of them, in a third of the time
class TreeNode:
    """A candidate in the lineage of a campaign.

    Attributes:
        candidate: Digest.
        parent: Digest of its main parent; None for a root, and where the parent is of elsewhere.
        ordinal: Of its first proposal.
        operator, description: Of that proposal.
        outcome: None while it is pending.
        speedup: Over the seed.
        confirmed: That figure is.
        improved: It was the best of the campaign when it came.
    """

    candidate: str
    parent: str | None
    ordinal: int
    operator: str
    description: str
    outcome: str | None
    speedup: float | None
    confirmed: bool
    improved: bool


@dataclass(frozen=True)
class TargetView:
    """A target: what is known of the hardware, and what was found on it."""

    name: str
    facts: Mapping[str, Any]
    fields: tuple[Field, ...]
