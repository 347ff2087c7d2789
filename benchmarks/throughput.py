"""Candidates a minute through the whole cascade, and where the time goes.

    python -m benchmarks.throughput [--problem softmax] [--workload 1024x4096] [--candidates 60]

Real children of the seed, made by the embedded proposer with a fixed random seed, built in batches
and evaluated one by one against the best so far, with an empty build cache. `--workload` keeps one
timed workload (the check workloads all stay).
"""

from __future__ import annotations

import argparse
import random
import tempfile
import time
from collections import Counter, defaultdict
from dataclasses import replace
from pathlib import Path

from benchmarks import quiet

quiet.prepare()

from agent.transform.engine import propose  # noqa: E402 - torch's threads must be told first
from agent.transform.openings import openings  # noqa: E402
from evaluator import catalogue  # noqa: E402
from evaluator.candidate import Candidate  # noqa: E402
from evaluator.cascade import Evaluator  # noqa: E402
from evaluator.evaluation import Evaluation  # noqa: E402
from evaluator.lane import Lane  # noqa: E402
from evaluator.problem import Problem, Role  # noqa: E402
from sandbox.client import Window  # noqa: E402
from sandbox.select import choose  # noqa: E402

BATCH = 8


class WindowCounter:
    """Adds up the windows of all lanes: seconds in kernels and number of windows."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.windows = 0

    def install(self) -> None:
        """Listen to every lane from now on."""
        plain = Lane.window

        def counted(lane: Lane, *args: object, **options: object) -> Window:
            window = plain(lane, *args, **options)  # type: ignore[arg-type]
            self.seconds += window.seconds
            self.windows += 1
            return window

        Lane.window = counted  # type: ignore[method-assign,assignment]


def main() -> None:
    """Run and store the result."""
    options = _arguments()
    problem = _problem(options.problem, options.workload)
    counter = WindowCounter()
    counter.install()
    with tempfile.TemporaryDirectory() as cache:
        result = _run(problem, Path(cache), options.candidates, counter)
    rows: list[list[object]] = [["figure", "value"]]
    rows += [[key, value] for key, value in result.items() if not isinstance(value, dict)]
    stages = result["stage_ms_per_candidate"]
    assert isinstance(stages, dict)
    rows += [[f"stage {name}, ms per candidate", value] for name, value in stages.items()]
    name = "throughput" + ("" if options.workload else "_all_workloads")
    quiet.write(name, {"problem": options.problem, "workload": options.workload, **result}, rows)


def _run(problem: Problem, cache: Path, count: int, counter: WindowCounter) -> dict[str, object]:
    rng = random.Random(1)
    seed = Candidate(problem.name, "cpp", catalogue.seed_source(problem, "cpp"))
    with Evaluator(problem, choose(), cache=cache) as evaluator:
        evaluator.register_seed(seed)
        evaluator.evaluate(seed)
        floor = evaluator.noise_floor(seed).relative
        best, evaluations = seed, list[Evaluation]()
        pending = [Candidate(problem.name, "cpp", p.source, p.tunables)
                   for p in openings(seed.source)]  # fmt: skip
        counter.seconds, counter.windows = 0.0, 0
        started = time.perf_counter()
        building = 0.0
        while len(evaluations) < count:
            while len(pending) < BATCH:
                if made := propose(best.source, best.tunables, rng):
                    pending.append(Candidate(problem.name, "cpp", made.source, made.tunables))
            batch, pending = pending[:BATCH], pending[BATCH:]
            before = time.perf_counter()
            builds = evaluator.build_all(batch)
            building += time.perf_counter() - before
            for candidate, build in zip(batch, builds, strict=True):
                evaluation = evaluator.evaluate(candidate, build, best, floor)
                evaluations.append(evaluation)
                best = candidate if evaluation.improved else best
        elapsed = time.perf_counter() - started
        return _summary(evaluations, elapsed, building, counter)


def _summary(
    evaluations: list[Evaluation], elapsed: float, building: float, counter: WindowCounter
) -> dict[str, object]:
    count = len(evaluations)
    stages: defaultdict[str, float] = defaultdict(float)
    for evaluation in evaluations:
        for stage in evaluation.stages:
            stages[stage.name] += stage.seconds
    stages["build"] = building  # wall time of the parallel batches
    accounted = sum(stages.values())
    per = 1e3 / count
    return {
        "candidates": count,
        "candidates_per_minute": round(60 * count / elapsed, 1),
        "outcomes": dict(Counter(str(e.outcome) for e in evaluations)),
        "identical_object_code": sum(e.same_object_as is not None for e in evaluations),
        "confirmations": sum(any(s.name == "confirm" for s in e.stages) for e in evaluations),
        "stage_ms_per_candidate": {k: round(v * per, 1) for k, v in stages.items()},
        "kernel_windows_ms_per_candidate": round(counter.seconds * per, 1),
        "windows_per_candidate": round(counter.windows / count, 1),
        "outside_all_stages_ms_per_candidate": round((elapsed - accounted) * per, 1),
        "own_overhead_ms_per_candidate": round(
            (elapsed - accounted + stages["start"] + stages["screen"] + stages["wait"]) * per, 1
        ),
    }


def _problem(name: str, workload: str | None) -> Problem:
    problem = catalogue.load(name)
    if workload is None:
        return problem
    kept = [w for w in problem.workloads if w.role is Role.CHECK or w.name == workload]
    return replace(problem, workloads=tuple(kept))


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--problem", default="softmax")
    parser.add_argument("--workload", default="1024x4096")
    parser.add_argument("--all-workloads", dest="workload", action="store_const", const=None)
    parser.add_argument("--candidates", type=int, default=60)
    return parser.parse_args()


if __name__ == "__main__":
    main()
