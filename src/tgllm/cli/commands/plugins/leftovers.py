"""What stays of a plugin that is uninstalled: stored data, settings, and what is known of it."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress

from tgllm.api.clock import SystemClock
from tgllm.api.errors import TgllmError
from tgllm.cli.failure import tell
from tgllm.cli.options import Options
from tgllm.database_place import database_place
from tgllm.db.database import Database
from tgllm.db.engine.place import Place
from tgllm.db.looking import is_there, look
from tgllm.db.tables.plugins import jobs, values
from tgllm.i18n import Catalogue
from tgllm.plugins.loading import records

__all__ = ["forget", "leftovers"]


def leftovers(options: Options, plugin_ids: Sequence[str], texts: Catalogue) -> Iterator[str]:
    """Yield a sentence for each thing that stays of plugins, and one for a check of access that is lost."""
    try:
        loaded = options.load()
    except TgllmError as error:
        yield str(error)
        return
    data_dir = loaded.config.data_dir
    for plugin_id in plugin_ids:
        folder = data_dir / "plugins" / plugin_id
        with suppress(OSError):
            if folder.is_dir() and any(folder.iterdir()):
                yield texts("shell.plugins_keeps_folder", plugin=plugin_id, folder=folder)
        if plugin_id in loaded.plugins.ids:
            yield texts("shell.plugins_keeps_settings", plugin=plugin_id)
    try:
        yield from _stored(database_place(loaded.config), plugin_ids, texts)
    except TgllmError as error:
        # A database that can't be read is no reason to keep a plugin, which may be what breaks the bot.
        yield str(error)


def _stored(place: Place, plugin_ids: Sequence[str], texts: Catalogue) -> Iterator[str]:
    """Yield what the database has; it is only read, and not brought up to date."""
    kept, known = look(
        place,
        lambda conn: (
            [(each, values.room_of(conn, each).keys, jobs.count(conn, each)) for each in plugin_ids],
            records.known_in(conn),
        ),
        ([], {}),
    )
    for plugin_id, keys, planned in kept:
        if keys or planned:
            yield texts("shell.plugins_keeps_data", plugin=plugin_id, values=keys, jobs=planned)
    for plugin_id in plugin_ids:
        if plugin_id in known and "tgllm_authorize" in known[plugin_id].hooks:
            yield texts("shell.plugins_authorizes", plugin=plugin_id)


def forget(options: Options, plugin_ids: Sequence[str], before: Mapping[str, str], after: Mapping[str, str]) -> None:
    """Forget plugins that were uninstalled on purpose: otherwise they are listed as missing.

    One that decides on access stays known, so that only owners have access until it is disabled by name.
    """
    if before.keys() == after.keys():
        return
    try:
        place = database_place(options.load().config)
        if is_there(place):
            asyncio.run(_forget(place, plugin_ids))
    except TgllmError as error:
        tell(str(error))


async def _forget(place: Place, plugin_ids: Sequence[str]) -> None:
    async with await Database.open(place, clock=SystemClock()) as database:
        known = await records.recall(database)
        harmless = [each for each in plugin_ids if each in known and "tgllm_authorize" not in known[each].hooks]
        await records.drop(database, harmless)
