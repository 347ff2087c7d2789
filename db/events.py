"""Turns in a campaign that are no evaluations, within a transaction."""

from __future__ import annotations

import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from db.column_types import now
from db.direct import insert_row
from db.encoding import plain
from db.models import EventRow
from db.records import Event, EventKind


def store(
    session: Session, campaign: int, event: Event, created: datetime.datetime | None = None
) -> None:
    """Add one, of this instant if it is of no other."""
    insert_row(
        session,
        EventRow,
        campaign_id=campaign,
        kind=event.kind.value,
        model_call_id=event.call,
        details=plain(event.details),
        created=created or now(),
    )


def load(session: Session, campaign_id: int) -> tuple[Event, ...]:
    """A campaign's events in order."""
    rows = session.scalars(
        select(EventRow).where(EventRow.campaign_id == campaign_id).order_by(EventRow.id)
    )
    return tuple(event_of(row) for row in rows)


def event_of(row: EventRow) -> Event:
    """One from its row."""
    return Event(EventKind(row.kind), row.details, row.model_call_id)
