"""Connections that are kept: every transaction is on its own, whoever had the connection before."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from threading import Barrier, BrokenBarrierError

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from db.archive import Archive
from db.database import Database
from db.direct import insert_row
from db.models import Blob
from db.seats import KEPT

DIGEST = "ab" * 32
THREADS = 30


def put(database: Database, digest: str = DIGEST, size: int = 3) -> int:
    with database.writing() as session:
        return insert_row(session, Blob, digest=digest, size=size, base_id=None, data=b"abc")


def count(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(Blob)) or 0


def put_twice(database: Database) -> None:
    with database.writing() as session:
        insert_row(session, Blob, digest="cd" * 32, size=1, base_id=None, data=b"")
        insert_row(session, Blob, digest=DIGEST, size=1, base_id=None, data=b"")


def give_up(database: Database) -> None:
    with database.writing() as session:
        session.add(Blob(digest="ef" * 32, size=1, base_id=None, data=b""))
        raise KeyError


def test_objects_of_one_transaction_are_not_those_of_the_next(database: Database) -> None:
    key = put(database)
    with database.reading() as session:
        before = session.get_one(Blob, key)
    with database.writing() as session:
        session.get_one(Blob, key).size = 4
    with database.reading() as session:
        after = session.get_one(Blob, key)
        assert after is not before
    assert (before.size, after.size) == (3, 4)


def test_what_was_recorded_meanwhile_is_seen(database: Database, archive: Archive) -> None:
    before = count(database)
    archive.ensure_target("another", {})
    put(database)
    assert count(database) == before + 1


def test_after_a_failure_nothing_of_it_is_left(database: Database) -> None:
    put(database)
    before = count(database)
    with pytest.raises(IntegrityError):
        put_twice(database)
    with pytest.raises(KeyError):
        give_up(database)
    assert count(database) == before
    put(database, "cd" * 32)
    assert count(database) == before + 1


def test_transactions_within_others_have_connections_of_their_own(database: Database) -> None:
    put(database)
    with database.reading() as outer:
        first = outer.scalar(select(func.count()).select_from(Blob))
        put(database, "cd" * 32)
        assert outer.scalar(select(func.count()).select_from(Blob)) == first
        assert count(database) == (first or 0) + 1


def test_more_threads_than_connections_wait_for_each_other(database: Database) -> None:
    put(database)
    together = Barrier(5)

    def look(number: int) -> int:
        with database.reading() as session:
            found = session.scalar(select(func.count()).select_from(Blob)) or 0
            with suppress(BrokenBarrierError):
                together.wait(0.2)
        return found

    with ThreadPoolExecutor(THREADS) as pool:
        assert set(pool.map(look, range(3 * THREADS))) == {1}
    assert len(database._readers._free) <= KEPT
    database.close()
    assert database._readers._free == []
    assert count(database) == 1
