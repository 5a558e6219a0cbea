"""Displays of an answer that is being written: a draft, and a message that is edited."""

from collections.abc import Callable, Sequence

from aiogram import Bot
from aiogram.methods import EditMessageText, SendMessageDraft
from aiogram.types import InlineKeyboardMarkup, LinkPreviewOptions, MessageEntity

from tgllm.bot.delivery.rows import answer_rows, buttons, edit_of_part, placeholder_row
from tgllm.bot.delivery.sender import Sender
from tgllm.bot.rendering.payloads import EntityText, Payload
from tgllm.db.tables.outbox import NewOutbox
from tgllm.services.common.lane import Lane

__all__ = ["DraftDisplay", "EditDisplay", "draft_id_of"]

STOP_DATA = "stop"
"""Callback data of the button that stops the turn of its chat."""


def draft_id_of(update_id: int) -> int:
    """The id of the draft for the turn of an update: positive and not zero. Bot API: sendMessageDraft."""
    # The same for each attempt at the update, so that after a crash no second draft appears beside the first.
    return update_id % (2**31 - 1) + 1


class DraftDisplay:
    """A draft in a private chat, with Telegram's own Stop button."""

    needs_text = False

    def __init__(self, bot: Bot, lane: Lane, turn_id: str, draft_id: int) -> None:
        self._bot = bot
        self._lane = lane
        self._turn_id = turn_id
        self._draft_id = draft_id

    async def show(self, shown: EntityText) -> None:
        """Update the draft; Telegram's apps show one without text as "Thinking…"."""
        await self._bot(
            SendMessageDraft(
                chat_id=self._lane.chat_id,
                message_thread_id=self._lane.topic_id,
                draft_id=self._draft_id,
                text=shown.text,
                entities=_entities(shown),
                can_stop=True,
            )
        )

    def finish(self, answer: Sequence[Payload]) -> Sequence[NewOutbox]:
        """Return the answer as messages; Telegram removes the draft when they arrive."""
        return answer_rows(self._lane, answer, turn_id=self._turn_id)


class EditDisplay:
    """A message in a group, sent once through the outbox and edited from then on."""

    needs_text = True

    def __init__(
        self,
        bot: Bot,
        sender: Sender,
        lane: Lane,
        turn_id: str,
        *,
        reply_to: int | None,
        thinking: Callable[[], str],
        stop: str,
    ) -> None:
        """Create the display; nothing is sent yet.

        Args:
            bot: for the edits.
            sender: for the placeholder.
            lane: lane of the chat.
            turn_id: the turn that is shown.
            reply_to: the question's message.
            thinking: returns the current text of the placeholder while the model has written none.
            stop: text of the stop button.
        """
        self._bot = bot
        self._sender = sender
        self._lane = lane
        self._turn_id = turn_id
        self._reply_to = reply_to
        self._thinking = thinking
        self._markup = buttons([[(stop, STOP_DATA)]])
        self._message_id: int | None = None
        self._shown = EntityText("")

    async def show(self, shown: EntityText) -> None:
        """Edit the message; the first call sends it."""
        shown = shown if shown.text else EntityText(self._thinking())
        if self._message_id is None:
            await self._send_placeholder()
        if self._message_id is None or shown == self._shown:
            return
        await self._bot(
            EditMessageText(
                chat_id=self._lane.chat_id,
                message_id=self._message_id,
                text=shown.text,
                entities=_entities(shown),
                link_preview_options=LinkPreviewOptions(is_disabled=True),
                reply_markup=InlineKeyboardMarkup.model_validate(self._markup),
            )
        )
        self._shown = shown

    def finish(self, answer: Sequence[Payload]) -> Sequence[NewOutbox]:
        """Return the last edit, and further messages where one is not enough."""
        first, *others = answer
        # Part 0, not a message id: the placeholder may still be on its way, or be lost. The sender looks its message up
        # when the edit is due, and sends a new message if there is none.
        edit = edit_of_part(self._lane, first, turn_id=self._turn_id, part=1, edited_part=0, reply_to=self._reply_to)
        return [edit, *answer_rows(self._lane, others, turn_id=self._turn_id, first_part=2)]

    async def _send_placeholder(self) -> None:
        # Through the outbox, since its message id has to survive a crash. If it is unknown whether the placeholder has
        # arrived, there is no id, and nothing is shown before the answer.
        self._shown = EntityText(self._thinking())
        row = placeholder_row(
            self._lane, self._shown.text, turn_id=self._turn_id, reply_to=self._reply_to, reply_markup=self._markup
        )
        self._message_id = await self._sender.post_and_wait(row)


def _entities(shown: EntityText) -> list[MessageEntity] | None:
    return [MessageEntity(**entity.as_parameter()) for entity in shown.entities] or None
