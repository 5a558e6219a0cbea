"""The database on a PostgreSQL server: connections, dialect and schema. It imports psycopg (extra ``postgres``)."""
