"""Key-value store of a plugin."""

import json
from typing import TYPE_CHECKING

from tgllm.api.clock import Clock, milliseconds
from tgllm.api.errors import DatabaseError, PluginError
from tgllm.api.types import Json
from tgllm.db.engine.json_depth import check_depth
from tgllm.db.tables import kv

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["PluginStore"]

_MAX_BYTES = 64 * 1024


class PluginStore:
    """Stored values of a plugin by key, in the scope ``plugin:<id>`` of the table ``kv``."""

    def __init__(self, plugin_id: str, database: "Database | None", clock: Clock) -> None:
        """Create the store; without a database, each call raises DatabaseError."""
        self._scope = f"plugin:{plugin_id}"
        self._open = database
        self._clock = clock

    async def get(self, key: str) -> Json:
        """Return the value; None if there is none.

        Raises:
            DatabaseError: the database can't be read.
        """
        return await self._database.read(lambda conn: kv.get(conn, self._scope, key))

    async def set(self, key: str, value: Json) -> None:
        """Store a value; it is on disk when this returns.

        Raises:
            PluginError: the key is no text, the value can't be JSON, or it is larger than 64 KiB.
            DatabaseError: the database can't be written.
        """
        try:
            str.encode(key)
        except (TypeError, ValueError) as error:
            raise PluginError(f"{key!r} is no text that can be a key") from error
        try:
            check_depth(value)
            size = len(json.dumps(value, ensure_ascii=False, allow_nan=False).encode())
        except (TypeError, ValueError) as error:
            raise PluginError(f"the value of {key!r} is no JSON: {error}") from error
        if size > _MAX_BYTES:
            raise PluginError(f"the value of {key!r} is longer than {_MAX_BYTES} bytes of JSON")
        now = milliseconds(self._clock)
        await self._database.write(lambda conn: kv.set_value(conn, self._scope, key, value, now))

    async def delete(self, key: str) -> None:
        """Delete a value if there is one.

        Raises:
            DatabaseError: the database can't be written.
        """
        await self._database.write(lambda conn: kv.delete(conn, self._scope, key))

    @property
    def _database(self) -> "Database":
        if self._open is None:
            raise DatabaseError("there is no database here for the plugin's values: run tgllm db init")
        return self._open
