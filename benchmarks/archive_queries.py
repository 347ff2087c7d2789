"""How fast the archive takes candidates in, how fast it answers, and how large it grows.

    python -m benchmarks.archive_queries [--candidates 20000] [--archive PATH]

The first 20,000 candidates are recorded one by one, the others are copies of them
(`benchmarks.large_archive`); then some more are recorded, and those are timed.
A made-up history with the mix that campaigns show: 4 of 10 candidates fail before timing, the
others bring eight comparisons, of which most are cut short by racing (5 million comparisons in a
million candidates). Timings are doubles with noise in every bit: the worst case for compression.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import quiet
from benchmarks.large_archive import multiply
from db.archive import Archive
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
)
from evaluator.outcome import Outcome

TARGET = "cpu-x86_64-benchmark"
PROBLEMS = ("softmax", "layernorm", "gemm", "cumsum")
CAMPAIGN_SIZE = 500
RECORDED, TIMED = 20_000, 2_000
"""Candidates recorded one by one, and those of them that are timed at the end."""
FAILURES = (Outcome.BUILD_FAILED, Outcome.INCORRECT, Outcome.CRASHED, Outcome.TIMED_OUT)
_SOURCE = """// tunable: TILE = 64 in [16, 32, 64, 128]
// flags: -O3 -mprefer-vector-width=512
#include <cmath>
#include <cstdint>
extern "C" void kernel(const float* x, float* y, int64_t rows, int64_t cols) {{
#pragma omp parallel for schedule(static)
    for (int64_t r = 0; r < rows; ++r) {{
        const float* in = x + r * cols;
        float* out = y + r * cols;
        float largest = -INFINITY;
#pragma omp simd reduction(max : largest)
        for (int64_t c = 0; c < cols; ++c) largest = std::fmax(largest, in[c]);
        float total = {constant}f;
{body}        for (int64_t c = 0; c < cols; ++c) out[c] /= total;
    }}
}}
"""


def main() -> None:
    """Fill an archive, ask it, store the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--candidates", type=int, default=20_000)
    parser.add_argument("--archive", type=Path, help="keep the archive here (default: discard)")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        path = arguments.archive or Path(folder) / "archive.db"
        result = measure(path, arguments.candidates)
    flat = [(key, value) for key, value in result.items() if not isinstance(value, dict)]
    flat += [(f"{key}: {name}", figure) for key, value in result.items()
             if isinstance(value, dict) for name, figure in value.items()]  # fmt: skip
    quiet.write("archive_queries", result, [("figure", "value"), *flat])


def measure(path: Path, count: int) -> dict[str, object]:
    """Fill the archive at `path` with `count` candidates and time what is asked of it."""
    noise = random.Random(1)
    grow(path, count - min(TIMED, count // 2), noise)
    with Archive.open(path) as archive:
        proposing, judging = fill(archive, min(TIMED, count // 2), noise)
    size = path.stat().st_size
    started = time.perf_counter()
    archive = Archive.open(path, create=False)
    opened = time.perf_counter() - started
    with archive:
        queries = ask(archive)
    return {
        "machine": platform.machine(),
        "candidates": count,
        "bytes": size,
        "bytes_per_candidate": round(size / count),
        "record_candidate_ms": summary(proposing),
        "record_evaluation_ms": summary(judging),
        "open_ms": round(opened * 1e3, 3),
        "queries_ms": queries,
    }


def grow(path: Path, count: int, noise: random.Random) -> None:
    """Make an archive of about `count` candidates, most of them copies where there are many."""
    recorded = min(count, RECORDED)
    with Archive.open(path) as archive:
        fill(archive, recorded, noise)
    multiply(path, round(count / recorded) - 1)


def fill(
    archive: Archive, count: int, noise: random.Random, campaign_size: int = CAMPAIGN_SIZE
) -> tuple[list[float], list[float]]:
    """Record candidates; returns seconds per proposal and per evaluation."""
    archive.ensure_target(TARGET, {"cores": 2})
    proposing: list[float] = []
    judging: list[float] = []
    campaign, family = 0, [""]
    for number in range(count):
        problem = PROBLEMS[number // campaign_size % len(PROBLEMS)]
        if number % campaign_size == 0:
            archive.ensure_problem(problem, {"name": problem})
            state = json.dumps(noise.getstate())
            campaign = archive.start_campaign(problem, "cpp", TARGET, {}, number, state).id
            family = []
        candidate = made_up_candidate(problem, number, noise)
        parents = [noise.choice(family)] if family else []
        started = time.perf_counter()
        archive.record_candidate(
            campaign,
            candidate,
            operator="transform" if parents else "seed",
            proposer="transform",
            parents=parents,
            description="unroll the inner loop by 4, split the accumulator",
            rules=("unroll", "split-accumulator"),
            random_state=state,
        )
        proposed = time.perf_counter()
        evaluation = made_up_evaluation(candidate, noise)
        ready = time.perf_counter()
        archive.record_evaluation(campaign, evaluation, random_state=state)
        judging.append(time.perf_counter() - ready)
        proposing.append(proposed - started)
        family.append(candidate.digest)
    return proposing, judging


def made_up_candidate(problem: str, number: int, noise: random.Random) -> Candidate:
    """A softmax-like source of 20 to 40 lines, different for each number."""
    lines = [
        f"        total += std::exp(in[{noise.randrange(64)}] - largest) * {noise.random():.4f}f;\n"
        for _ in range(noise.randrange(4, 20))
    ]
    source = _SOURCE.format(constant=number, body="".join(lines))
    return Candidate(problem, "cpp", source, {"TILE": noise.choice([16, 32, 64, 128])})


def made_up_evaluation(candidate: Candidate, noise: random.Random) -> Evaluation:
    """An evaluation as the cascade makes them."""
    stages = tuple(Stage(n, noise.random()) for n in ("screen", "build", "verify"))
    code = hashlib.sha256(candidate.source.encode()).hexdigest()
    if noise.random() < 0.4:
        evidence = Evidence(
            "numeric-policy",
            f"y[{noise.randrange(9999)}] is {noise.random()}, expected {noise.random()}",
            "1024x4096",
            {"index": noise.randrange(9999), "limit": noise.random(), "got": noise.random()},
        )
        outcome = noise.choice(FAILURES)
        built = outcome is not Outcome.BUILD_FAILED
        return Evaluation(
            candidate.digest,
            TARGET,
            outcome,
            (evidence,),
            stages,
            "" if built else f"kernel.cpp:{noise.randrange(40)}:9: error: expected ';' before",
            code if built else None,
        )
    speedup = noise.lognormvariate(1, 0.7)
    interval = Interval(speedup, speedup * 0.98, speedup * 1.02)
    confirmed = noise.random() < 0.1
    workloads = ("1024x4096", "64x131072", "8192x128", "1x1000003")
    return Evaluation(
        candidate.digest,
        TARGET,
        Outcome.OK,
        stages=(*stages, Stage("race", noise.random())),
        object_hash=code,
        profile={"size": noise.randrange(4096), "avx512": noise.randrange(99), "sse": 3},
        checks=tuple(Check(w, True, noise.random()) for w in (*workloads, "1x1", "7x13", "1x31")),
        comparisons=tuple(
            made_up_comparison(workload, other, 60 if confirmed else 8, noise)
            for workload in workloads
            for other in ("seed", "incumbent")
        ),
        speedups=(
            Speedup("seed", interval, confirmed, True),
            Speedup("incumbent", Interval(1.0, 0.9, 1.1), confirmed, False),
        ),
    )


def made_up_comparison(workload: str, other: str, rounds: int, noise: random.Random) -> Comparison:
    """A comparison of noisy timings."""
    mine, theirs = noise.lognormvariate(-7, 1), noise.lognormvariate(-7, 1)
    return Comparison(
        workload,
        other,
        mine,
        theirs,
        Interval(theirs / mine, theirs / mine * 0.98, theirs / mine * 1.02),
        tuple(
            Round(
                mine * noise.lognormvariate(0, 0.04),
                theirs * noise.lognormvariate(0, 0.04),
                noise.randrange(3) / 30,
                noise.random() > 0.05,
            )
            for _ in range(rounds)
        ),
        "race",
        noise.random(),
    )


def ask(archive: Archive) -> dict[str, float]:
    """Milliseconds (median of 5) of each query."""
    best = archive.top(limit=1)[0]
    campaign = archive.campaigns(limit=1)[0].id
    return {
        "campaigns": timed(archive.campaigns),
        "top": timed(archive.top),
        "top of a problem and target": timed(lambda: archive.top("gemm", TARGET, 20)),
        "outcomes": timed(archive.outcomes),
        "outcomes of a campaign": timed(lambda: archive.outcomes(campaign)),
        "show": timed(lambda: archive.show(best.candidate[:12])),
        "lineage": timed(lambda: archive.lineage(best.candidate[:12])),
        "evaluation_of": timed(lambda: archive.evaluation_of(best.candidate, TARGET)),
        "evaluation_by_object": timed(
            lambda: archive.evaluation_by_object("ab" * 32, "gemm", TARGET)
        ),
        f"load_campaign of {CAMPAIGN_SIZE}": timed(lambda: archive.load_campaign(campaign)),
    }


def timed(query: Callable[[], object]) -> float:
    """Median milliseconds of five calls."""
    taken = []
    for _ in range(5):
        started = time.perf_counter()
        query()
        taken.append(time.perf_counter() - started)
    return round(statistics.median(taken) * 1e3, 3)


def summary(seconds: list[float]) -> dict[str, float]:
    """Median and tail in milliseconds; `last` is over the last tenth, when the archive is full."""
    last = seconds[-max(1, len(seconds) // 10) :]
    return {
        "median": round(statistics.median(seconds) * 1e3, 3),
        "p99": round(sorted(seconds)[int(len(seconds) * 0.99)] * 1e3, 3),
        "last": round(statistics.median(last) * 1e3, 3),
    }


if __name__ == "__main__":
    main()
