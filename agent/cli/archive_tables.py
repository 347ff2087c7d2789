"""The archive's rows as tables and documents. Digests are short for people, whole for programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from agent.cli.output import Table
from agent.sparkline import sparkline
from evaluator.evaluation import attributes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from db.records import CampaignState
    from db.rows import (
        CampaignRow,
        CandidateDetail,
        Difference,
        LessonEntry,
        LineageRow,
        Migration,
        TopRow,
    )
    from evaluator.evaluation import Comparison, Evaluation, Interval

_SHORT = 12
_FIGURES = ("speedup", "low", "high", "confirmed")


def campaigns(rows: Sequence[CampaignRow], *, full: bool) -> Table:
    """Campaigns with their best."""
    columns: tuple[str, ...] = (
        "id",
        "key",
        "problem",
        "backend",
        "target",
        "status",
        "started",
        "minutes",
    )
    columns += ("proposals", "evaluated", "best", *_FIGURES, "imported")
    return Table(
        "campaigns",
        columns,
        [
            (
                row.id,
                row.key,
                row.problem,
                row.backend,
                row.target,
                row.status,
                row.started.isoformat(timespec="seconds"),
                round(row.active_seconds / 60, 2),
                row.proposals,
                row.evaluated,
                _digest(row.best, full),
                *_figures(row.speedup, row.confirmed),
                row.imported,
            )
            for row in rows
        ],
    )


def with_courses(table: Table, courses: Sequence[Sequence[float]]) -> Table:
    """Campaigns with a picture of the best so far each; for people only."""
    rows = [(*row, sparkline(course)) for row, course in zip(table.rows, courses, strict=True)]
    return Table(table.title, (*table.columns, "course"), rows)


def lessons(entries: Sequence[LessonEntry], *, full: bool) -> Table:
    """What changes taught."""
    columns = ("problem", "target", "speedup", "confirmed", "claimed", "campaign", "candidate")
    return Table(
        "lessons",
        (*columns, "learned", "lesson"),
        [
            (
                e.problem,
                e.target,
                e.speedup,
                e.confirmed,
                e.claimed,
                e.campaign,
                _digest(e.candidate, full),
                e.learned.isoformat(timespec="seconds"),
                e.text,
            )
            for e in entries
        ],
    )


def candidates(state: CampaignState, limit: int, *, full: bool) -> Table:
    """The latest proposals of a campaign, in order."""
    rows: list[tuple[object, ...]] = []
    for proposal in state.proposals[-limit:]:
        evaluation = proposal.evaluation
        over_seed = evaluation.speedup_over("seed") if evaluation else None
        rows.append(
            (
                proposal.ordinal,
                _digest(proposal.candidate.digest, full),
                proposal.operator,
                str(evaluation.outcome) if evaluation else None,
                *_figures(
                    over_seed.interval if over_seed else None,
                    bool(over_seed and over_seed.confirmed),
                ),
                proposal.description,
            )
        )
    columns: tuple[str, ...] = (
        "ordinal",
        "candidate",
        "operator",
        "outcome",
        *_FIGURES,
        "description",
    )
    return Table(f"candidates of campaign {state.record.id}", columns, rows)


def ranking(rows: Sequence[TopRow], *, full: bool) -> Table:
    """The best candidates."""
    columns: tuple[str, ...] = ("rank", "candidate", "problem", "backend", "target", *_FIGURES)
    columns += ("standing", "unreached", "campaign", "operator", "description")
    return Table(
        "speedup over the seed",
        columns,
        [
            (
                row.rank,
                _digest(row.candidate, full),
                row.problem,
                row.backend,
                row.target,
                *_figures(row.speedup, row.confirmed),
                str(row.standing),
                row.unreached,
                row.campaign,
                row.operator,
                row.description,
            )
            for row in rows
        ],
    )


def lineage(rows: Sequence[LineageRow], *, full: bool) -> Table:
    """Relatives by generation."""
    columns: tuple[str, ...] = (
        "generation",
        "candidate",
        "parents",
        "operator",
        "outcome",
        *_FIGURES,
    )
    return Table(
        "lineage",
        (*columns, "description"),
        [
            (
                row.generation,
                _digest(row.candidate, full),
                " ".join(_digest(p, full) or "" for p in row.parents) or None,
                row.operator,
                row.outcome,
                *_figures(row.speedup, row.confirmed),
                row.description,
            )
            for row in rows
        ],
    )


def changes(difference: Difference) -> Table:
    """What differs beside the sources."""
    rows: list[tuple[object, ...]] = [
        (name, old, new) for name, (old, new) in difference.context.items()
    ]
    rows += [(f"tunable {c.name}", c.a, c.b) for c in difference.tunables]
    rows += [("flag", c.a, c.b) for c in difference.flags]
    rows += [(c.name, c.a, c.b) for c in difference.figures]
    return Table("changes", ("what", difference.a[:_SHORT], difference.b[:_SHORT]), rows)


def timings(detail: CandidateDetail, *, rounds: bool) -> Table:
    """Every comparison of a candidate, or every round of them."""
    columns: tuple[str, ...] = ("target", "evaluated", "workload", "other", "phase")
    columns += ("round", "seconds", "other_seconds", "foreign", "used") if rounds else ()
    columns += () if rounds else ("seconds", "other_seconds", "speedup", "low", "high", "roofline")
    rows: list[tuple[object, ...]] = []
    for entry in detail.evaluations:
        for c in entry.evaluation.comparisons:
            head: tuple[str, ...] = (
                entry.evaluation.target,
                entry.evaluated.isoformat(timespec="seconds"),
            )
            head += (c.workload, c.other, c.phase)
            if rounds:
                rows += [
                    (*head, i, r.candidate, r.other, r.foreign, r.used)
                    for i, r in enumerate(c.rounds)
                ]
            else:
                figures = (c.speedup.estimate, c.speedup.low, c.speedup.high, c.roofline)
                rows.append((*head, c.seconds, c.other_seconds, *figures))
    return Table(f"timings of {detail.digest[:_SHORT]}", columns, rows)


def document(detail: CandidateDetail, *, prompts: bool, rounds: bool) -> dict[str, Any]:
    """All about a candidate.

    Args:
        detail: What the archive knows.
        prompts: With prompts and completions.
        rounds: With every raw round; otherwise how many there were.
    """
    proposals = [dict(vars(p)) for p in detail.proposals]
    if not prompts:
        for proposal in proposals:
            del proposal["prompt"], proposal["completion"]
    return {
        "candidate": detail.digest,
        "problem": detail.candidate.problem,
        "backend": detail.candidate.backend,
        "tunables": detail.candidate.tunables,
        "created": detail.created.isoformat(timespec="seconds"),
        "children": detail.children,
        "proposals": proposals,
        "evaluations": [
            {
                "campaign": entry.campaign,
                "recheck": entry.recheck,
                "standing": str(entry.standing),
                "evaluated": entry.evaluated.isoformat(timespec="seconds"),
                **_evaluation(entry.evaluation, rounds=rounds),
            }
            for entry in detail.evaluations
        ],
        "source": detail.candidate.source,
    }


def migration(done: Migration) -> Table:
    """What a migration did."""
    row = (done.archive, done.before, done.after, done.before != done.after)
    return Table("migration", ("archive", "before", "after", "changed"), [row])


def _evaluation(evaluation: Evaluation, *, rounds: bool) -> dict[str, Any]:
    fields = dict(vars(evaluation))
    del fields["candidate"]
    fields["comparisons"] = [_comparison(c, rounds=rounds) for c in evaluation.comparisons]
    return fields


def _comparison(comparison: Comparison, *, rounds: bool) -> dict[str, Any]:
    shown = comparison.rounds if rounds else len(comparison.rounds)
    return {**attributes(comparison), "rounds": shown}


def _digest(digest: str | None, full: bool) -> str | None:
    return digest if full or digest is None else digest[:_SHORT]


def _figures(interval: Interval | None, confirmed: bool) -> tuple[object, ...]:
    if interval is None:
        return (None, None, None, None)
    return (interval.estimate, interval.low, interval.high, confirmed)
