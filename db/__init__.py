"""The archive: everything that was proposed, judged and measured, forever.

`db.archive.Archive` is the way in. Importing this package costs nothing; SQLAlchemy comes in with
`db.archive`, Alembic only where a file has to be created or migrated.
"""
