"""Renders texts: short ones at once, long ones in a process of its own, within a time limit.

A thread would not do: it can't be ended, it takes turns with the event loop, and a single call of the parser or of a
regular expression holds the interpreter until it returns.
"""

import asyncio
from typing import Any

from tgllm.bot.renderer.process import RenderProcess
from tgllm.bot.renderer.wire import Task, payloads_from
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMode
from tgllm.observe.content import handling
from tgllm.services.common.text import clip, mend_surrogates
from tgllm.services.errors.reports import LoggedOnly, Reporter

__all__ = ["INLINE_CHARS", "Renderer"]

INLINE_CHARS = 20_000
"""Longest text that is rendered on the event loop, which takes about 20 ms; sending it to the process costs 2 ms."""


class Renderer:
    """Renders one long text at a time. Each waits for its place and for its result at most for the time limit."""

    def __init__(self, seconds: float = 5.0, errors: Reporter | None = None) -> None:
        """Create the renderer; the process is started when it is first needed.

        Args:
            seconds: time limit.
            errors: where mistakes in formatting are reported; the log by default.
        """
        self._errors = errors or LoggedOnly()
        self._seconds = seconds
        self._process = RenderProcess()
        self._place = asyncio.Lock()

    async def render(self, markdown: str, *, rich: RichMode = "auto", plain: str | None = None) -> list[Payload]:
        """Return the messages that show a text, as ``rendering.render.render`` does.

        If rendering fails or takes too long, they are plain text, without any loss.

        Args:
            markdown: the text.
            rich: whether to use rich messages.
            plain: the text to send as plain text; None: ``markdown``.
        """
        try:
            if len(markdown) <= INLINE_CHARS:
                from tgllm.bot.rendering.render import render  # noqa: PLC0415  late, see ``bot.loading``

                return render(markdown, rich=rich)
            return payloads_from(await self._run("render", markdown, rich))
        except Exception as error:  # noqa: BLE001  a mistake in formatting must not cost the text
            self._report(error, markdown)
            return plain_messages(markdown if plain is None else plain)

    async def beginning(self, markdown: str, limit: int) -> list[Payload]:
        """Return the beginning of a text, as ``rendering.render.render_beginning`` does; plain text if that fails."""
        try:
            if len(markdown) <= INLINE_CHARS:
                from tgllm.bot.rendering.render import render_beginning  # noqa: PLC0415  late, see ``bot.loading``

                return render_beginning(markdown, limit)
            # The process parses the whole text, since its end may define the links of its beginning.
            return payloads_from(await self._run("beginning", markdown, limit))
        except Exception as error:  # noqa: BLE001  a mistake in formatting must not cost the text
            self._report(error, markdown)
            text = clip(mend_surrogates(markdown[: 4 * limit]).strip(), limit)
            return [EntityText(text)] if text else []

    async def asks_for_rich(self, markdown: str) -> bool:
        """Return whether ``auto`` uses rich messages for a text; False if that is not known in time."""
        try:
            if len(markdown) <= INLINE_CHARS:
                from tgllm.bot.rendering.render import asks_for_rich  # noqa: PLC0415  late, see ``bot.loading``

                return asks_for_rich(markdown)
            return bool(await self._run("asks_for_rich", markdown, None))
        except Exception as error:  # noqa: BLE001  a mistake in formatting must not cost the text
            self._report(error, markdown)
            return False

    async def aclose(self) -> None:
        """End the process."""
        await self._process.aclose()

    def _report(self, error: Exception, markdown: str) -> None:
        with handling(lambda: [markdown]):
            self._errors.report(error, event="render.failed", chars=len(markdown))

    async def _run(self, task: Task, text: str, option: str | int | None) -> Any:  # noqa: ANN401  JSON
        async with asyncio.timeout(self._seconds):
            await self._place.acquire()
        try:
            return await self._process.run(task, text, option, self._seconds)
        finally:
            self._place.release()


def plain_messages(text: str) -> list[Payload]:
    """Return a text as plain messages, without those that have no visible text, which Telegram rejects."""
    from tgllm.bot.rendering.split import is_visible, split_text  # noqa: PLC0415  late, see ``bot.loading``

    return [EntityText(part) for part in split_text(mend_surrogates(text)) if is_visible(part)]
