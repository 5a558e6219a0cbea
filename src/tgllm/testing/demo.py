"""Demonstration of the real bot on an emulated Telegram, with a tiny model where one is installed."""

import tempfile
from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from aiohttp import ClientSession

from tgllm.api.clock import SystemClock
from tgllm.plugins.builtin.echo import EchoProvider
from tgllm.plugins.discovery import FoundPlugin
from tgllm.testing.demo_bot import DemoBot, DemoSettings
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.bots import new_token
from tgllm.testing.emulator.state.records import EmulatedDraft, EmulatedMessage
from tgllm.testing.emulator.state.suggestions import Suggestion
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.local.plugins import LocalPlugins, Tried
from tgllm.testing.samples.calls import CALL_SAMPLES, HINT
from tgllm.testing.samples.provider import DemoProvider
from tgllm.testing.samples.samples import SAMPLES
from tgllm.testing.samples.tools import DEMO_TOOLS
from tgllm.testing.tiny_model import NAME, NoTinyModel, tiny_model

__all__ = ["QUESTIONS", "Demo", "Line", "open_demo"]

WAIT_SECONDS = 30.0
"""Timeout of a line of the script; reached only after a failure."""
COMMAND_SECONDS = 10.0
"""Timeout of the reply to a command of a plugin, which may have none."""

QUESTIONS = {
    NAME: "What is the capital of France? Answer in one short sentence.",
    "": "Dear bot, say this back to me, and let me watch the answer grow word by word.",
}
"""Ann's question, by model; "" for any other model."""

_LOCAL_SETTINGS = "TGLLM_PLUGINS__LOCAL__"
_WORD_SECONDS = 0.12
_SAMPLE_WORD_SECONDS = 0.06
_GREETINGS = {
    NAME: (
        f"👋 This is a demo. I answer with {NAME}, a tiny language model on this computer: it shows how a bot works, "
        "and is often wrong. Try the suggestions as well; except for the story, their answers were written beforehand. "
        f"{HINT}"
    ),
    "echo": (
        "👋 This is a demo without a language model: I say back what you write. Try the suggestions as well; their "
        f"answers were written beforehand. {HINT}"
    ),
    "": "👋 This is a demo. I answer with the model {model}. Write to me, or try the suggestions.",
}
"""The first message to Ann, by model; "" for any other model."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the scripted conversation."""

    speaker: str
    text: str
    kind: Literal["said", "draft"] = "said"
    """``draft``: a preview of the growing answer."""


class Demo:
    """The emulator, its users, and the bot."""

    def __init__(self, emulator: Emulator, model: str, why_echo: str = "") -> None:
        """Add Ann, the bot's admin, and Eve, a new user; ``model`` answers, and ``why_echo`` is why it is no better."""
        self.model = model
        """Name of the model that answers: that of the tiny one, ``echo``, or a reference that the visitor chose."""
        self.why_echo = why_echo
        """Reason why the tiny model does not answer; empty if it does, or if another model was chosen."""
        self.bot: DemoBot | None = None
        self.tried: list[Tried] = []
        """How the plugins that are not installed were loaded at the start."""
        self.emulator = emulator
        self.ann = emulator.add_user(first_name="Ann", language_code="en")
        self.eve = emulator.add_user(first_name="Eve", language_code="en")
        # Bots can't start a chat, and the card of Eve's request is sent before Ann's first message.
        self.ann.private_chat()

    @property
    def page_url(self) -> str:
        """URL of the chat page."""
        return self.emulator.page_url

    async def script(self) -> AsyncGenerator[Line]:
        """Run the script: an admin approves a new user and asks a question, the answer is streamed, ``/ping`` works.

        Raises:
            TimeoutError: the bot does not answer.
        """
        async for line in self._ask(self.eve, "/start May I talk to you?"):
            yield line
        async for line in self._approve():
            yield line
        async for line in self._ask(self.ann, QUESTIONS.get(self.model, QUESTIONS[""])):
            yield line
        async for line in self._ask(self.ann, "/ping"):
            yield line

    async def try_commands(self) -> AsyncGenerator[Line]:
        """Send the chat commands of the plugins that are not installed, as Ann and without arguments."""
        for command in [name for tried in self.tried for trial in tried.trials for name in trial.commands]:
            try:
                async for line in self._ask(self.ann, f"/{command}", COMMAND_SECONDS, with_buttons=True):
                    yield line
            except TimeoutError:
                yield Line("Bot", f"(no reply within {COMMAND_SECONDS:g} s)")

    async def reload(self) -> list[Tried]:
        """Load those plugins again of which files have changed; the chats stay. The list is empty if there are none.

        Called in the task that has opened the demo.
        """
        return [] if self.bot is None else await self.bot.reload()

    async def _approve(self) -> AsyncGenerator[Line]:
        """Press the first button of the card of Eve's request as Ann, and wait for Eve's notification."""
        chat = self.eve.private_chat()
        private = self.ann.private_chat()
        card = await self.emulator.wait_for_message(private, lambda it: bool(it.buttons), timeout=WAIT_SECONDS)
        label = card.buttons[0].text
        yield Line(f"{self.ann.first_name} presses", label)
        before = chat.messages[-1]
        await self.ann.press(card, label)
        told = await self.emulator.wait_for_message(chat, timeout=WAIT_SECONDS, after=before)
        yield Line("Bot", told.text)

    async def _ask(
        self, user: EmulatedUser, text: str, seconds: float = WAIT_SECONDS, *, with_buttons: bool = False
    ) -> AsyncGenerator[Line]:
        chat = user.private_chat()
        asked = await user.say(text)
        yield Line(user.first_name, text)
        shown = ""

        def news() -> EmulatedDraft | EmulatedMessage | None:
            answers = (message for message in chat.messages if message.from_bot and message.id > asked.id)
            growing = (draft for draft in chat.drafts.values() if draft.text not in {"", shown})
            return next(answers, None) or next(growing, None)

        while isinstance(it := await self.emulator.wait_for(news, seconds), EmulatedDraft):
            shown = it.text
            yield Line("Bot", shown, "draft")
        yield Line("Bot", " ".join([it.text, *(f"[{label}]" for label in it.labels if with_buttons)]))


@asynccontextmanager
async def open_demo(
    *,
    port: int = 0,
    plugins: Iterable[FoundPlugin] = (),
    environ: Mapping[str, str] | None = None,
    model: str | None = None,
    local: LocalPlugins | None = None,
) -> AsyncGenerator[Demo]:
    """Start emulator and bot; their files are deleted at the end.

    Args:
        port: port of the chat page on 127.0.0.1; 0 chooses a free one.
        plugins: additional plugins of the bot.
        environ: environment variables with settings; none by default.
        model: ``echo``, or a model reference; by default the first model of a plugin that is not installed, the tiny
            model, or the echo provider.
        local: plugins that are not installed, in place of installed ones with the same ids.

    Raises:
        OSError: the port is in use.
        ConfigError: a setting in the variables is invalid.
    """
    plugins, local = (*plugins, DEMO_TOOLS), local or LocalPlugins(())
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="tgllm-demo-")))
        emulator = await stack.enter_async_context(Emulator(port=port, username="demo_bot", token=new_token()))
        tried = await local.load()
        why_echo, prefers_local = "", model is None
        if prefers_local and local.model:
            name, model = local.model, "echo/echo"
        elif model in {None, "echo", "echo/echo"}:
            provider, name, why_echo = await _provider(stack, plugins, folder, wants_echo=model is not None)
            if not why_echo and not any(key.startswith(_LOCAL_SETTINGS) for key in environ or {}):
                # Its model is offered by the demo's provider; a second provider would only say that it has none.
                plugins = tuple(plugin for plugin in plugins if plugin.id != "local")
            plugins, model = (*plugins, provider.plugin), f"demo/{name}"
        else:
            name = model or ""
        demo = Demo(emulator, name, why_echo)
        settings = DemoSettings(plugins, environ or {}, model or name, prefers_local=prefers_local)
        demo.bot = DemoBot(emulator, folder / "bot", [demo.ann.id], settings, local)
        await stack.enter_async_context(demo.bot)
        demo.tried = demo.bot.checked(tried)
        commands = [Suggestion(f"🔌 /{name}", f"/{name}") for trial in local.trials for name in trial.commands]
        suggested = [*CALL_SAMPLES, *SAMPLES]
        emulator.suggestions = [*commands, *(sample.suggestion for sample in suggested)]
        await _greet(emulator, demo.ann, _GREETINGS.get(name, _GREETINGS[""]).replace("{model}", name))
        yield demo


async def _provider(
    stack: AsyncExitStack, plugins: Iterable[FoundPlugin], folder: Path, *, wants_echo: bool
) -> tuple[DemoProvider, str, str]:
    """Return the provider, the name of its model, and why that is not the tiny one, unless echo is wanted."""
    clock, why_echo = SystemClock(), ""
    if not wants_echo:
        try:
            tiny = await stack.enter_async_context(tiny_model(plugins, folder / "model"))
            return DemoProvider(tiny.provider, tiny.id, NAME, clock, delay=_SAMPLE_WORD_SECONDS), NAME, ""
        except NoTinyModel as error:
            why_echo = str(error)
    echo = EchoProvider(clock, _WORD_SECONDS)
    return DemoProvider(echo, "echo", "echo", clock, delay=_SAMPLE_WORD_SECONDS), "echo", why_echo


async def _greet(emulator: Emulator, user: EmulatedUser, text: str) -> None:
    """Send the first message of the bot; no command of the bot does that."""
    url = f"{emulator.base_url}/bot{emulator.token}/sendMessage"
    async with (
        ClientSession(raise_for_status=True) as session,
        session.post(url, json={"chat_id": user.id, "text": text}),
    ):
        pass
