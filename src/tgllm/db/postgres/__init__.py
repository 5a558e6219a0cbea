"""PostgreSQL as the database: connection, dialect, schema."""
