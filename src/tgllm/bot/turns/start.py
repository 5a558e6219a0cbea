"""Starts the turn of a message, with the display that fits the chat."""

from collections.abc import Awaitable, Callable, Sequence

from tgllm.api import ModelRef
from tgllm.bot.scope import Scope
from tgllm.bot.streaming.answer_files import AnswerFiles
from tgllm.bot.streaming.displays import DraftDisplay, EditDisplay, draft_id_of
from tgllm.bot.streaming.pace import AdaptiveInterval, Pace
from tgllm.bot.streaming.preview import with_elapsed
from tgllm.bot.streaming.retry_button import RetryButton
from tgllm.bot.streaming.sink import ChatSink, Display, Look
from tgllm.bot.turns.attribution import question_to_quote
from tgllm.bot.turns.edits import begins_anew
from tgllm.bot.ui.proposal_cards import asking
from tgllm.bot.updates.raw import turn_id_of
from tgllm.db.tables import inbox
from tgllm.observe.logs import get_logger
from tgllm.services.conversations.request import reasoning_display
from tgllm.services.conversations.turn import Branch, Turn
from tgllm.services.files.attachment import Attachment

__all__ = ["is_too_fast", "run_turn"]

LONGEST_OF_DRAFTS = 5.0
"""Longest interval between two updates of a draft, in seconds; Telegram drops a draft that is not updated."""
LONGEST_OF_EDITS = 15.0
"""Longest interval between two edits of a message, in seconds."""


async def run_turn(  # noqa: PLR0913  all but three are keyword-only with defaults
    scope: Scope,
    question: str,
    message_ids: Sequence[int],
    *,
    branch: Branch | None = None,
    model: ModelRef | None = None,
    title: str = "",
    attachments: tuple[Attachment, ...] = (),
    file_ids: tuple[int, ...] = (),
    has_words: bool = True,
) -> None:
    """Answer a question; its update is finished when the answer is stored. Rate-limited users get no answer.

    If the question was edited since its update was claimed, the update is restarted instead.

    Args:
        scope: the update.
        question: as the model reads it.
        message_ids: ids of the messages that contain the question, in order.
        branch: the place in the conversation that it continues; None: the end.
        model: model that answers instead of the chat's.
        title: title of a conversation that begins with the question; empty: its present title, or the question.
        attachments: files that belong to the question, which are received in the turn.
        file_ids: ids of stored files that belong to the question.
        has_words: whether the question has words of the person, and not only files.
    """
    ending = scope.ending(message_ids)
    # No await may come between these checks and the registration of the turn, from which on an edit stops it.
    core = scope.core
    if core.database.is_server and await is_too_fast(scope):
        # A transaction, so that it comes before the check for edits.
        return
    if await begins_anew(scope) or (not core.database.is_server and await is_too_fast(scope)):
        return
    turn = Turn(
        id=turn_id_of(scope.row.update_id),
        lane=scope.lane.key,
        user=scope.user,
        chat=scope.chat,
        text=question,
        message_id=message_ids[0] if message_ids else None,
        more_message_ids=message_ids[1:],
        attempt=scope.row.attempts,
        branch=branch,
        model=model,
        title=title,
        attachments=attachments,
        file_ids=file_ids,
        has_words=has_words,
    )
    pace = _pace(scope)
    look = _look(scope, turn, scope.parts.intervals.of(scope.chat.id, pace))
    sink = ChatSink(turn, _display(scope, turn), scope.parts.limiter, core.clock, pace, core.texts, look)
    async with sink:
        await core.conversations.run(
            turn,
            _with_button(scope, sink, turn),
            asking(scope, turn.id),
            ending,
            asking=_note_of_call(scope),
            downloader=scope.parts.downloads,
            ahead=scope.first_look.ahead,
        )


def _note_of_call(scope: Scope) -> Callable[[], Awaitable[None]] | None:
    """Return what notes that the model is called; None if a crash of this start would not count anyway."""
    if not scope.row.crashes and scope.config.turns.attempts > 1:
        return None
    return lambda: scope.write(lambda conn: inbox.mark_asked(conn, scope.row.update_id))


def _with_button(scope: Scope, sink: ChatSink, turn: Turn) -> RetryButton:
    whole = scope.text("button.regenerate") if scope.config.rendering.regenerate_button else None
    failed, cut = scope.text("button.retry"), scope.text("button.continue")
    code_lines = scope.config.rendering.code_lines
    return RetryButton(sink, turn.id, failed=failed, whole=whole, cut=cut, code_lines=code_lines)


def _look(scope: Scope, turn: Turn, interval: AdaptiveInterval) -> Look:
    core = scope.core
    rendering = core.config.rendering
    return Look(
        rendering.rich,
        lambda: scope.read(lambda conn: reasoning_display(conn, turn)),
        AnswerFiles(core.storage, core.clock, rendering.file_over),
        interval,
        scope.parts.renderer,
        question_to_quote(scope, turn) if scope.chat.is_private else None,
        core.errors,
    )


def _display(scope: Scope, turn: Turn) -> Display:
    parts, clock = scope.parts, scope.clock
    if scope.chat.is_private:
        return DraftDisplay(parts.bot, scope.lane, turn.id, draft_id_of(scope.row.update_id))
    began_at = clock.monotonic()

    def thinking() -> str:
        elapsed = clock.monotonic() - began_at
        return with_elapsed(scope.text("stream.thinking"), elapsed, scope.core.texts, scope.language)

    return EditDisplay(
        parts.bot,
        parts.sender,
        scope.lane,
        turn.id,
        reply_to=turn.message_id,
        thinking=thinking,
        stop=scope.text("button.stop"),
    )


def _pace(scope: Scope) -> Pace:
    streaming = scope.config.streaming
    if scope.chat.is_private:
        return Pace(streaming.first_delay, streaming.draft_interval, streaming.keep_alive, longest=LONGEST_OF_DRAFTS)
    return Pace(streaming.first_delay, streaming.edit_interval, streaming.keep_alive, longest=LONGEST_OF_EDITS)


log = get_logger(__name__)


async def is_too_fast(scope: Scope) -> bool:
    """Return whether the rate limit drops the question; then its update is finished, once a minute with a notice."""
    user, settings = scope.user, scope.config.budgets
    if user.is_admin and settings.admins_exempt:
        return False
    rate, database = scope.core.message_rate, scope.core.database
    pace = await rate.take_shared(database, user.id) if database.is_server else rate.take(user.id)
    if pace == "ok":
        return False
    log.info("turn.too_fast", user=user.id)
    if pace == "first":
        await scope.reply(scope.text("budget.too_fast", count=settings.messages_per_minute))
    else:
        await scope.end()
    return True
