"""Alembic migrations of the archive; run by `db.schema`, never by hand."""
