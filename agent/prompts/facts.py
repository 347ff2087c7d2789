"""What never changes during a campaign: the problem and the machine, in words."""

from __future__ import annotations

from collections.abc import Mapping

from evaluator.problem import Problem, Workload
from evaluator.roofline import Roofline
from evaluator.target import Target

PRECISION = {
    "exact": "every output must equal the reference bit for bit",
    "strict": "arithmetic must be as good as the tensors' own type: float32 stays float32",
    "mixed": "inputs may be rounded to bf16 or tf32 before products; sums stay float32",
}
"""What each class of freedom allows."""
TAGS = {"cpp": "cpp", "cuda": "cuda", "triton": "python"}
"""Language tag of a fenced block, by backend."""
LANGUAGES = {
    "cpp": "C++17 for CPUs, with OpenMP threads, vector intrinsics, and caches",
    "cuda": "CUDA C++, where a host function launches grids of thread blocks with shared memory",
    "triton": "Triton, where a Python function launches programs that each work on blocks of a "
    "tensor under masks",
}
"""What a backend is, in a few words."""


def policy(problem: Problem) -> str:
    """The numeric policy in a sentence or two."""
    kind = str(problem.policy.precision)
    if kind == "exact":
        return f"Precision {kind}: {PRECISION[kind]}."
    plain = "that of a plain evaluation in the tensors' type"
    if not problem.policy.plain:
        plain = "what rounding in the tensors' type explains"
    return (
        f"Precision {kind}: {PRECISION[kind]}. An error may be {problem.policy.factor:g} times "
        f"{plain}. NaN and infinities must agree."
    )


def timed_workloads(problem: Problem) -> list[Mapping[str, str]]:
    """The timed workloads; those that are only checked are nobody's business."""
    return [_workload(problem, workload) for workload in problem.time_workloads]


def machine(target: Target, roofline: Roofline | None) -> list[str]:
    """The hardware sheet: what it is, and what it was measured to reach."""
    facts = target.facts
    if "architecture" in facts:
        return _gpu(facts)
    lines = [
        f"{facts.get('cpu', 'unknown processor')}, {facts.get('cores', '?')} cores usable",
        f"vector extensions: {_words(facts.get('isa'))}",
        f"caches: {_sizes(facts.get('caches'))}",
        f"compiler: {facts.get('compiler', 'unknown')}",
    ]
    if roofline is not None:
        rates = (
            f"{_size(size)} {rate / 1e9:.0f} GB/s"
            for size, rate in sorted(roofline.bandwidth.items())
        )
        lines.append(f"measured bandwidth of all cores, by footprint: {', '.join(rates)}")
        peaks = (f"{dtype} {rate / 1e9:.0f} GFLOP/s" for dtype, rate in roofline.flops.items())
        lines.append(f"measured peak of all cores: {', '.join(peaks)}")
    return lines


def _gpu(facts: Mapping[str, object]) -> list[str]:
    """A GPU: the very device, or the architecture that is compiled for."""
    what = facts.get("device") or f"any of {facts.get('devices', 'this architecture')}"
    lines = [f"GPU of architecture {facts['architecture']}: {what}"]
    if isinstance(l2 := facts.get("l2_bytes"), int) and l2:
        lines.append(f"{facts.get('multiprocessors')} multiprocessors, L2 {_size(l2)}")
    if not facts.get("device"):
        lines.append("it is not here: kernels are compiled and checked now, and timed later")
    return lines


def _workload(problem: Problem, workload: Workload) -> Mapping[str, str]:
    flops, traffic = problem.work(workload)
    sizes = {**workload.dims, **workload.scalars}
    return {
        "name": workload.name,
        "sizes": " ".join(f"{k}={v}" for k, v in sizes.items()),
        "distribution": workload.distribution,
        "flops": f"{flops:,}",
        "bytes": f"{traffic:,}",
    }


def _words(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value or "unknown")


def _sizes(value: object) -> str:
    if not isinstance(value, Mapping):
        return "unknown"
    return ", ".join(f"{level} {_size(int(size))}" for level, size in value.items())


def _size(nbytes: int) -> str:
    return f"{nbytes >> 20} MiB" if nbytes >= 1 << 20 else f"{nbytes >> 10} KiB"
