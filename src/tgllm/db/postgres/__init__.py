"""PostgreSQL in the place of the SQLite file."""
