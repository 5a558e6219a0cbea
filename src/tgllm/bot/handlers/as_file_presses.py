"""Buttons that send a part of an answer as a file."""

import asyncio

from tgllm.bot.delivery.copies import next_copy
from tgllm.bot.delivery.extract_files import Offer, offers_of, write_offer
from tgllm.bot.delivery.files import document_payload
from tgllm.bot.delivery.rows import document_row
from tgllm.bot.scope import Scope
from tgllm.bot.streaming.answer_files import FILE_NAME
from tgllm.bot.streaming.file_buttons import AS_FILE
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, messages, outbox
from tgllm.observe.logs import get_logger
from tgllm.services.common.text import mend_surrogates
from tgllm.services.messaging.rows import reply_parameters
from tgllm.services.personal_data.export_files import new_export

__all__ = ["as_file_presses"]

MOST_SEARCHED = 1000

log = get_logger(__name__)


def as_file_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(AS_FILE, _press),)


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Send the file as a reply to its answer. In a group anyone may press: everyone there sees the answer."""
    turn_id, _, digest = pressed.argument.partition(":")
    text = await scope.read(lambda conn: _answer(conn, scope, turn_id))
    offer = None if text is None else await asyncio.to_thread(_offer, text, digest, scope.config.rendering.code_lines)
    if offer is None:
        await scope.end()
        return scope.text("as_file.answer_gone")
    key = f"{AS_FILE}:{pressed.argument}"
    if await scope.read(lambda conn: next_copy(conn, key, scope.now)) is None:
        await scope.end()
        return scope.text("as_file.on_its_way")
    now, storage = scope.clock.now(), scope.core.storage
    try:
        path = await asyncio.to_thread(new_export, storage.data_dir, now)
        await asyncio.to_thread(write_offer, offer, path)
        await storage.put_or_remove(path)
    except OSError as error:
        log.error("answer.file_not_written", error=type(error).__name__)
        await scope.end()
        return scope.text("as_file.not_written")
    payload = document_payload(path, offer.name) | reply_parameters(pressed.message_id)
    ids: list[int] = []

    def send(conn: Connection) -> None:
        part = next_copy(conn, key, scope.now)
        # Two presses may be handled at the same time.
        ids.clear()
        if part is not None:
            ids.extend(outbox.add(conn, [document_row(scope.lane, payload, turn_id=key, part=part)], scope.now))

    await scope.end(send)
    if not ids:
        await storage.remove([path])
        return scope.text("as_file.on_its_way")
    return ""


def _answer(conn: Connection, scope: Scope, turn_id: str) -> str | None:
    """Return the stored answer of a turn of this chat; callback data may be forged."""
    for message in messages.of_turn(conn, turn_id):
        if message.role == "assistant":
            conversation = conversations.get(conn, message.conversation_id)
            return message.text if conversation is not None and conversation.lane == scope.lane.key else None
    return None


def _offer(text: str, digest: str, code_lines: int) -> Offer | None:
    """Return the file with that digest, also if the settings have changed since the button was made."""
    text = mend_surrogates(text)
    offers = offers_of(text, code_lines, FILE_NAME) + offers_of(text, 1, FILE_NAME, most=MOST_SEARCHED)
    return next((offer for offer in offers if offer.digest == digest), None)
