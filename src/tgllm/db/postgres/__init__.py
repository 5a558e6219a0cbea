"""The database on a PostgreSQL server: connections, dialect and schema, by psycopg (extra ``postgres``)."""
