"""Demonstration of the real bot on an emulated Telegram, by default with the echo provider."""

import tempfile
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from tgllm.plugins.discovery import FoundPlugin
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.bots import new_token
from tgllm.testing.emulator.state.records import EmulatedDraft, EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser

__all__ = ["Demo", "Line", "open_demo"]

WAIT_SECONDS = 30.0
"""Timeout of a line of the script; reached only after a failure."""

QUESTION = "Dear bot, say this back to me, and let me watch the answer grow word by word."


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scripted conversation."""

    speaker: str
    text: str
    kind: Literal["said", "draft"] = "said"
    """``draft``: a preview of the growing answer."""


class Demo:
    """The emulator, its users, and the bot."""

    def __init__(self, emulator: Emulator) -> None:
        """Add Ann, the bot's admin, and Eve, a new user."""
        self._emulator = emulator
        self.ann = emulator.add_user(first_name="Ann", language_code="en")
        self.eve = emulator.add_user(first_name="Eve", language_code="en")
        # Bots can't start a chat, and the card of Eve's request is sent before Ann's first message.
        self.ann.private_chat()

    @property
    def page_url(self) -> str:
        """URL of the chat page."""
        return self._emulator.page_url

    async def script(self) -> AsyncGenerator[Line]:
        """Run the script: an admin approves a new user and asks a question, the answer is streamed, ``/ping`` works.

        Raises:
            TimeoutError: the bot does not answer.
        """
        async for line in self._ask(self.eve, "/start May I talk to you?"):
            yield line
        async for line in self._let_in():
            yield line
        async for line in self._ask(self.ann, QUESTION):
            yield line
        async for line in self._ask(self.ann, "/ping"):
            yield line

    async def _let_in(self) -> AsyncGenerator[Line]:
        """Press the first button of the card of Eve's request as Ann, and wait for Eve's notification."""
        chat = self.eve.private_chat()
        private = self.ann.private_chat()
        card = await self._emulator.wait_for_message(private, lambda it: bool(it.buttons), timeout=WAIT_SECONDS)
        label = card.buttons[0].text
        yield Line(f"{self.ann.first_name} presses", label)
        before = chat.messages[-1]
        await self.ann.press(card, label)
        told = await self._emulator.wait_for_message(chat, timeout=WAIT_SECONDS, after=before)
        yield Line("Bot", told.text)

    async def _ask(self, user: EmulatedUser, text: str) -> AsyncGenerator[Line]:
        chat = user.private_chat()
        asked = await user.say(text)
        yield Line(user.first_name, text)
        shown = ""

        def news() -> EmulatedDraft | EmulatedMessage | None:
            answers = (message for message in chat.messages if message.from_bot and message.id > asked.id)
            growing = (draft for draft in chat.drafts.values() if draft.text not in {"", shown})
            return next(answers, None) or next(growing, None)

        while isinstance(it := await self._emulator.wait_for(news, WAIT_SECONDS), EmulatedDraft):
            shown = it.text
            yield Line("Bot", shown, "draft")
        yield Line("Bot", it.text)


@asynccontextmanager
async def open_demo(
    *, port: int = 0, plugins: Iterable[FoundPlugin] = (), environ: Mapping[str, str] | None = None
) -> AsyncGenerator[Demo]:
    """Start emulator and bot; their files are deleted at the end.

    Args:
        port: port of the chat page on 127.0.0.1; 0 chooses a free one.
        plugins: additional plugins of the bot.
        environ: environment variables with settings; none by default.

    Raises:
        OSError: the port is in use.
        ConfigError: a setting in the variables is invalid.
    """
    with tempfile.TemporaryDirectory(prefix="tgllm-demo-") as folder:
        async with Emulator(port=port, username="demo_bot", token=new_token()) as emulator:
            demo = Demo(emulator)
            bot = running_bot(
                emulator,
                Path(folder),
                admins=[demo.ann.id],
                plugins=plugins,
                environ={"TGLLM_PLUGINS__ECHO__DELAY": "0.12", **(environ or {})},
                streaming__first_delay=0.3,
                streaming__draft_interval=0.5,
                streaming__edit_interval=0.5,
            )
            async with bot:
                yield demo
