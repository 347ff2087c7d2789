"""Connections with a session each, kept from one transaction to the next.

Taking a connection from a pool, giving it back and making a session cost as much as what a search
records in a transaction. So they stay together, and whoever comes next takes them as they are.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from db.direct import attach

KEPT = 2
"""Connections that are kept; those of further threads go back to the engine's pool, which bounds
how many there are."""


@dataclass(frozen=True, slots=True)
class _Seat:
    connection: Connection
    session: Session

    def tidy(self) -> None:
        """Forget the objects of the last transaction, if there were any."""
        if self.session.in_transaction() or self.session.identity_map:
            self.session.close()

    def leave(self) -> None:
        """Give the connection back to the engine, whatever state it is in."""
        with suppress(SQLAlchemyError):
            self.session.close()
        with suppress(SQLAlchemyError):
            self.connection.close()


class Seats:
    """Transactions on an engine; threads, and transactions within others, have a connection each.

    Args:
        engine: With the options that all its transactions have.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._free: list[_Seat] = []  # its methods are atomic, so that threads need no lock

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A session within a transaction that ends with the block.

        Who uses the driver alone (`db.direct`) never wakes the session's own machinery.
        """
        seat = self._taken()
        try:
            with seat.connection.begin():
                yield seat.session
                if seat.session.in_transaction():
                    seat.session.commit()  # what waits in it; the transaction is the connection's
            seat.tidy()
        except BaseException:
            seat.leave()
            raise
        if len(self._free) < KEPT:
            self._free.append(seat)
        else:
            seat.leave()

    def close(self) -> None:
        """Give every connection back that nobody uses."""
        while self._free:
            self._free.pop().leave()

    def _taken(self) -> _Seat:
        try:
            return self._free.pop()
        except IndexError:
            connection = self._engine.connect()
            session = Session(connection, expire_on_commit=False)
            attach(session, connection)
            return _Seat(connection, session)
