"""The command ``/export``: sends the conversation of a chat as files, also with its own files in a zip."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from tgllm.bot.delivery.copies import next_copy
from tgllm.bot.delivery.files import document_payload, remove_document
from tgllm.bot.delivery.rows import buttons, document_row, message_rows
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.common.text import clip
from tgllm.services.files.storage.remote import StorageUnavailable
from tgllm.services.personal_data.conversation import Exported, as_json, as_markdown, load_export
from tgllm.services.personal_data.export_bundle import write_bundle
from tgllm.services.personal_data.export_files import new_export, remove_export, write_exports

__all__ = ["export_commands", "export_presses"]

log = get_logger(__name__)

WITH_FILES: Final = "export_files"
"""Callback data of the button that sends the conversation with its files."""
_FILES = frozenset({"files", "zip", "файлы"})
MOST_NAMES = 1000
"""Most UTF-16 units of the names of files that are left out."""


def export_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (TableCommand("export", lambda language: texts("command.export", language), "user", _export),)


def export_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(WITH_FILES, _press),)


async def _export(scope: Scope, command: ParsedCommand) -> None:
    try:
        await _send_export(scope, command)
    except StorageUnavailable as error:
        log.warning("files.storage_away", error=str(error))
        await scope.reply(scope.text("export.storage_away"))


async def _send_export(scope: Scope, command: ParsedCommand) -> None:
    wish = command.args.strip().lower()
    if wish and wish not in _FILES:
        await scope.reply(scope.text("export.usage"))
        return
    exported = await _load(scope)
    if exported is None:
        await scope.reply(scope.text("export.nothing"))
    elif wish:
        await scope.end(replies=await _bundle_rows(scope, exported))
    else:
        await scope.end(replies=await _rows(scope, exported))


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Send the conversation with its files, as it is now; quick presses send it once."""
    key = f"{WITH_FILES}:{scope.lane.chat_id}:{pressed.message_id}"
    if await scope.read(lambda conn: next_copy(conn, key, scope.now)) is None:
        await scope.end()
        return scope.text("as_file.on_its_way")
    exported = await _load(scope)
    if exported is None:
        await scope.end()
        return scope.text("export.nothing")
    await pressed.answer("")
    try:
        rows = await _bundle_rows(scope, exported, key)
    except StorageUnavailable as error:
        log.warning("files.storage_away", error=str(error))
        await scope.reply(scope.text("export.storage_away"))
        return ""
    ids: list[int] = []

    def send(conn: Connection) -> None:
        # Two presses may be handled at the same time.
        first = next_copy(conn, key, scope.now)
        ids.clear()
        if first is not None:
            ids.extend(outbox.add(conn, [replace(row, part=first + row.part) for row in rows], scope.now))

    await scope.end(send)
    if not ids:
        await remove_document(rows[0].payload, scope.core.storage)
    return ""


async def _load(scope: Scope) -> Exported | None:
    now = scope.now
    person_id = scope.user.id if scope.chat.is_private else None
    return await scope.read(lambda conn: load_export(conn, scope.lane.key, now, person_id))


async def _rows(scope: Scope, exported: Exported) -> list[NewOutbox]:
    storage = scope.core.storage
    markdown, data = await asyncio.to_thread(
        lambda: write_exports(storage.data_dir, _texts(scope, exported), scope.clock.now())
    )
    await storage.put_or_remove(markdown, data)
    name = _name(scope)
    caption = scope.text("export.ready", count=len(exported.messages))
    last = document_payload(data, f"{name}.json")
    if any(said.attached for said in exported.messages):
        last["reply_markup"] = buttons([[(scope.text("export.with_files"), WITH_FILES)]])
    payloads = document_payload(markdown, f"{name}.md", caption), last
    return [document_row(scope.lane, payload) for payload in payloads]


async def _bundle_rows(scope: Scope, exported: Exported, turn_id: str | None = None) -> list[NewOutbox]:
    storage = scope.core.storage
    for file in (each for said in exported.messages for each in said.attached):
        await storage.fetch(file.path)
    path = await asyncio.to_thread(new_export, storage.data_dir, scope.clock.now())
    try:
        bundle = await asyncio.to_thread(write_bundle, path, storage.data_dir, exported, scope.text)
        await storage.put(path)
    except BaseException:
        await asyncio.to_thread(remove_export, path)
        raise
    payload = document_payload(path, f"{_name(scope)}.zip", scope.text("export.bundle", count=bundle.files))
    rows = [document_row(scope.lane, payload, turn_id=turn_id)]
    if bundle.left_out:
        names = clip(", ".join(bundle.left_out), MOST_NAMES)
        rows += message_rows(scope.lane, scope.text("export.left_out", names=names), turn_id=turn_id, first_part=1)
    return rows


def _name(scope: Scope) -> str:
    return datetime.fromtimestamp(scope.clock.now(), UTC).strftime("conversation-%Y%m%d-%H%M%S")


def _texts(scope: Scope, exported: Exported) -> tuple[str, str]:
    return as_markdown(exported, scope.text), as_json(exported)
