"""The database file: schema, checks, backups."""
