"""Shows an answer in a chat while it is written, and hands over its final form.

In private chats a draft grows (Bot API: sendMessageDraft) and the answer is a message of its own. Elsewhere there are
no drafts: a placeholder is sent through the outbox, edited at intervals, and its last edit is the answer. What is shown
on the way may be late, thinned out or missing; the ending goes through the outbox and can't be.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from tgllm.api import ReasoningDelta, StreamEvent, TextDelta
from tgllm.api.clock import Clock
from tgllm.bot.failures import NOT_MODIFIED, classify
from tgllm.bot.limiter import Limiter
from tgllm.bot.outcomes import final_payloads
from tgllm.bot.rendering.payloads import Payload, RichMode
from tgllm.db.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.text import mend_surrogates
from tgllm.services.turn import Turn, TurnOutcome

__all__ = ["ChatSink", "Display", "Pace"]

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Pace:
    """How often a display changes; all in seconds."""

    first_delay: float
    """Text gathers that long before anything is shown: a quick answer needs no preview."""
    interval: float
    keep_alive: float
    """An unchanged display is refreshed after that long; Telegram drops a draft after about 30."""
    last_call: float = 3.0
    """How long the end of an answer waits for a preview that is on its way, so that it can't arrive after it."""


class Display(Protocol):
    """One way of showing a growing text."""

    async def show(self, text: str) -> None:
        """Make the display show ``text``; empty means that the model still thinks."""
        ...

    def finish(self, answer: Sequence[Payload]) -> Sequence[NewOutbox]:
        """The outbox rows that leave the answer, at least one message, in the chat for good."""
        ...


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
        *,
        rich: RichMode = "auto",
    ) -> None:
        """Prepare to show ``turn`` in ``display``, and to end it with rich messages where ``rich`` says so."""
        self._turn = turn
        self._texts = texts
        self._display = display
        self._limiter = limiter
        self._clock = clock
        self._pace = pace
        self._rich: RichMode = rich
        self._pieces: list[str] = []
        self._changed = asyncio.Event()
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

    def show(self, event: StreamEvent) -> None:
        """Take note of an event; the display follows at its own pace."""
        match event:
            case TextDelta(text):
                self._pieces.append(text)
                self._changed.set()
            case ReasoningDelta():
                self._changed.set()
            case _:
                pass

    async def finish(self, outcome: TurnOutcome) -> Sequence[NewOutbox]:
        """End the display; the rows hold the whole answer, or what there is of it and why."""
        await self._end_display()
        return self._display.finish(final_payloads(outcome, self._texts, self._turn.user.language, self._rich))

    async def _stream(self) -> None:
        """Show the latest state, never sooner than the pace and Telegram's limits allow."""
        await self._clock.sleep(self._pace.first_delay)
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.keep_alive):
                    await self._changed.wait()
            while (wait := self._limiter.wait_for(self._turn.chat.id)) > 0:
                await self._clock.sleep(wait)
            self._changed.clear()
            if not await self._show_once():
                return
            await self._clock.sleep(self._pace.interval)

    async def _show_once(self) -> bool:
        """Show the present state; False if the display can't work in this chat."""
        text = "".join(self._pieces)
        self._pieces[:] = [text]
        text = mend_surrogates(text)
        try:
            async with self._calling:
                await self._display.show(text)
        except Exception as error:  # noqa: BLE001  a preview may fail in any way; the ending does not depend on it
            failure = classify(error)
            log.info("stream.preview_failed", turn=self._turn.id, reason=failure.reason, meaning=failure.meaning)
            return failure.meaning in {"wait", "retry", "unknown"} or NOT_MODIFIED in failure.reason
        return True

    async def _end_display(self) -> None:
        """Stop showing. A call on its way is waited for, so that it can't arrive after the answer."""
        task, self._task = self._task, None
        if task is None:
            return
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(self._pace.last_call), self._calling:
                    task.cancel()
        finally:
            task.cancel()
        await asyncio.wait({task})
        if task.cancelled() or task.exception() is None:
            return
        log.error("stream.failed", turn=self._turn.id, error=repr(task.exception()))
