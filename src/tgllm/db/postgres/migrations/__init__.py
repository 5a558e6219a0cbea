"""Schema migrations for PostgreSQL, made by ``make generate`` from those for SQLite after version 18."""
