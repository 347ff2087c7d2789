"""A candidate: what it is, where it comes from, what speaks for and against it."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent.browse import addresses
from agent.browse.code import SourceChange, listing, source_change
from agent.browse.figures.strip import StripFigure, strip_figures
from agent.browse.page import Page
from db.gallery import Gallery
from db.rows import EvaluationDetail, Standing
from db.views import CandidateView
from evaluator.errors import SourceError
from evaluator.evaluation import Evaluation, Interval, Speedup
from evaluator.outcome import Outcome
from evaluator.tunables import with_values

_LONGEST_TEXT = 100_000


@dataclass(frozen=True)
class CandidatePageView:
    """A candidate with what it takes to see its figures again.

    Attributes:
        commands: Lines for a shell.
        candidate: All that is known.
    """

    commands: tuple[str, ...]
    candidate: CandidateView


@dataclass(frozen=True)
class Judged:
    """An evaluation with its raw rounds as a strip, and its machine code in pieces."""

    detail: EvaluationDetail
    strips: tuple[StripFigure, ...]
    mix: tuple[tuple[str, float], ...]
    hot_loop: str
    facts: Mapping[str, object]


@dataclass(frozen=True)
class OverSeed:
    """A figure over the seed, and what it is worth here."""

    speedup: Speedup
    standing: Standing


@dataclass(frozen=True)
class Change:
    """From the parent to the candidate, with what it brought.

    Attributes:
        source: None where the parent's source is not known.
        gain: Over its parent where that was told; else over the best of its time.
        over: What the gain is over, in words.
        claimed: It was imported.
    """

    source: SourceChange | None
    gain: float | None
    interval: Interval | None
    over: str
    confirmed: bool
    claimed: bool = False


def candidate_page(gallery: Gallery, digest: str, archive_option: str) -> Page:
    """All about a candidate.

    Args:
        gallery: The archive.
        digest: The first digits of its digest.
        archive_option: What names this archive on a command line, "" for the default one.
    """
    view = gallery.candidate_view(digest)
    detail = view.detail
    candidate = detail.candidate
    lines = candidate.source.count("\n") + 1
    unreached = {n for e in detail.evaluations for u in e.evaluation.unreached
                 for n in range(max(1, u.first), min(u.last, lines) + 1)}  # fmt: skip
    return Page(
        "candidate.html",
        f"{candidate.problem} {detail.digest[:10]}",
        addresses.candidate(detail.digest),
        CandidatePageView(commands(view, archive_option), view),
        {
            "listing": listing(candidate.source, candidate.backend),
            "unreached": frozenset(unreached),
            "change": _change(view),
            "judged": tuple(_judged(e) for e in reversed(detail.evaluations)),
            "best": _best(detail.evaluations),
            "unmeasured": _unmeasured(detail.evaluations),
            "parent": next((p.parents[0] for p in detail.proposals if p.parents), None),
            "longest": _LONGEST_TEXT,
        },
    )


def commands(view: CandidateView, archive_option: str) -> tuple[str, ...]:
    """What rebuilds, verifies and times the candidate again, and what prints its source."""
    detail = view.detail
    file = addresses.source_name(detail.candidate.backend)
    option = f" {archive_option}" if archive_option else ""
    return (
        f"kernelmill reproduce {detail.digest[:16]}{option}",
        f"kernelmill archive show {detail.digest[:16]} --source{option} > {file}",
    )


def download(gallery: Gallery, digest: str) -> tuple[str, bytes]:
    """Name and content of a candidate's source, tunables set as they were measured."""
    candidate = gallery.candidate(digest)
    source = candidate.source
    with contextlib.suppress(SourceError):  # of a failed candidate: as it was proposed
        source = with_values(source, candidate.tunables)
    return addresses.source_name(candidate.backend), source.encode("utf-8", "surrogatepass")


def _change(view: CandidateView) -> Change | None:
    detail = view.detail
    if not any(p.parents for p in detail.proposals):
        return None
    source = None
    if view.parent_source is not None:
        backend = detail.candidate.backend
        source = source_change(view.parent_source, detail.candidate.source, backend)
    taught = next((n for n in view.lessons if n.speedup is not None), None)
    if taught is not None:
        return Change(source, taught.speedup, None, "its parent", taught.confirmed, taught.claimed)
    for entry in reversed(detail.evaluations):
        beside = entry.evaluation.speedup_over("incumbent")
        if beside is not None:
            what = "the best kernel of that time"
            return Change(
                source,
                beside.interval.estimate,
                beside.interval,
                what,
                beside.confirmed,
                entry.standing is not Standing.FOUND,
            )
    return Change(source, None, None, "", False)


def _unmeasured(evaluations: Sequence[EvaluationDetail]) -> bool:
    """Nobody has run it yet: it was made for hardware that was not there."""
    outcomes = {e.evaluation.outcome for e in evaluations}
    return outcomes == {Outcome.UNMEASURED}


def _judged(detail: EvaluationDetail) -> Judged:
    evaluation = detail.evaluation
    profile = dict(evaluation.profile)
    return Judged(
        detail,
        tuple(strip_figures(evaluation.comparisons)),
        _instruction_mix(evaluation),
        str(profile.pop("hot_loop", ""))[:_LONGEST_TEXT],
        profile,
    )


def _instruction_mix(evaluation: Evaluation) -> tuple[tuple[str, float], ...]:
    """Shares of the register classes among the instructions, largest first."""
    classes = ("scalar", "sse", "avx2", "avx512", "amx", "gather", "nontemporal")
    counts = {name: evaluation.profile.get(name, 0) for name in classes}
    numbers = {name: float(n) for name, n in counts.items() if isinstance(n, int | float) and n > 0}
    total = sum(numbers.values())
    shares = [(name, n / total) for name, n in numbers.items()]
    return tuple(sorted(shares, key=lambda item: -item[1]))


def _best(evaluations: Sequence[EvaluationDetail]) -> OverSeed | None:
    """The figure over the seed: found here before claimed, confirmed before raced, later before
    earlier."""
    found = [
        OverSeed(s, e.standing)
        for e in evaluations
        if (s := e.evaluation.speedup_over("seed")) is not None
    ]
    return max(
        reversed(found),
        key=lambda o: (o.standing is Standing.FOUND, o.speedup.confirmed),
        default=None,
    )
