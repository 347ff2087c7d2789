"""Taking in what campaigns consist of. A campaign of this archive is never changed by an import."""

from __future__ import annotations

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from db import events
from db.blobs import store_optional, store_text
from db.encoding import compress
from db.evaluations import pack_speedups, store_comparisons
from db.exchange import from_records
from db.exchange.ledger import CampaignPlace, Fate, Ledger
from db.exchange.records import (
    CallRecord,
    CampaignRecord,
    EliteRecord,
    EventRecord,
    LessonRecord,
    ProposalRecord,
)
from db.models import (
    Campaign,
    EliteRow,
    EventRow,
    LessonRow,
    Measurement,
    ModelCallRow,
    Parent,
    Proposal,
)
from db.records import CallState


def campaign(session: Session, ledger: Ledger, record: CampaignRecord) -> Fate:
    """A search; one that was imported before and has gone on since is brought up to date."""
    row = session.scalar(select(Campaign).where(Campaign.key == record.key))
    if row is None:
        row = Campaign(
            key=record.key,
            problem_id=ledger.problems[record.problem, record.revision],
            target_id=ledger.targets[record.target],
            backend=record.backend,
            config=record.config,
            target_facts=record.target_facts,
            seed=record.seed,
            random_state=compress(b""),
            status=record.status,
            started=record.started,
            import_id=ledger.import_id,
        )
        session.add(row)
        session.flush()
        _bring_up(session, ledger, row, record)
        fate = Fate.NEW
    elif row.import_id is not None and row.updated < record.updated:
        _bring_up(session, ledger, row, record)
        fate = Fate.NEW
    else:
        fate = Fate.KNOWN
    ledger.campaigns[record.key] = CampaignPlace(row.id, row.import_id is None)
    return fate


def call(session: Session, ledger: Ledger, record: CallRecord) -> Fate:
    """A call of a model."""
    place = ledger.campaigns[record.campaign]
    row = _nth_call(session, place.id, record.index)
    if row is not None:
        ledger.calls[record.campaign, record.index] = row.id
        if place.own or row.state in (CallState.CONCLUDED.value, record.state):
            return Fate.KNOWN
    elif place.own:
        return _not_here(ledger, record.campaign, f"model call {record.index}")
    else:
        row = ModelCallRow(campaign_id=place.id, model=record.model, seconds=0.0)
        session.add(row)
    _fill_call(session, row, record)
    session.flush()
    ledger.calls[record.campaign, record.index] = row.id
    return Fate.NEW


def proposal(session: Session, ledger: Ledger, record: ProposalRecord) -> Fate:
    """A step of a search."""
    place = ledger.campaigns[record.campaign]
    step = f"proposal {record.ordinal}"
    evaluation_id = None if record.evaluation is None else ledger.evaluations[record.evaluation]
    row = session.scalar(
        select(Proposal).where(Proposal.campaign_id == place.id, Proposal.ordinal == record.ordinal)
    )
    if row is not None:
        if row.candidate_id != ledger.candidates[record.candidate]:
            message = f"campaign {record.campaign}: {step} is another candidate than here"
            return ledger.differs(f"{message}; that of here stays")
        if row.evaluation_id is None and evaluation_id is not None and not place.own:
            row.evaluation_id = evaluation_id
            return Fate.NEW
        return Fate.KNOWN
    if place.own:
        return _not_here(ledger, record.campaign, step)
    row = Proposal(
        campaign_id=place.id,
        ordinal=record.ordinal,
        candidate_id=ledger.candidates[record.candidate],
        operator=record.operator,
        proposer=record.proposer,
        description=record.description,
        rules=list(record.rules) or None,
        model_call_id=None if record.call is None else ledger.calls[record.campaign, record.call],
        evaluation_id=evaluation_id,
        created=record.created,
    )
    session.add(row)
    session.flush()
    for position, parent in enumerate(record.parents):
        parent_id = ledger.candidates[parent]
        session.add(Parent(proposal_id=row.id, position=position, parent_id=parent_id))
    return Fate.NEW


def elite(session: Session, ledger: Ledger, record: EliteRecord) -> Fate:
    """The holder of a cell."""
    place = ledger.campaigns[record.campaign]
    candidate_id = ledger.candidates[record.candidate]
    row = session.get(EliteRow, (place.id, record.island, record.cell))
    if row is not None and (row.candidate_id == candidate_id or row.created >= record.created):
        return Fate.KNOWN
    if place.own:
        return _not_here(ledger, record.campaign, f"the elite of cell {record.cell}")
    session.merge(
        EliteRow(
            campaign_id=place.id,
            island=record.island,
            cell=record.cell,
            candidate_id=candidate_id,
            score=record.score,
            created=record.created,
        )
    )
    return Fate.NEW


def lesson(session: Session, ledger: Ledger, record: LessonRecord) -> Fate:
    """What a change taught; it never goes into a prompt of ours (see `Archive.lessons`)."""
    place = None if record.campaign is None else ledger.campaigns[record.campaign]
    candidate_id = None if record.candidate is None else ledger.candidates[record.candidate]
    problem_id = ledger.problems[record.problem, record.revision]
    target_id = ledger.targets[record.target]
    known = session.scalar(
        select(LessonRow.id).where(
            LessonRow.problem_id == problem_id,
            LessonRow.target_id == target_id,
            LessonRow.candidate_id.is_not_distinct_from(candidate_id),
            LessonRow.text == record.text,
            LessonRow.created == record.created,
        )
    )
    if known is not None:
        return Fate.KNOWN
    if place is not None and place.own:
        return _not_here(ledger, str(record.campaign), "a lesson")
    session.add(
        LessonRow(
            problem_id=problem_id,
            target_id=target_id,
            campaign_id=None if place is None else place.id,
            candidate_id=candidate_id,
            text=record.text,
            speedup=record.speedup,
            confirmed=record.confirmed,
            created=record.created,
            import_id=ledger.import_id,
        )
    )
    return Fate.NEW


def event(session: Session, ledger: Ledger, record: EventRecord) -> Fate:
    """A turn of a search; they only ever grow in number."""
    place = ledger.campaigns[record.campaign]
    known = session.scalar(
        select(func.count()).select_from(EventRow).where(EventRow.campaign_id == place.id)
    )
    if record.index <= (known or 0):
        return Fate.KNOWN
    if place.own:
        return _not_here(ledger, record.campaign, f"event {record.index}")
    about = None if record.call is None else ledger.calls[record.campaign, record.call]
    events.store(session, place.id, from_records.event(record, about), record.created)
    return Fate.NEW


def _bring_up(session: Session, ledger: Ledger, row: Campaign, record: CampaignRecord) -> None:
    row.status = record.status
    row.reason = record.reason
    row.updated = record.updated
    row.active_seconds = record.active_seconds
    row.noise_floor = record.noise_floor
    row.baseline_candidate_id = None if record.best is None else ledger.candidates[record.best]
    row.baseline_speedups = pack_speedups(from_records.speedups(record.baseline_speedups))
    session.execute(delete(Measurement).where(Measurement.campaign_id == row.id))
    for purpose, parts in (("noise", record.noise), ("baseline", record.baselines)):
        comparisons = from_records.comparisons(parts)
        store_comparisons(session, comparisons, campaign_id=row.id, purpose=purpose)


def _nth_call(session: Session, campaign_id: int, index: int) -> ModelCallRow | None:
    return session.scalar(
        select(ModelCallRow)
        .where(ModelCallRow.campaign_id == campaign_id)
        .order_by(ModelCallRow.id)
        .offset(index - 1)
        .limit(1)
    )


def _fill_call(session: Session, row: ModelCallRow, record: CallRecord) -> None:
    like = session.scalar(
        select(ModelCallRow.prompt_id).where(
            ModelCallRow.campaign_id == row.campaign_id, ModelCallRow.prompt_id.is_not(None)
        ).limit(1)
    )  # fmt: skip
    row.number = record.number
    row.state = record.state
    row.model = record.model
    row.operator = record.operator
    row.parents = None if record.parents is None else list(record.parents)
    row.template = record.template
    row.seconds = record.seconds
    row.prompt_tokens = record.prompt_tokens
    row.completion_tokens = record.completion_tokens
    row.cost = record.cost
    row.expected_prompt_tokens = record.expected_prompt_tokens
    row.expected_completion_tokens = record.expected_completion_tokens
    row.expected_cost = record.expected_cost
    row.error = record.error
    row.prompt_id = None if record.prompt is None else store_text(session, record.prompt, like)
    row.completion_id = store_optional(session, record.completion)
    row.created = record.created


def _not_here(ledger: Ledger, key: str, what: str) -> Fate:
    return ledger.differs(
        f"campaign {key} is of this archive, which has no such {what}: it is left out"
    )
