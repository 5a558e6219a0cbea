"""Checks of the data folder and the database for ``tgllm doctor``: test writes that are read back."""

import asyncio
import secrets
from pathlib import Path

from tgllm.api import Check, DatabaseError
from tgllm.api.clock import Clock, milliseconds
from tgllm.db.database import Database
from tgllm.db.engine.full_text import has_full_text, sqlite_version
from tgllm.db.file.probe import PROBE_BYTES, erase_probe, free_bytes, probe_folder, read_probe, write_probe

__all__ = ["check_storage"]

LEAST_FREE_BYTES = 50 * 2**20
"""Free space below which there is a warning."""


async def check_storage(database: Database, data_dir: Path, clock: Clock) -> tuple[Check, ...]:
    """Return the checks of the database and of the data folder. The bot may be running."""
    return (
        await _check_database(database, clock),
        await asyncio.to_thread(_check_folder, data_dir),
        *(() if database.is_server else (await _check_full_text(database),)),
    )


async def _check_database(database: Database, clock: Clock) -> Check:
    text, now = secrets.token_hex(PROBE_BYTES // 2), milliseconds(clock)
    try:
        await database.write(lambda conn: write_probe(conn, text, now), patient=False)
        found = await database.read(read_probe)
        await database.write(erase_probe, patient=False)
    except DatabaseError as error:
        return Check("Database", "failed", str(error))
    if found != text:
        return Check("Database", "failed", f"{database.store.place} gave back another value than what was written")
    return Check("Database", "ok", f"{database.store.place}, written and read back")


async def _check_full_text(database: Database) -> Check:
    try:
        version = await database.read(sqlite_version)
        is_there = await database.read(has_full_text)
    except DatabaseError as error:
        return Check("Full-text search", "failed", str(error))
    if is_there:
        return Check("Full-text search", "ok", f"SQLite {version} with FTS5")
    return Check(
        "Full-text search",
        "warning",
        f"SQLite {version} of this Python has no FTS5: long documents are searched without an index, which is slow for "
        "thousands of pages. Use a Python whose SQLite has FTS5, such as python.org's or your distribution's",
    )


def _check_folder(folder: Path) -> Check:
    try:
        probe_folder(folder)
    except DatabaseError as error:
        return Check("Data folder", "failed", str(error))
    free = free_bytes(folder)
    if free < LEAST_FREE_BYTES:
        return Check("Data folder", "warning", f"only {free / 2**20:.0f} MB are free on the disk of {folder}")
    return Check("Data folder", "ok", f"{folder}, written and read back")
