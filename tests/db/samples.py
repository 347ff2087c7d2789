"""Made-up but well-formed candidates and evaluations."""

from __future__ import annotations

import dataclasses
import hashlib
import random

from db.archive import Archive
from db.records import (
    CampaignRecord,
    Elite,
    Event,
    EventKind,
    Lesson,
    ModelCall,
    Question,
)
from evaluator.candidate import Candidate
from evaluator.evaluation import (
    Check,
    Comparison,
    Evaluation,
    Evidence,
    Interval,
    Round,
    Speedup,
    Stage,
    Unreached,
)
from evaluator.outcome import Outcome

TARGET = "cpu-x86_64-test"


def kernel(number: int, lines: int = 3) -> Candidate:
    """A candidate that differs from those of other numbers."""
    body = "".join(f"    y[{i}] = x[{i}] * {number}.0f;\n" for i in range(lines))
    source = f'// flags: -O3\nextern "C" void kernel(const float* x, float* y) {{\n{body}}}\n'
    return Candidate("softmax", "cpp", source, {"TILE": 16 * (number + 1)})


def comparison(
    other: str = "seed", rounds: int = 20, seed: int = 0, speedup: float = 2.0
) -> Comparison:
    """A comparison whose rounds look like a noisy machine's."""
    noise = random.Random(seed)
    seconds = 1e-3 * noise.uniform(0.5, 2.0)
    return Comparison(
        workload="1024x4096",
        other=other,
        seconds=seconds,
        other_seconds=seconds * speedup,
        speedup=Interval(speedup, speedup * 0.97, speedup * 1.02),
        rounds=tuple(
            Round(
                seconds * noise.lognormvariate(0, 0.04),
                seconds * speedup * noise.lognormvariate(0, 0.04),
                noise.randrange(4) / 40,
                noise.random() > 0.1,
            )
            for _ in range(rounds)
        ),
        phase="confirm",
        roofline=0.25,
    )


def judged(
    candidate: Candidate, speedup: float = 2.0, *, confirmed: bool = True, target: str = TARGET
) -> Evaluation:
    """An evaluation that ended well."""
    interval = Interval(speedup, speedup * 0.97, speedup * 1.02)
    return Evaluation(
        candidate=candidate.digest,
        target=target,
        outcome=Outcome.OK,
        stages=(Stage("build", 0.21), Stage("verify", 0.05), Stage("race", 0.11)),
        build_log="kernel.cpp:3: note: loop vectorized\n",
        object_hash=hashlib.sha256(candidate.source.encode()).hexdigest(),
        profile={"size": 812, "avx512": 14, "isa": "avx512"},
        checks=(Check("1x1", True, 0.0), Check("1024x4096", True, 0.31)),
        comparisons=(comparison(speedup=speedup), comparison("incumbent", seed=1)),
        speedups=(Speedup("seed", interval, confirmed, True),),
        improved=confirmed,
        unreached=(Unreached(3, 4, "return;"),) if speedup > 2.0 else (),
    )


def refused(candidate: Candidate, outcome: Outcome = Outcome.BUILD_FAILED) -> Evaluation:
    """An evaluation that ended early."""
    return Evaluation(
        candidate=candidate.digest,
        target=TARGET,
        outcome=outcome,
        evidence=(Evidence("build", "kernel.cpp:1: error", None, {"line": 1, "column": None}),),
        stages=(Stage("build", 0.1),),
    )


def campaign(archive: Archive, target: str = TARGET) -> CampaignRecord:
    """A campaign on made-up softmax."""
    problem = archive.ensure_problem("softmax", {"inputs": ["x"], "outputs": ["y"]})
    archive.ensure_target(target, {"cores": 2})
    return archive.start_campaign(problem, "cpp", target, {"evaluations": 60}, 7, "state 0")


def propose(
    archive: Archive, campaign_id: int, candidate: Candidate, parents: tuple[str, ...] = ()
) -> None:
    """Record a proposal of the embedded proposer."""
    archive.record_candidate(
        campaign_id,
        candidate,
        operator="transform" if parents else "seed",
        proposer="transform",
        parents=parents,
        description=f"made from {len(parents)} parents",
        random_state=f"after {candidate.digest[:6]}",
        rules=("vectorise", "unroll") if parents else (),
    )


def full_campaign(archive: Archive, first: int = 0, target: str = TARGET) -> CampaignRecord:
    """A finished campaign with everything that a campaign can have."""
    record = campaign(archive, target)
    call = None
    for number in range(first, first + 3):
        parents = (kernel(first).digest,) if number > first else ()
        if number == first + 2:
            question = Question(
                1, "m", "rewrite", parents, "cpp/rewrite@1", "make it fast", 1000, 200, 0.5
            )
            call = archive.announce_call(record.id, question, "state")
            figures = ModelCall("m", 1.5, 100, 20, 0.25)
            archive.record_answer(record.id, call, figures, "```cpp ...")
        archive.record_candidate(
            record.id,
            kernel(number),
            operator="rewrite" if call else "seed",
            proposer="openai" if call else "transform",
            parents=parents,
            description=f"kernel {number}",
            random_state="state",
            rules=("unroll",) if parents else (),
            call=call,
        )
    archive.record_evaluation(record.id, judged(kernel(first), 1.0, target=target))
    archive.record_evaluation(
        record.id,
        judged(kernel(first + 1), 2.5, target=target),
        elite=Elite(0, "avx512", kernel(first + 1).digest, 2.5),
        lesson=Lesson("unrolling helps", kernel(first + 1).digest, 2.5, True),
    )
    broken = dataclasses.replace(refused(kernel(first + 2)), target=target)
    gone = Event(EventKind.EXTINCTION, {"island": 1, "best": 1.25, "stale": True})
    off = Event(EventKind.REVIEWER_OFF, {"reason": "wrong too often"}, call)
    archive.record_evaluation(record.id, broken, happened=(gone, off))
    archive.record_noise_floor(record.id, 0.01, [comparison("self")])
    speedups = (Speedup("eager", Interval(1.5, 1.4, 1.6), True, True),)
    best = kernel(first + 1).digest
    archive.record_baselines(record.id, best, [comparison("eager")], speedups)
    archive.record_recheck(judged(kernel(first + 1), 2.4, target=target), record.problem_id)
    archive.finish_campaign(record.id, "finished", "patience")
    return archive.load_campaign(record.id).record
