"""Removal of deleted rows, which stay in the tables of a server until VACUUM comes by."""

from typing import Final

import psycopg
from psycopg import sql

from tgllm.db.engine.errors import DatabaseError
from tgllm.db.engine.place import Server
from tgllm.db.postgres.look import opened

__all__ = ["vacuum"]

# A table that is locked is left to autovacuum. TRUNCATE would keep others from the table for a moment.
_VACUUM: Final = "VACUUM (SKIP_LOCKED, TRUNCATE false) {}"
_LIMIT: Final = "SET statement_timeout = '60s'"
_OWN_TABLES: Final = """
    SELECT relname FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
    WHERE nspname = current_schema() AND relkind = 'r' AND pg_has_role(relowner, 'USAGE') ORDER BY relname
"""


def vacuum(server: Server) -> bool:
    """Remove deleted rows from the tables that the bot's user owns; those that open transactions see stay.

    The bytes of a row may stay in the free space of its page until they are overwritten, and in the server's log.

    Returns:
        False if it can't be done, such as on a server that is away; autovacuum does it later.
    """
    try:
        with opened(server) as conn:
            tables = [sql.Identifier(str(row[0])) for row in conn.execute(_OWN_TABLES.encode())]
            if tables and not server.pooled:
                # A pooler would keep the setting for the next client; VACUUM takes none of its own.
                conn.execute(_LIMIT)
            if tables:
                conn.execute(sql.SQL(_VACUUM).format(sql.SQL(", ").join(tables)))
    except (DatabaseError, psycopg.Error):
        return False
    return bool(tables)
