"""Shows an answer in a chat while it is being written, and returns its final form.

In private chats a draft is updated (Bot API: sendMessageDraft) and the answer is a new message. Other chats have no
drafts: a placeholder is sent through the outbox and edited at intervals, and its last edit is the answer. Previews may
be late, skipped or missing; the final answer goes through the outbox, so it is delivered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any, Protocol, Self, TypeAlias

from aiogram.exceptions import TelegramBadRequest

from tgllm.api.clock import Clock
from tgllm.bot.delivery.files import media_payload
from tgllm.bot.delivery.rows import as_reply, document_row
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.rendering.notes import with_note
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMode
from tgllm.bot.streaming.answer_files import AnswerFiles
from tgllm.bot.streaming.outcomes import beginning_payloads, final_payloads
from tgllm.bot.streaming.pace import AdaptiveInterval, Pace
from tgllm.bot.streaming.preview import Preview
from tgllm.bot.telegram.failures import NOT_MODIFIED, CallFailure, classify, is_unexpected
from tgllm.bot.telegram.limiter import Limiter
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.chats.settings import ReasoningDisplay
from tgllm.services.common.lane import Lane
from tgllm.services.conversations.turn import ShownEvent, Turn, TurnOutcome
from tgllm.services.errors.reports import LoggedOnly, Reporter

__all__ = ["ChatSink", "Display", "Look"]

log = get_logger(__name__)

# The states of a display, in their order: why each exists, and what a crash in it costs.
#
# gathering  For ``Pace.first_delay`` nothing is shown. A quick answer needs no preview, and a call for it would count
#            against the limits of the chat.
# waiting    Until there is something else to show or the draft would fade, and then until the limiter has room. Changes
#            are not queued: what is shown next is the state by then.
# calling    ``_calling`` is held, so that the end can wait for the call. A preview that arrived after the answer would
#            overwrite it in a group, and stand below it in a private chat.
# pausing    For the interval of the chat, which grows when Telegram complains: previews use what answers leave over.
# abandoned  Telegram refuses previews in this chat. The model goes on, and the answer is sent all the same.
# ended      No call will follow. Only then are the rows of the answer made.
#
# All of this is in memory, and a crash costs what was shown, nothing else. The draft of a private chat fades by itself;
# the next attempt has the same draft id. The placeholder of a group is a row of the outbox; the next attempt finds it
# there and goes on in the same message. If there is no next attempt, its message is edited to say so
# (``tgllm.bot.intake.given_up``).

ThoughtsSetting: TypeAlias = Callable[[], Awaitable[ReasoningDisplay]]
"""Reads how the chat shows reasoning; called once, and only if the model sends reasoning."""


@dataclass(frozen=True, slots=True)
class Look:
    """How an answer is shown in its chat."""

    rich: RichMode = "auto"
    """Whether the final answer uses rich messages."""
    thoughts: ThoughtsSetting | None = None
    """Whether previews show reasoning; None: never."""
    files: AnswerFiles | None = None
    """Writes answers that are too long for messages as files; None: all answers are messages."""
    interval: AdaptiveInterval | None = None
    """The chat's interval from earlier answers; None: starts with the pace's interval."""
    renderer: Renderer = field(default_factory=Renderer)
    """Renders the answer."""
    question_to_quote: Callable[[Connection], int | None] | None = None
    """Returns the message to which the answer is a reply, or None; called when the answer is stored. None: the display
    decides."""
    errors: Reporter = field(default_factory=LoggedOnly)
    """Where unexpected errors are reported."""


class Display(Protocol):
    """One way of showing a growing text."""

    needs_text: bool
    """Whether the final answer has to begin with a text: it replaces a message."""

    async def show(self, shown: EntityText) -> None:
        """Show a preview; an empty one is shown as a note that the model is thinking."""
        ...

    def finish(self, answer: Sequence[Payload]) -> Sequence[NewOutbox]:
        """Return the outbox rows of the final answer, which has at least one message."""
        ...


_PLAIN = Look()
_ROUNDING = 1e-6
"""Tolerance in seconds: a sleep may end slightly early."""


class ChatSink:
    """The sink of a turn in Telegram. An asynchronous context manager: leaving it ends the display."""

    def __init__(
        self,
        turn: Turn,
        display: Display,
        limiter: Limiter,
        clock: Clock,
        pace: Pace,
        texts: Catalogue,
        look: Look = _PLAIN,
    ) -> None:
        """Create the sink of a turn; entering it starts the display.

        Args:
            turn: the turn.
            display: shows the previews and the answer.
            limiter: decides when the chat can take a change.
            clock: for times and waits.
            pace: how often the display changes.
            texts: the bot's texts.
            look: how the answer is shown.
        """
        self._errors = look.errors
        self._turn = turn
        self._texts = texts
        self._display = display
        self._limiter = limiter
        self._clock = clock
        self._pace = pace
        self._look = look
        self._preview = Preview(texts, turn.user.language)
        self._thoughts: ReasoningDisplay | None = None
        self._interval = look.interval or AdaptiveInterval(pace)
        self._is_plain = False
        """Whether previews have no formats any more: Telegram has refused one that had some."""
        self._shown: EntityText | None = None
        self._shown_at = 0.0
        self._began_at = clock.monotonic()
        self._changed = asyncio.Event()
        # The first thing to show is that the model thinks.
        self._changed.set()
        self._calling = asyncio.Lock()
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._stream(), name=f"stream {self._turn.id}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._end_display()

    def show(self, event: ShownEvent) -> None:
        """Add an event; the display is updated at its own pace."""
        if self._preview.add(event):
            self._changed.set()

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """End the display; return the rows of the answer, or of its text so far and the reason why it is incomplete."""
        await self._end_display()
        renderer, words = self._look.renderer, (outcome, self._texts, self._turn.user.language)
        written = self._look.files
        document = None if written is None else await written.document(renderer, *words)
        if document is None:
            texts = await final_payloads(renderer, *words, self._look.rich)
            files: list[dict[str, Any]] = []
        else:
            texts, files = await beginning_payloads(renderer, *words), [document]
        if written is not None and outcome.tools.files:
            of_tools, note = await written.of_tools(*words)
            texts, files = with_note(texts, note), [*files, *of_tools]
        files += [await media_payload(file.part.path, file.part.name or "", kept=True) for file in outcome.files]
        rows, question = self._rows(texts, files), self._look.question_to_quote
        return rows if question is None else as_reply(rows, question)

    def _rows(self, texts: Sequence[Payload], files: Sequence[Mapping[str, Any]]) -> Sequence[NewOutbox]:
        """Return the rows of an answer: first its text, then its files."""
        if not texts and (self._display.needs_text or not files):
            language = self._turn.user.language
            words = self._texts("turn.only_files", language, count=len(files)) if files else ""
            texts = [EntityText(words or self._texts("turn.empty_answer", language))]
        rows = self._display.finish(texts) if texts else ()
        lane, first = Lane.parse(self._turn.lane), rows[-1].part + 1 if rows else 0
        return [
            *rows,
            *(document_row(lane, file, turn_id=self._turn.id, part=part) for part, file in enumerate(files, first)),
        ]

    async def _stream(self) -> None:
        """Show the latest state, never sooner than the pace and Telegram's limits allow."""
        await self._clock.sleep(self._pace.first_delay)
        while True:
            await self._wait_for_change()
            while (wait := self._limiter.wait_for(self._turn.chat.id)) > 0:
                await self._clock.sleep(wait)
            # Before the state is read: a change during the call is shown after the pause.
            self._changed.clear()
            if not await self._show_once():
                return
            await self._clock.sleep(self._interval.seconds)

    async def _wait_for_change(self) -> None:
        """Wait until the preview has changed, or the display has to be refreshed."""
        if self._changed.is_set():
            return
        if self._preview.waits_for_person:
            # It may take hours, and the card stands in the chat: the draft may fade, and costs no calls.
            await self._changed.wait()
            return
        async with asyncio.TaskGroup() as group:
            refresh = group.create_task(self._refresh_in_time())
            await self._changed.wait()
            refresh.cancel()

    async def _refresh_in_time(self) -> None:
        await self._clock.sleep(self._until_refresh())
        self._changed.set()

    def _until_refresh(self) -> float:
        """Return the seconds until an unchanged display has to be refreshed."""
        return self._shown_at + self._pace.keep_alive - self._clock.monotonic()

    async def _show_once(self) -> bool:
        """Show the current state; return False if the display can't work in this chat."""
        frame = EntityText("")
        try:
            frame = await self._frame()
            # Not only after a wait: a model may think all the time, and none of it is to be seen.
            if frame != self._shown or self._until_refresh() < _ROUNDING:
                await self._show(frame)
        except Exception as error:  # noqa: BLE001  a preview may fail in any way; the ending does not depend on it
            if is_unexpected(error):
                self._errors.report(error, event="stream.broken", turn=self._turn.id, user=self._turn.user.id)
            failure = classify(error)
            if not is_unexpected(error):
                log.info("stream.preview_failed", turn=self._turn.id, reason=failure.reason, meaning=failure.meaning)
            # It is tried again with what there is by then.
            self._interval.slow_down()
            self._changed.set()
            return failure.meaning in {"wait", "retry", "unknown"} or self._becomes_plain(frame, failure)
        return True

    async def _frame(self) -> EntityText:
        elapsed = self._clock.monotonic() - self._began_at
        # On the loop: the preview keeps only the end of the answer.
        frame = self._preview.frame(await self._display_of_thoughts(), elapsed)
        return EntityText(frame.text) if self._is_plain else frame

    def _becomes_plain(self, refused: EntityText, failure: CallFailure) -> bool:
        """Drop formatting from now on if Telegram may have rejected it; return False if that was not the reason."""
        if failure.meaning != "rejected" or not refused.entities:
            return False
        self._is_plain = True
        return True

    async def _show(self, frame: EntityText) -> None:
        async with self._calling:
            self._shown_at = self._clock.monotonic()
            try:
                await self._display.show(frame)
            except TelegramBadRequest as error:
                if NOT_MODIFIED not in error.message:
                    raise
        self._shown = frame
        self._interval.speed_up()

    async def _display_of_thoughts(self) -> ReasoningDisplay:
        if self._look.thoughts is None or not self._preview.has_thoughts:
            return "hidden"
        if self._thoughts is None:
            self._thoughts = await self._look.thoughts()
        return self._thoughts

    async def _end_display(self) -> None:
        """Stop the display. Wait for a call under way, which must not arrive after the answer."""
        task = self._task
        if task is None:
            return
        try:
            # Not longer: the answer must not wait for a preview. One that is cut may arrive late, which is rare.
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.last_call), self._calling:
                    task.cancel()
        finally:
            task.cancel()
        # If this wait is cancelled too, leaving the sink waits again.
        await asyncio.wait({task})
        self._task = None
        failed = None if task.cancelled() else task.exception()
        if failed is None:
            return
        self._errors.report(failed, event="stream.failed", turn=self._turn.id, user=self._turn.user.id)
