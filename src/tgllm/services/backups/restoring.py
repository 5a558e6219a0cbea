"""Restoring of a backup: checked beside the present data, which are kept, then put in their place at one moment."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tgllm.db.engine.errors import DatabaseError, RestoreRefused
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.sqlite import in_words
from tgllm.db.file.facts import Facts, account_of, examine
from tgllm.db.file.identity import latest_version
from tgllm.db.file.probe import free_bytes
from tgllm.db.file.swap import keep_aside, replace_database
from tgllm.db.migrations.load import shipped
from tgllm.services.backups.archive import BLOB
from tgllm.services.backups.plugin_files import finish, mark, plugin_files
from tgllm.services.backups.staging import drop, stage
from tgllm.services.files.storage.folder import FOLDER

__all__ = ["ASIDE", "Restore", "Restored", "restore"]

ASIDE = "before-restore-"
"""Beginning of the name of the folder in the data folder that keeps the data from before."""


@dataclass(frozen=True, slots=True)
class Restore:
    """A backup to restore."""

    source: Path
    database: Path
    now: int
    """UTC in milliseconds."""
    bot_id: int | None = None
    """Id of the bot of the settings; by default that of the present database."""
    other_bot: bool = False
    """Whether a backup of another bot is restored too."""
    free: Callable[[Path], int] = free_bytes
    """Returns the free bytes of a folder's disk."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored backup."""

    facts: Facts
    aside: Path | None
    """Folder with the data from before; None if there were none."""
    files: int
    """Files that were restored."""
    missing: int
    """Files of the restored database that are neither in the backup nor in the data folder."""
    is_older: bool
    """Whether the bot updates the database when it starts."""


def restore(order: Restore) -> Restored:
    """Put a backup in the place of the database and its files. Blocks.

    Until the database is replaced the present data stay as they are, also if the program is killed. That step, the
    renaming of one file, puts all of the backup in their place: files of plugins follow then, or when the bot starts.

    Raises:
        DataFolderBusy: the bot runs.
        RestoreRefused: the backup is damaged, incomplete, of another bot, or no backup.
        DatabaseTooNew: it was made by a newer tgllm.
        DatabaseError: the data folder can't be written, or its disk has too little space.
    """
    database, folder = order.database, order.database.parent
    with in_words(order.source):
        order.source.stat()
    with lock_data_folder(folder), in_words(folder):
        finish_if_readable(database)
        staged = stage(order.source, database, order.free)
        try:
            facts = examine(staged.database, order.source)
            _check_bot(order, facts)
            aside = _keep(order)
            mark(staged.database, aside, order.now)
            staged.finish_files()
            replace_database(database, staged.database, aside or folder)
        except BaseException:
            drop(staged)
            raise
        finish(database)
        missing = sum(not (folder / blob.path).is_file() for blob in facts.blobs)
        return Restored(facts, aside, len(staged.parts), missing, facts.version < latest_version(shipped()))


def finish_if_readable(database: Path) -> None:
    """Finish a restore that was killed; a database that is damaged has none to finish."""
    try:
        finish(database)
    except DatabaseError as error:
        if error.code != "database_corrupt":
            raise


def _check_bot(order: Restore, facts: Facts) -> None:
    wanted = order.bot_id if order.bot_id is not None else account_of(order.database)
    if order.other_bot or wanted is None or facts.bot_id in {None, wanted}:
        return
    name = f"@{facts.username}" if facts.username else f"with the id {facts.bot_id}"
    raise RestoreRefused(
        f"{order.source} is a backup of another bot, {name}, and this is the bot with the id {wanted}. Its chats and "
        "updates don't belong to this bot. If you have moved to a new bot on purpose: tgllm db restore --other-bot",
        path=str(order.source),
        found=facts.bot_id,
        wanted=wanted,
    )


def _keep(order: Restore) -> Path | None:
    """Keep the present files under second names, which cost no space; the database follows when it is replaced."""
    database, folder = order.database, order.database.parent
    blobs = [path for path in (folder / FOLDER).glob("*") if BLOB.fullmatch(f"{FOLDER}/{path.name}")]
    if not database.exists() and not blobs and next(plugin_files(folder), None) is None:
        return None
    at = datetime.fromtimestamp(order.now / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    aside, number = folder / f"{ASIDE}{at}", 2
    while aside.exists():
        aside, number = folder / f"{ASIDE}{at}-{number}", number + 1
    aside.mkdir(mode=0o700)
    if blobs:
        (aside / FOLDER).mkdir(mode=0o700)
    for path in blobs:
        keep_aside(path, aside / FOLDER / path.name)
    return aside
