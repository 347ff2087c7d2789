"""A kernel of an archive, the best it knows for a problem, measured afresh."""

from __future__ import annotations

import time

from agent.problem_spec import problem_spec
from agent.report import Report
from db.archive import Archive
from db.records import Baselines, CampaignStatus
from db.rows import StoredElite
from evaluator import catalogue
from evaluator.candidate import Candidate
from evaluator.cascade import Evaluator
from evaluator.contest import Report as Tell
from evaluator.errors import ConfigError, InfrastructureError
from evaluator.evaluation import Evaluation, Speedup
from evaluator.outcome import Outcome
from evaluator.problem import Problem
from evaluator.target import local_cpu
from sandbox.provider import Sandbox

MOST = 50
"""Elites that are looked through."""


def measure(
    given: str,
    archive: Archive,
    sandbox: Sandbox,
    tell: Tell,
    backend: str,
    digest: str | None = None,
) -> Report:
    """Confirm the best known kernel of a problem against its seed and against PyTorch.

    Nothing is proposed. An archive that has no kernel for this problem on this machine gives a
    report without a find.

    Args:
        given: Name or folder of the problem.
        archive: Open.
        sandbox: Where untrusted programs run.
        tell: Told which stage begins.
        backend: The kernel language.
        digest: Another kernel than the best known one.

    Raises:
        KernelmillError: No such problem, no such kernel of it, or this machine fails.
    """
    started = time.perf_counter()
    problem = catalogue.load(given)
    seed = Candidate(problem.name, backend, catalogue.seed_source(problem, backend))
    if digest is None:
        elite = _best(archive, problem, backend)
        if elite is None:
            reason = f"archive {archive.location} has no kernel for it on this machine"
            return _report(problem, archive, seed, seed, started, reason)
        kernel, reason = elite.candidate, f"the best known kernel, from campaign {elite.campaign}"
    else:
        kernel, reason = archive.candidate(digest), "measured again"
        if (kernel.problem, kernel.backend) != (problem.name, backend):
            raise ConfigError(
                f"kernel {digest[:12]} is one of {kernel.problem} in {kernel.backend}"
            )
    with Evaluator(problem, sandbox, backend=backend, on_stage=tell) as evaluator:
        evaluator.register_seed(seed)
        noise = evaluator.noise_floor(seed).relative
        found = evaluator.evaluate(kernel, None, seed, noise, always_confirm=True)
        if found.outcome is not Outcome.OK:
            return _refused(problem, archive, seed, started, found)
        measured = evaluator.baselines(kernel, noise)
    baselines = Baselines(kernel.digest, measured.comparisons, measured.speedups)
    own = next((s for s in measured.speedups if s.other == "seed"), _over_seed(found))
    return _report(
        problem, archive, seed, kernel, started, reason,
        evaluation=found, noise=noise, baselines=baselines, own=own, failures=measured.failures,
    )  # fmt: skip


def _best(archive: Archive, problem: Problem, backend: str) -> StoredElite | None:
    """Of this very problem, on this machine; confirmed figures before others."""
    if problem.name not in {row.problem for row in archive.campaigns()}:
        return None
    revision, here = archive.ensure_problem(problem.name, problem_spec(problem)), local_cpu().name
    for elite in archive.elites(problem.name, MOST):
        same = elite.problem_id == revision and elite.target == here
        if same and elite.candidate.backend == backend and elite.candidate != elite.seed:
            return elite
    return None


def _refused(
    problem: Problem, archive: Archive, seed: Candidate, started: float, found: Evaluation
) -> Report:
    said = found.evidence[0].message if found.evidence else "no reason given"
    reason = f"kernel {found.candidate[:12]} ended as {found.outcome}: {said}"
    if found.outcome is Outcome.INFRA_ERROR:
        raise InfrastructureError(reason)
    if found.outcome is Outcome.UNMEASURED:
        raise ConfigError(reason)
    return _report(problem, archive, seed, seed, started, reason)


def _over_seed(found: Evaluation) -> Speedup | None:
    return found.speedup_over("seed") or found.speedup_over("incumbent")


def _report(
    problem: Problem,
    archive: Archive,
    seed: Candidate,
    best: Candidate,
    started: float,
    reason: str,
    *,
    evaluation: Evaluation | None = None,
    noise: float | None = None,
    baselines: Baselines | None = None,
    own: Speedup | None = None,
    failures: tuple[tuple[str, str], ...] = (),
) -> Report:
    return Report(
        campaign=0,
        problem=problem.name,
        backend=best.backend,
        target=local_cpu().name,
        archive=archive.location,
        status=CampaignStatus.FINISHED,
        reason=reason,
        evaluations=0 if evaluation is None else 1,
        duplicates=0,
        outcomes={} if evaluation is None else {str(evaluation.outcome): 1},
        seconds=time.perf_counter() - started,
        noise_floor=noise,
        seed=seed.digest,
        best=best.digest,
        description="",
        speedup=own,
        comparisons=() if evaluation is None else evaluation.comparisons,
        baselines=baselines,
        failures=failures,
        unreached=() if evaluation is None else evaluation.unreached,
    )
