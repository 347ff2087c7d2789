"""Statements past SQLAlchemy's execution: the same values, defaults, errors and transactions."""

from __future__ import annotations

import datetime

import pytest
from sqlalchemy import bindparam, select
from sqlalchemy.exc import IntegrityError

from db.database import Database
from db.direct import insert_row, insert_rows, run, table, update_row
from db.models import Blob, Target

BLOBS = table(Blob)
BY_DIGEST = select(BLOBS.c.id, BLOBS.c.digest, BLOBS.c.data).where(
    BLOBS.c.digest == bindparam("wanted")
)
ANY_TWO = select(BLOBS.c.size).order_by(BLOBS.c.size).limit(2)
DIGEST = "ab" * 32


def test_values_go_in_and_come_out_as_the_models_have_them(database: Database) -> None:
    with database.writing() as session:
        key = insert_row(session, Blob, digest=DIGEST, size=3, base_id=None, data=b"\0\xff!")
        assert run(session, BY_DIGEST, {"wanted": DIGEST}).first() == (key, DIGEST, b"\0\xff!")
        assert run(session, BY_DIGEST, {"wanted": "00" * 32}).first() is None
    with database.reading() as session:
        stored = session.get_one(Blob, key)
        assert (stored.digest, stored.size, stored.data) == (DIGEST, 3, b"\0\xff!")


def test_what_is_not_named_takes_its_default(database: Database) -> None:
    with database.writing() as session:
        key = insert_row(session, Target, name="t\0\ud800", facts={"cores": 2})
    with database.reading() as session:
        stored = session.get_one(Target, key)
        assert (stored.name, stored.facts) == ("t\N{REPLACEMENT CHARACTER}?", {"cores": 2})
        age = datetime.datetime.now(datetime.UTC) - stored.created
        assert datetime.timedelta() <= age < datetime.timedelta(minutes=5)


def test_many_rows_and_a_limit_of_the_statements_own(database: Database) -> None:
    rows = [{"digest": f"{n:064x}", "size": n, "base_id": None, "data": b""} for n in range(5)]
    with database.writing() as session:
        insert_rows(session, Blob, rows)
        insert_rows(session, Blob, [])
        assert run(session, ANY_TWO, {}).rows == [(0,), (1,)]


def test_only_the_row_that_is_meant_changes(database: Database) -> None:
    with database.writing() as session:
        keys = [insert_row(session, Target, name=name, facts={}) for name in "ab"]
        assert update_row(session, Target, keys[0], facts={"x": [1]}, where={"name": "a"})
        assert not update_row(session, Target, keys[1], facts={"x": [1]}, where={"name": "a"})
    with database.reading() as session:
        assert [session.get_one(Target, key).facts for key in keys] == [{"x": [1]}, {}]


def test_errors_are_sqlalchemys_and_nothing_of_the_block_stays(database: Database) -> None:
    def spoil() -> None:
        with database.writing() as session:
            insert_row(session, Target, name="first", facts={})
            session.add(Target(name="second", facts={}))
            session.flush()
            insert_row(session, Target, name="first", facts={})

    with pytest.raises(IntegrityError):
        spoil()
    with database.reading() as session:
        assert session.scalars(select(Target.name)).all() == []


def test_objects_and_statements_share_a_transaction(database: Database) -> None:
    with database.writing() as session:
        session.add(Target(name="object", facts={}))
        insert_row(session, Target, name="statement", facts={})
    with database.reading() as session:
        names = session.scalars(select(Target.name).order_by(Target.name)).all()
    assert names == ["object", "statement"]
