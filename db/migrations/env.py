"""Alembic's entry: migrates within the transaction that `db.schema.upgrade` has begun."""

from __future__ import annotations

from alembic import context

from db.models import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
    render_as_batch=True,  # SQLite alters tables by rebuilding them
)
context.run_migrations()
