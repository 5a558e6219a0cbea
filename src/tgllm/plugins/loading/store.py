"""Key-value store of a plugin."""

import asyncio
import inspect
import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING
from weakref import WeakValueDictionary

from tgllm.api.clock import Clock, milliseconds
from tgllm.api.errors import PluginError
from tgllm.api.people import ChatInfo, UserInfo
from tgllm.api.types import Json
from tgllm.db.engine.rows import dumps
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.plugins import values
from tgllm.db.tables.plugins.values import Room
from tgllm.plugins.loading.stored import checked_json, checked_text, opened, owner_id

if TYPE_CHECKING:
    from tgllm.db.database import Database

__all__ = ["PluginStore"]

MOST_BYTES = 64 * 1024
"""Size of a value."""
PLUGIN_ROOM = Room(100_000, 64 * 2**20)
"""Room for all values of a plugin."""
OWNER_ROOM = Room(1_000, 2**20)
"""Room for its values of one person or group."""

_Locks = WeakValueDictionary[tuple[int, str], asyncio.Lock]


class PluginStore:
    """Stored values of a plugin by key: its own, or those of one person or group."""

    def __init__(
        self, plugin_id: str, database: "Database | None", clock: Clock, owner: int = 0, locks: _Locks | None = None
    ) -> None:
        """Create the store; without a database, each call raises DatabaseError.

        Args:
            plugin_id: the plugin.
            database: where the values are.
            clock: source of the times of changes.
            owner: Telegram id of the person or group; 0 for the plugin's own values.
            locks: the locks of updates that run, shared by the stores of a plugin.
        """
        self._plugin = plugin_id
        self._open = database
        self._clock = clock
        self._owner = owner
        self._locks = _Locks() if locks is None else locks

    def of(self, owner: UserInfo | ChatInfo | int) -> "PluginStore":
        """Return the values of a person or group.

        Raises:
            PluginError: it is no person or group.
        """
        return PluginStore(self._plugin, self._open, self._clock, owner_id(owner), self._locks)

    async def get(self, key: str) -> Json:
        """Return the value; None if there is none.

        Raises:
            PluginError: the key is no text.
            DatabaseError: the database can't be read.
        """
        stored = await self._read(checked_text(key, "key"))
        return None if stored is None else json.loads(stored)

    async def set(self, key: str, value: Json) -> None:
        """Store a value; it is on disk when this returns.

        Raises:
            PluginError: the key is no text, the value can't be JSON, it is larger than 64 KiB, or there is no room.
            DatabaseError: the database can't be written.
        """
        text = self._checked(key, value)
        await opened(self._open).write(lambda conn: self._put(conn, key, text))

    async def delete(self, key: str) -> None:
        """Delete a value if there is one.

        Raises:
            PluginError: the key is no text.
            DatabaseError: the database can't be written.
        """
        checked_text(key, "key")
        await opened(self._open).write(lambda conn: values.delete(conn, self._plugin, self._owner, key))

    async def keys(self, prefix: str = "") -> Sequence[str]:
        """Return the keys that begin with ``prefix``, sorted.

        Raises:
            PluginError: the prefix is no text.
            DatabaseError: the database can't be read.
        """
        checked_text(prefix, "key")
        return await opened(self._open).read(lambda conn: values.keys(conn, self._plugin, self._owner, prefix))

    async def update(self, key: str, fn: Callable[[Json], Json]) -> Json:
        """Replace a value by ``fn`` of it, and return the new one.

        The function runs outside of the transaction, so that a slow one stops only its plugin. The result is stored if
        the value is still the one that the function got; otherwise it is called again.

        Raises:
            PluginError: as for ``set``, or the function is asynchronous.
            DatabaseError: the database can't be read or written.
        """
        checked_text(key, "key")
        # Without it, each of many updates at once would be repeated because of all others.
        lock = self._locks.setdefault((self._owner, key), asyncio.Lock())
        async with lock:
            while True:
                before = await self._read(key)
                value = _result(fn(None if before is None else json.loads(before)))
                if value is None and before is None:
                    return None
                text = None if value is None else self._checked(key, value)
                if await self._swap(key, before, text):
                    return value

    async def _read(self, key: str) -> str | None:
        return await opened(self._open).read(lambda conn: values.get(conn, self._plugin, self._owner, key))

    async def _swap(self, key: str, before: str | None, after: str | None) -> bool:
        """Replace the JSON of a value if it is still ``before``."""

        def unit(conn: Connection) -> bool:
            if values.get(conn, self._plugin, self._owner, key) != before:
                return False
            if after is None:
                values.delete(conn, self._plugin, self._owner, key)
            else:
                self._put(conn, key, after)
            return True

        return await opened(self._open).write(unit)

    def _checked(self, key: str, value: Json) -> str:
        checked_text(key, "key")
        checked_json(value, f"the value of {key!r}", MOST_BYTES)
        return dumps(value)

    def _put(self, conn: Connection, key: str, text: str) -> None:
        more = values.store(conn, self._plugin, self._owner, key, text, milliseconds(self._clock))
        if more.keys > 0 or more.bytes > 0:
            self._check_room(conn)

    def _check_room(self, conn: Connection) -> None:
        """Check that the values have room; the error undoes the transaction."""
        if self._is_full(conn):
            # The count may be wrong if something else has changed the values.
            values.recount(conn, self._plugin, self._owner)
            if full := self._is_full(conn):
                raise PluginError(f"{full}: delete values that are no longer needed")

    def _is_full(self, conn: Connection) -> str:
        """Return what is full, as the start of a sentence; empty if there is room."""
        if self._owner and (excess := _excess(values.room_of(conn, self._plugin, self._owner), OWNER_ROOM)):
            return f"the values of the plugin {self._plugin} for {self._owner} {excess}"
        excess = _excess(values.room_of(conn, self._plugin), PLUGIN_ROOM)
        return f"the values of the plugin {self._plugin} {excess}" if excess else ""


def _excess(room: Room, most: Room) -> str:
    if room.keys > most.keys:
        return f"are more than {most.keys:,}"
    return f"take more than {most.bytes // 2**20} MiB" if room.bytes > most.bytes else ""


def _result(value: Json) -> Json:
    """Return what an update's function has returned.

    Raises:
        PluginError: it is asynchronous.
    """
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        raise PluginError("the function of store.update is asynchronous: give it a plain function")
    return value
