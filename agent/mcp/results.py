"""What tools answer with. The field names are a public contract; their words go to the client."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class _Result(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)


class Gain(_Result):
    """A speedup with its 95 % interval."""

    estimate: float
    low: float
    high: float
    confirmed: bool
    """From fresh processes with fresh inputs; otherwise from a race, good for orientation only."""
    distinguishable: bool
    """The interval excludes 1 by more than the noise of this machine."""


class ProblemRow(_Result):
    """A problem that can be worked on."""

    name: str
    summary: str
    timed_workloads: list[str]
    """Their names; the geometric mean of the speedups over them counts."""


class ProblemList(_Result):
    """The problems of this server."""

    problems: list[ProblemRow]
    target: str
    """The hardware and toolchain that results belong to."""


class Brief(_Result):
    """All that the author of the next kernel should know."""

    text: str
    """Task, signature, what is timed, numeric policy, machine, techniques, lessons, failures, the
    kernel to start from with its times, its diagnosis, and how to answer. Markdown."""
    operator: str
    """What is asked for: `rewrite`, `repair` of a failed kernel, or `crossover` of two."""
    parents: list[str]
    """The kernels it starts from; give them to submit_kernel."""


class Standing(_Result):
    """Where a campaign stands."""

    campaign: int
    problem: str
    target: str
    status: str
    """`running`: takes kernels. `interrupted`, `stopped`: goes on when something is submitted.
    `finished`: its budget is used, or it was finished."""
    reason: str
    evaluations: int
    """Counted against the budget: the seed, and kernels whose machine code was known, are not."""
    evaluations_left: int | None
    """None: no limit."""
    minutes_left: float | None
    """Of the time the campaign may be open; None: no limit."""
    pending: int
    """Kernels that wait to be judged."""
    seed: str | None
    best: str | None
    best_over_seed: Gain | None
    """None while the seed is the best."""
    noise: float | None
    """What the same kernel twice differs by on this machine, as a fraction."""


class Reason(_Result):
    """One thing that speaks against a kernel, or is worth a note."""

    rule: str
    message: str
    advice: str | None


class Timing(_Result):
    """A kernel on one timed workload."""

    workload: str
    seconds: float
    """Per call."""
    over_best: float | None
    """Speedup over the best kernel of its time on this workload."""
    roofline: float | None
    """Fraction of what the hardware could do."""


class Untested(_Result):
    """Lines of the source that no workload executed: nobody knows whether they are right."""

    first: int
    last: int
    source: str


class Verdict(_Result):
    """What became of a kernel."""

    candidate: str
    """Its digest: its name everywhere; the first digits do."""
    outcome: str
    """`ok`, or how it failed; `pending` if it is still to be judged."""
    summary: str
    """The verdict in a sentence."""
    improved: bool
    """It was confirmed to be faster than the best, and is the best now."""
    over_best: Gain | None
    """Over the best kernel of its time; the best of a campaign changes only by a confirmed gain."""
    over_seed: Gain | None
    reasons: list[Reason]
    """Why it failed, the most important first. Workloads that are only checked are not named."""
    compiler: str
    """What the compiler said, where it refused the kernel."""
    same_as: str | None
    """An earlier kernel with identical machine code: this one was not run, its verdict holds."""
    times: list[Timing]
    diagnosis: list[str]
    """Where the time goes, the most telling first."""
    untested: list[Untested]
    seconds: float
    """What judging took."""


class Submitted(_Result):
    """A kernel that was handed in."""

    verdict: Verdict
    ordinal: int
    """Its place in the campaign; the seed is 1."""
    operator: str
    parents: list[str]
    known: bool
    """The campaign had this very kernel already; nothing was recorded again."""
    standing: Standing


class Step(_Result):
    """One kernel of a campaign."""

    ordinal: int
    candidate: str
    operator: str
    proposer: str
    parents: list[str]
    plan: str
    outcome: str
    improved: bool
    over_best: Gain | None
    over_seed: Gain | None


class Rival(_Result):
    """The best kernel against another implementation, measured at the end of a campaign."""

    name: str
    """`seed`, a PyTorch variant, or `memory traffic`: moving the data and nothing else."""
    gain: Gain


class Results(_Result):
    """A campaign with its kernels in the order they were proposed."""

    standing: Standing
    steps: list[Step]
    steps_left_out: int
    """Earlier ones that were not asked for."""
    rivals: list[Rival]
    """Empty before finish_campaign, or if nothing better than the seed was found."""


class CampaignRow(_Result):
    """A campaign in a list."""

    campaign: int
    problem: str
    target: str
    status: str
    reason: str
    proposals: int
    evaluated: int
    best: str | None
    over_seed: Gain | None


class CampaignList(_Result):
    """Campaigns of the archive, the newest first."""

    campaigns: list[CampaignRow]


class Ranked(_Result):
    """A kernel in a ranking by speedup over the seed."""

    rank: int
    candidate: str
    over_seed: Gain
    campaign: int | None
    plan: str | None


class Ranking(_Result):
    """The best kernels of a problem on this hardware, confirmed figures before others."""

    problem: str
    target: str
    kernels: list[Ranked]


class Origin(_Result):
    """One time a kernel was proposed."""

    campaign: int
    ordinal: int
    operator: str
    proposer: str
    parents: list[str]
    plan: str


class Shown(_Result):
    """A kernel with all that is known of it."""

    candidate: str
    problem: str
    source: str
    tunables: dict[str, int]
    origins: list[Origin]
    verdict: Verdict


class Relative(_Result):
    """An ancestor or a descendant of a kernel."""

    generation: int
    """-1: parents, 0: itself, 1: children."""
    candidate: str
    parents: list[str]
    operator: str | None
    plan: str | None
    outcome: str | None
    over_seed: Gain | None


class Lineage(_Result):
    """A kernel's ancestors, itself and its descendants, by generation."""

    relatives: list[Relative]
