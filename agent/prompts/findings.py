"""What evaluations found, in words for a model; nothing in them gives a checked workload away."""

from __future__ import annotations

import math
import re

from agent.prompts import gpu_findings
from evaluator import hot_loop
from evaluator.evaluation import Comparison, Evaluation, Evidence
from evaluator.outcome import Outcome
from evaluator.problem import Problem, Role
from evaluator.roofline import Roofline

LOG_LINES = 24
REMARKS = 6
_HIDDEN = "a workload that is not shown"


def standing(evaluation: Evaluation | None) -> str:
    """How a kernel compares, in one sentence."""
    if evaluation is None:
        return "It has not been measured yet."
    if evaluation.outcome is Outcome.UNMEASURED:
        return "It is right as far as could be checked; it has not been timed, its GPU is not here."
    if evaluation.outcome is not Outcome.OK:
        return f"It ended as `{evaluation.outcome}`."
    over = evaluation.speedup_over("seed")
    if over is not None:
        how = "confirmed" if over.confirmed else "not confirmed"
        return f"It is {over.interval.estimate:.3g}x as fast as the seed ({how})."
    beside = evaluation.speedup_over("incumbent")
    if beside is not None:
        return f"It is {beside.interval.estimate:.3g}x as fast as the best kernel of its time."
    return "It is the seed that speedups are measured against."


def timings(problem: Problem, evaluation: Evaluation | None) -> list[str]:
    """Time and share of the roofline on every timed workload."""
    return [_timing(c) for c in _latest(problem, evaluation).values()]


def diagnosis(
    problem: Problem, evaluation: Evaluation | None, roofline: Roofline | None, vectors: str
) -> list[str]:
    """Where time goes, as far as figures and machine code tell; the most telling first.

    Args:
        problem: Its work per workload.
        evaluation: With figures and profile.
        roofline: Of the machine.
        vectors: Its widest vector extension, e.g. `avx512`.
    """
    if evaluation is None or evaluation.outcome not in (Outcome.OK, Outcome.UNMEASURED):
        return []
    return [
        *_distance(problem, evaluation),
        *_bounds(problem, evaluation, roofline),
        *_code(evaluation, vectors),
        *_remarks(evaluation.build_log),
    ]


def failure(problem: Problem, evaluation: Evaluation) -> list[str]:
    """Why a kernel failed, the most important reason first."""
    return [_told(problem, evidence) for evidence in evaluation.evidence[:3]]


def failure_log(problem: Problem, evaluation: Evaluation) -> str:
    """What the compiler said, shortened; "" if it was content."""
    if evaluation.outcome is not Outcome.BUILD_FAILED:
        return ""
    lines = evaluation.build_log.strip().splitlines()
    return scrubbed(problem, "\n".join(lines[:LOG_LINES]))


def scrubbed(problem: Problem, text: str) -> str:
    """The text without the names of workloads that are only checked."""
    for workload in problem.check_workloads:
        text = re.sub(rf"(?<![\w-]){re.escape(workload.name)}(?![\w-])", _HIDDEN, text)
    return text.replace(f"workload {_HIDDEN}", _HIDDEN)


def _told(problem: Problem, evidence: Evidence) -> str:
    timed = {w.name for w in problem.workloads if w.role is Role.TIME}
    if evidence.workload in timed:
        return scrubbed(problem, f"{evidence.rule}: {evidence.message}")
    if evidence.rule == "numeric-policy" and evidence.details:
        return f"{evidence.rule}: {_wrong_element(evidence)}"
    # What the kernel itself printed could be the sizes it was called with.
    message = evidence.message.partition("; it printed:")[0] if evidence.workload else (
        evidence.message)  # fmt: skip
    return scrubbed(problem, f"{evidence.rule}: {message}")


def _wrong_element(evidence: Evidence) -> str:
    """The first wrong element; what the kernel wrote is described, for it could be a size."""
    details = evidence.details
    got, expected = details.get("got"), details.get("expected")
    return (
        f"{details.get('output')}[{details.get('index')}] is {_kind(got, expected)}, expected "
        f"{expected!r}, on {_HIDDEN}; {details.get('wrong')} elements are wrong"
    )


def _kind(got: object, expected: object) -> str:
    if not isinstance(got, int | float) or not isinstance(expected, int | float):
        return "wrong"
    if math.isnan(got):
        return "NaN (perhaps never written)"
    if math.isinf(got):
        return "infinite"
    if got == 0:
        return "0"
    if not math.isfinite(expected) or expected == 0:
        return "a number"
    ratio = got / expected
    if ratio < 0:
        return "of the wrong sign"
    return "slightly off" if 0.9 < ratio < 1.1 else "too large" if ratio > 1 else "too small"


def _latest(problem: Problem, evaluation: Evaluation | None) -> dict[str, Comparison]:
    """The last comparison per timed workload: of the confirmation, if there was one."""
    found = {c.workload: c for c in (evaluation.comparisons if evaluation else ())}
    return {w.name: found[w.name] for w in problem.time_workloads if w.name in found}


def _timing(comparison: Comparison) -> str:
    share = "" if comparison.roofline is None else f", {comparison.roofline:.0%} of the roofline"
    return f"{comparison.workload}: {duration(comparison.seconds)} a call{share}"


def duration(seconds: float) -> str:
    """A time with its unit, three digits."""
    for unit, scale in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * scale >= 1.0:
            return f"{seconds * scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"


def _distance(problem: Problem, evaluation: Evaluation) -> list[str]:
    shares = {n: c.roofline for n, c in _latest(problem, evaluation).items() if c.roofline}
    if not shares:
        return []
    name = min(shares, key=lambda n: shares[n] or 0.0)
    return [f"furthest from the roofline: {name}, at {shares[name]:.0%}"]


def _bounds(problem: Problem, evaluation: Evaluation, roofline: Roofline | None) -> list[str]:
    """What bounds each workload at the roofline that its share refers to."""
    if roofline is None:
        return []
    lines, timed = [], _latest(problem, evaluation)
    for workload in problem.time_workloads:
        flops, _ = problem.work(workload)
        found = timed.get(workload.name)
        if found is None or found.roofline is None:
            continue
        least = found.roofline * found.seconds
        kind = "arithmetic" if roofline.seconds(flops, 0, 0) > 0.999 * least else "memory traffic"
        lines.append(f"{workload.name}: {kind} bounds it, at {duration(least)} a call")
    return lines


def _code(evaluation: Evaluation, vectors: str) -> list[str]:
    """What the machine code shows."""
    profile = evaluation.profile
    if not profile:
        return []
    if "registers" in profile:
        return gpu_findings.code(profile)
    widest, lines = str(profile.get("vector", "scalar")), []
    if widest == "scalar":
        lines.append(f"the machine code has no vector arithmetic; the machine has {vectors}")
    elif vectors and widest != vectors and widest in ("sse", "avx2"):
        lines.append(f"the widest vectors of the machine code are {widest}; there is {vectors}")
    if not profile.get("parallel_regions"):
        lines.append("no OpenMP region: unless it starts threads itself, one core works")
    for key, words in (("gather", "gather loads"), ("nontemporal", "non-temporal stores"),
                       ("libmvec_calls", "calls of vector math functions")):  # fmt: skip
        if count := profile.get(key):
            lines.append(f"{count} {words} in the machine code")
    if loop := hot_loop.most_frequent(str(profile.get("hot_loop", ""))):
        lines.append(f"in the inner loop with the most arithmetic: {loop}")
    return lines


def _remarks(log: str) -> list[str]:
    """What the compiler could not do, once each."""
    found = (line.strip() for line in log.splitlines() if "missed:" in line or "warning:" in line)
    return list(dict.fromkeys(found))[:REMARKS]
