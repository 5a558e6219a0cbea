"""Implementation of ``tgllm db stats``, ``prune`` and ``vacuum``."""

import asyncio
from collections.abc import Mapping
from contextlib import aclosing

from tgllm.api.clock import SystemClock
from tgllm.cli.commands.db_server import folder_size, print_sizes
from tgllm.cli.output import print_json, print_table, say
from tgllm.cli.stored import existing_database, existing_file
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.place import Server
from tgllm.db.file.probe import mib
from tgllm.db.file.space import Space, measure_space
from tgllm.db.file.space import vacuum as vacuum_file
from tgllm.db.tables import inbox
from tgllm.i18n import Catalogue
from tgllm.services.files.storage.opening import storage_of
from tgllm.services.maintenance.retention import Retention
from tgllm.services.maintenance.unconfirmed import Unconfirmed

__all__ = ["run_prune", "run_stats", "run_vacuum"]

MOST_UNCONFIRMED = 100
"""Updates that Telegram may deliver again: those of the last batch (Bot API: getUpdates, limit)."""


def run_stats(config: Config, *, as_json: bool) -> None:
    """Print the space of the database by table, and that of the files.

    Raises:
        DatabaseError: the database is missing or can't be read.
    """
    place = existing_database(config)
    if isinstance(place, Server):
        print_sizes(config, place, as_json=as_json)
        return
    space = measure_space(place)
    folders = {"files": config.data_dir / "files", "backups": config.backups_folder}
    found = {name: folder_size(path) for name, path in folders.items()}
    if as_json:
        print_json(_object(space) | {name: {"count": count, "bytes": size} for name, (count, size) in found.items()})
        return
    rows = [(name, str(table.rows), _mib(table.bytes)) for name, table in space.tables.items()]
    print_table(("Table", "Rows", "MiB"), rows)
    texts = Catalogue(config.language)
    say(texts("shell.db_space", size=mib(space.size), free=mib(space.free), log=mib(space.log_size)))
    say(texts("shell.db_space_files", files=mib(found["files"][1]), backups=mib(found["backups"][1])))


def run_prune(config: Config, *, as_json: bool) -> None:
    """Delete what is older than the retention settings allow, and print how much that was.

    Raises:
        DatabaseError: the database is missing or can't be written.
        OSError: a file can't be removed.
    """
    counts = asyncio.run(_prune(config))
    if as_json:
        print_json(dict(counts))
        return
    gone = [(name, str(count)) for name, count in counts.items() if count]
    if gone:
        print_table(("Deleted", "Rows"), gone)
    is_file, texts = config.database.url is None, Catalogue(config.language)
    if gone:
        say(texts("shell.db_pruned" if is_file else "shell.db_pruned_server"))
    else:
        say(texts("shell.db_pruned_nothing"))


async def _prune(config: Config) -> Mapping[str, int]:
    clock, unconfirmed = SystemClock(), Unconfirmed()
    async with await Database.open(existing_database(config), clock=clock) as database:
        latest = await database.read(lambda conn: inbox.latest(conn, MOST_UNCONFIRMED))
        unconfirmed.note(latest, any_new=True)
        async with aclosing(storage_of(config)) as storage:
            retention = Retention(database, storage, clock, config.retention, config.access, unconfirmed)
            return await retention.clean()


def run_vacuum(config: Config, *, as_json: bool) -> None:
    """Return the space of deleted data to the disk, and print how much that was.

    Raises:
        DataFolderBusy: the bot runs.
        DatabaseError: the database is missing or can't be written, or the disk has too little space.
    """
    path = existing_file("shell.db_vacuum_server", config)
    with lock_data_folder(config.data_dir):
        before = path.stat().st_size
        vacuum_file(path)
        after = path.stat().st_size
    if as_json:
        print_json({"path": str(path), "size_before": before, "size": after})
        return
    say(Catalogue(config.language)("shell.db_vacuumed", before=mib(before), after=mib(after)))


def _object(space: Space) -> dict[str, object]:
    return {
        "path": str(space.path),
        "size": space.size,
        "free": space.free,
        "log_size": space.log_size,
        "tables": {name: {"rows": table.rows, "bytes": table.bytes} for name, table in space.tables.items()},
    }


def _mib(size: int | None) -> str:
    return "-" if size is None else mib(size)
