"""Starts a turn for a message: the value, the display that fits the chat, and the sink."""

from tgllm.bot.displays import DraftDisplay, EditDisplay, draft_id_of
from tgllm.bot.scope import UpdateScope
from tgllm.bot.streaming import ChatSink, Display, Pace
from tgllm.services.turn import Turn

__all__ = ["run_turn", "turn_id_of"]


def turn_id_of(update_id: int) -> str:
    """The turn that an update begins: the same whenever it is begun."""
    return f"u{update_id}"


async def run_turn(scope: UpdateScope, question: str, message_id: int) -> None:
    """Answer a question; its update is done when the answer is stored."""
    assert scope.user is not None  # noqa: S101  the access middleware has set it
    core = scope.parts.core
    turn = Turn(
        id=turn_id_of(scope.row.update_id),
        lane=scope.lane.key,
        user=scope.user,
        chat=scope.chat,
        text=question,
        message_id=message_id,
        attempt=scope.row.attempts,
    )
    sink = ChatSink(turn, _display(scope, turn), scope.parts.limiter, core.clock, _pace(scope), core.texts)
    async with sink:
        await core.conversations.run(turn, sink, scope.ending())
    scope.parts.sender.wake()


def _display(scope: UpdateScope, turn: Turn) -> Display:
    parts = scope.parts
    if scope.chat.is_private:
        return DraftDisplay(parts.bot, scope.lane, turn.id, draft_id_of(scope.row.update_id))
    return EditDisplay(
        parts.bot,
        parts.sender,
        scope.lane,
        turn.id,
        reply_to=turn.message_id,
        thinking=scope.text("stream.thinking"),
        stop=scope.text("button.stop"),
    )


def _pace(scope: UpdateScope) -> Pace:
    streaming = scope.parts.core.config.streaming
    interval = streaming.draft_interval if scope.chat.is_private else streaming.edit_interval
    return Pace(streaming.first_delay, interval, streaming.keep_alive)
