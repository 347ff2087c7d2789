"""What a campaign stands on and what is recorded of it as a whole, within a transaction."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from db.campaigns import campaign_record
from db.column_types import now
from db.direct import insert_row, run, table, update_row
from db.encoding import canonical, compress, digest_of, plain
from db.errors import ArchiveError
from db.evaluations import pack_speedups, store_comparisons
from db.lookup import (
    candidate_id_of,
    find_campaign,
    latest_problem,
    require_own,
    target_named,
)
from db.models import Campaign, LessonRow, Measurement, Problem, Target
from db.records import CampaignRecord, CampaignStatus, Lesson
from evaluator.evaluation import Comparison, Speedup

_ROW = table(Campaign)
_PROGRESS = (
    update(_ROW)
    .where(_ROW.c.id == bindparam("campaign"), _ROW.c.import_id.is_(None))
    .values(
        updated=bindparam("this_instant"),
        active_seconds=_ROW.c.active_seconds + bindparam("since"),
    )
    .returning(_ROW.c.problem_id, _ROW.c.target_id)
)
_PROGRESS_WITH_STATE = _PROGRESS.values(random_state=bindparam("state"))


@dataclass(frozen=True)
class Running:
    """A campaign that is being recorded, by its rows."""

    id: int
    problem_id: int
    target_id: int


class ActiveClock:
    """Wall time campaigns spend running in this process, counted from record to record."""

    def __init__(self) -> None:
        """Nothing runs yet."""
        self._last: dict[int, float] = {}

    def start(self, campaign_id: int) -> None:
        """From here on the campaign runs."""
        self._last[campaign_id] = time.monotonic()

    def lap(self, campaign_id: int) -> float:
        """Seconds since the campaign's start or last lap; 0 if it was not started here."""
        if campaign_id not in self._last:
            return 0.0
        before, self._last[campaign_id] = self._last[campaign_id], time.monotonic()
        return self._last[campaign_id] - before


def ensure_problem(session: Session, name: str, spec: Mapping[str, Any]) -> int:
    """See `Archive.ensure_problem`."""
    known = known_revision(session, name, spec)
    if known is not None:
        return known
    problem = Problem(name=name, spec_digest=digest_of(canonical(spec)), spec=plain(spec))
    session.add(problem)
    session.flush()
    return problem.id


def known_revision(session: Session, name: str, spec: Mapping[str, Any]) -> int | None:
    """See `Reader.revision_of`."""
    digest = digest_of(canonical(spec))
    return session.scalar(
        select(Problem.id).where(Problem.name == name, Problem.spec_digest == digest)
    )


def ensure_target(session: Session, name: str, facts: Mapping[str, Any]) -> int:
    """See `Archive.ensure_target`."""
    target = target_named(session, name)
    if target is None:
        target = Target(name=name, facts=plain(facts))
        session.add(target)
    else:
        target.facts = plain(facts)
    session.flush()
    return target.id


def start_campaign(
    session: Session,
    problem: str | int,
    backend: str,
    target: str | int,
    config: Mapping[str, Any],
    seed: int,
    random_state: str,
) -> CampaignRecord:
    """See `Archive.start_campaign`."""
    problem_row = (
        latest_problem(session, problem)
        if isinstance(problem, str)
        else session.get(Problem, problem)
    )
    target_row = (
        target_named(session, target) if isinstance(target, str) else session.get(Target, target)
    )
    if problem_row is None or target_row is None:
        missing = f"problem {problem!r}" if problem_row is None else f"target {target!r}"
        raise ArchiveError(f"{missing} is not in the archive; record it before its campaigns")
    campaign = Campaign(
        key=secrets.token_hex(8),
        problem_id=problem_row.id,
        target_id=target_row.id,
        backend=backend,
        config=plain(config),
        target_facts=target_row.facts,
        seed=seed,
        random_state=compress(random_state.encode()),
        status=CampaignStatus.RUNNING.value,
    )
    session.add(campaign)
    session.flush()
    return campaign_record(session, campaign)


def progress(
    session: Session, campaign_id: int, random_state: str | None, clock: ActiveClock
) -> Running:
    """The campaign, with its time and (unless None) its random state brought forward.

    Raises:
        ArchiveError: There is none, or it is another archive's.
    """
    given = {"campaign": campaign_id, "this_instant": now(), "since": clock.lap(campaign_id)}
    statement = _PROGRESS
    if random_state is not None:
        given["state"] = compress(random_state.encode())
        statement = _PROGRESS_WITH_STATE
    found = run(session, statement, given).first()
    if found is None:
        require_own(find_campaign(session, campaign_id))
        raise ArchiveError(f"no campaign {campaign_id!r}; `kernelmill archive ls` lists them")
    return Running(campaign_id, *found)


def store_noise_floor(
    session: Session, campaign: int, floor: float, comparisons: Sequence[Comparison]
) -> None:
    """See `Archive.record_noise_floor`."""
    update_row(session, Campaign, campaign, noise_floor=floor)
    _replace_comparisons(session, campaign, "noise", comparisons)


def store_baselines(
    session: Session,
    campaign: int,
    candidate: str,
    comparisons: Sequence[Comparison],
    speedups: Sequence[Speedup],
) -> None:
    """See `Archive.record_baselines`."""
    update_row(
        session,
        Campaign,
        campaign,
        baseline_candidate_id=candidate_id_of(session, candidate),
        baseline_speedups=pack_speedups(speedups),
    )
    _replace_comparisons(session, campaign, "baseline", comparisons)


def store_lesson(session: Session, campaign: Running, lesson: Lesson) -> None:
    """See `Archive.record_lesson`."""
    candidate_id = None
    if lesson.candidate is not None:
        candidate_id = candidate_id_of(session, lesson.candidate)
        taught = select(LessonRow.id).where(
            LessonRow.campaign_id == campaign.id, LessonRow.candidate_id == candidate_id
        )
        if session.scalar(taught) is not None:
            return
    insert_row(
        session,
        LessonRow,
        problem_id=campaign.problem_id,
        target_id=campaign.target_id,
        campaign_id=campaign.id,
        candidate_id=candidate_id,
        text=lesson.text,
        speedup=lesson.speedup,
        confirmed=lesson.confirmed,
    )


def finish(session: Session, campaign: int, status: CampaignStatus, reason: str) -> None:
    """Set where a campaign stands and why."""
    update_row(session, Campaign, campaign, status=status.value, reason=reason)


def _replace_comparisons(
    session: Session, campaign: int, purpose: str, comparisons: Sequence[Comparison]
) -> None:
    session.execute(
        delete(Measurement).where(
            Measurement.campaign_id == campaign, Measurement.purpose == purpose
        )
    )
    store_comparisons(session, comparisons, campaign_id=campaign, purpose=purpose)
