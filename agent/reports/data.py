"""What a report on a campaign says, as plain values; drawing it is another module's business."""

from __future__ import annotations

import datetime
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from db.archive import Archive
from db.records import CampaignState, Spending
from evaluator.evaluation import Comparison, Evaluation, Interval, Speedup
from evaluator.outcome import Outcome


@dataclass(frozen=True)
class Step:
    """A point of the curve of the best so far.

    Attributes:
        evaluation: Number of the evaluation, from 1.
        best: Best confirmed speedup over the seed until then; 1 before the first.
        this: Speedup of this candidate, None if it has none.
        outcome: How it ended.
    """

    evaluation: int
    best: float
    this: float | None
    outcome: str


@dataclass(frozen=True)
class Rival:
    """What the best was compared with."""

    name: str
    speedup: Interval
    confirmed: bool
    distinguishable: bool


@dataclass(frozen=True)
class Cell:
    """The best on one workload: against whom, and by how much."""

    workload: str
    other: str
    seconds: float
    speedup: Interval
    roofline: float | None


@dataclass(frozen=True)
class Ancestor:
    """A link of the chain from the seed to the best."""

    digest: str
    operator: str
    proposer: str
    description: str
    speedup: float | None


@dataclass(frozen=True)
class ReportData:
    """Everything a report shows.

    Attributes:
        campaign, key, problem, backend, target, status, reason: As the archive calls them.
        imported: Name of the file it came from; its figures are claims then.
        started: UTC.
        minutes: Of running.
        noise_floor: What identical code differed by.
        proposals, evaluations: How many.
        outcomes: Evaluations by outcome, most first.
        course: Best so far.
        best, source: The best candidate's digest and source; None where nothing was found.
        over_seed: Its confirmed speedup.
        rivals: Against the seed, PyTorch variants and memory traffic, at the end.
        cells: On each workload.
        chain: From the seed to the best.
        spending: On models.
        archive: Where it is.
    """

    campaign: int
    key: str
    problem: str
    backend: str
    target: str
    status: str
    reason: str
    imported: str | None
    started: datetime.datetime
    minutes: float
    noise_floor: float | None
    proposals: int
    evaluations: int
    outcomes: tuple[tuple[str, int], ...]
    course: tuple[Step, ...]
    best: str | None
    source: str
    over_seed: Speedup | None
    rivals: tuple[Rival, ...]
    cells: tuple[Cell, ...]
    chain: tuple[Ancestor, ...]
    spending: Spending
    archive: str


def gather(archive: Archive, campaign: str) -> ReportData:
    """Read everything about a campaign.

    Raises:
        ArchiveError: There is none of that number or key.
    """
    state = archive.load_campaign(campaign)
    record = state.record
    settled = [p.evaluation for p in state.proposals if p.evaluation is not None]
    best = _best(settled)
    digest = None if best is None else best.candidate
    source = next((p.candidate.source for p in state.proposals if p.candidate.digest == digest), "")
    comparisons = [] if best is None else list(best.comparisons)
    rivals: tuple[Rival, ...] = ()
    if state.baselines is not None and state.baselines.candidate == digest:
        comparisons += state.baselines.comparisons
        rivals = tuple(
            Rival(s.other, s.interval, s.confirmed, s.distinguishable)
            for s in state.baselines.speedups
        )
    return ReportData(
        campaign=record.id,
        key=record.key,
        problem=record.problem,
        backend=record.backend,
        target=record.target,
        status=str(record.status),
        reason=record.reason,
        imported=archive.import_of(record.id),
        started=record.started,
        minutes=record.active_seconds / 60,
        noise_floor=None if state.noise_floor is None else state.noise_floor.floor,
        proposals=len(state.proposals),
        evaluations=len(settled),
        outcomes=tuple(Counter(str(e.outcome) for e in settled).most_common()),
        course=course(settled),
        best=digest,
        source=source,
        over_seed=None if best is None else best.speedup_over("seed"),
        rivals=rivals,
        cells=_cells(comparisons),
        chain=_chain(state, digest),
        spending=state.spending,
        archive=archive.location,
    )


def course(evaluations: Sequence[Evaluation]) -> tuple[Step, ...]:
    """The best so far, evaluation by evaluation; only confirmed figures move it."""
    steps, best = [], 1.0
    for number, evaluation in enumerate(evaluations, start=1):
        speedup = evaluation.speedup_over("seed")
        this = None if speedup is None else speedup.interval.estimate
        if speedup is not None and speedup.confirmed and evaluation.outcome is Outcome.OK:
            best = max(best, speedup.interval.estimate)
        steps.append(Step(number, best, this, str(evaluation.outcome)))
    return tuple(steps)


def _best(evaluations: Sequence[Evaluation]) -> Evaluation | None:
    def worth(evaluation: Evaluation) -> float:
        speedup = evaluation.speedup_over("seed")
        return speedup.interval.estimate if speedup is not None and speedup.confirmed else 0.0

    right = [e for e in evaluations if e.outcome is Outcome.OK]
    return max(right, key=worth, default=None)


def _cells(comparisons: Sequence[Comparison]) -> tuple[Cell, ...]:
    """The last word on each workload and opponent: a confirmation comes after its race."""
    found = {
        (c.workload, c.other): Cell(c.workload, c.other, c.seconds, c.speedup, c.roofline)
        for c in comparisons
        if c.other != "incumbent"
    }
    return tuple(sorted(found.values(), key=lambda c: (c.workload, c.other != "seed", c.other)))


def _chain(state: CampaignState, digest: str | None) -> tuple[Ancestor, ...]:
    first = {p.candidate.digest: p for p in reversed(state.proposals)}
    links: list[Ancestor] = []
    seen: set[str] = set()
    while digest is not None and digest in first and digest not in seen:
        seen.add(digest)
        proposal = first[digest]
        speedup = None if proposal.evaluation is None else proposal.evaluation.speedup_over("seed")
        links.append(
            Ancestor(
                digest,
                proposal.operator,
                proposal.proposer,
                proposal.description,
                None if speedup is None else speedup.interval.estimate,
            )
        )
        digest = proposal.parents[0] if proposal.parents else None
    return tuple(reversed(links))
