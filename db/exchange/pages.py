"""Rows of what is exported, some at a time: an archive may be larger than memory."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Select, inspect, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from db.blobs import chunks
from db.exchange.selection import Selection
from db.lookup import digests_of
from db.models import Base, Campaign

_PAGE = 200
R = TypeVar("R", bound=Base)


class Pages:
    """Reads the rows of a selection.

    Attributes:
        keys: Of all campaigns, by row number.
    """

    def __init__(self, session: Session, chosen: Selection) -> None:
        self._session = session
        self._chosen = chosen
        campaigns = select(Campaign.id, Campaign.key)
        self.keys: dict[int, str] = dict(iter(session.execute(campaigns)))

    def by_number(
        self, model: type[R], chosen: Sequence[int] | None, size: int = _PAGE
    ) -> Iterator[Sequence[R]]:
        """Rows by number, some at a time; the session lets go of each page."""
        key: ColumnElement[int] = model.__table__.c.id
        if chosen is not None:
            for part in chunks(chosen):
                for start in range(0, len(part), size):
                    wanted = part[start : start + size]
                    yield self._rows(select(model).where(key.in_(wanted)).order_by(key))
            return
        last = 0
        while True:
            page = self._rows(select(model).where(key > last).order_by(key).limit(size))
            if not page:
                return
            last = (inspect(page[-1]).identity or (0,))[0]
            yield page

    def of_campaigns(
        self, model: type[R], *order: ColumnElement[Any] | InstrumentedAttribute[Any]
    ) -> Iterator[Sequence[R]]:
        """Rows of the chosen campaigns, a campaign at a time."""
        belongs = model.__table__.c.campaign_id
        ids = self._chosen.campaigns
        for key in sorted(self.keys) if ids is None else ids:
            statement = select(model).where(belongs == key).order_by(*order)
            if page := self._rows(statement):
                yield page

    def _rows(self, statement: Select[R]) -> Sequence[R]:
        self._session.expunge_all()
        return self._session.scalars(statement).all()

    def key(self, campaign: int | None) -> str | None:
        """The campaign's key, if it goes along."""
        if campaign is None or not self._chosen.has(campaign):
            return None
        return self.keys[campaign]

    def digests(self, ids: Sequence[int]) -> dict[int, str]:
        """Digests of candidates by row number."""
        return digests_of(self._session, ids)
