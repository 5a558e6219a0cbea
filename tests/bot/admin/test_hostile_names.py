"""Names, titles and reasons that try to control the text around them, wherever admins see them."""

from collections.abc import AsyncGenerator, Sequence

import pytest

from bot_support import Menus, Start
from tgllm import hookimpl
from tgllm.api import ChatRequest, Finished, ModelInfo, PluginInfo, Provider, ProviderSpec, StreamEvent, Unavailable
from tgllm.observe.visible import is_safe
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.scripted import GivenPlugin

pytestmark = pytest.mark.once

CONTROLS = "\x1b[31m\x07\x08\r\x7f\x9b1m\x85\u202egpj\u2066\u2069\u200b\u200e\u200f\u2028\u2029\u2060\ufeff"
LINKS = "@evil_bot t.me/evil https://evil.example/x evil.example /block #tag $USD a@evil.example tg://user?id=1"
NAME = f"Eve{CONTROLS} {LINKS}\nForged line" + "\u0301" * 40
LINKED = {"mention", "url", "text_link", "hashtag", "cashtag", "email", "phone_number"}
OWN = "@eve_real"
"""What the bot itself writes."""


class Hostile(Provider):
    """A provider with texts of that kind."""

    def __init__(self, *, works: bool) -> None:
        self._works = works

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id=self._id, title=f"P{CONTROLS}", api="1.0")

    @property
    def _id(self) -> str:
        return "hostile" if self._works else "down"

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return (ProviderSpec(self._id, f"T{CONTROLS}", lambda _ctx: self),)

    async def list_models(self) -> Sequence[ModelInfo]:
        if not self._works:
            raise Unavailable(f"down{CONTROLS}\nForged line")
        return (ModelInfo(f"m{CONTROLS}", title=f"M{CONTROLS}\nForged line"), ModelInfo("n", title=CONTROLS))

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        del request
        if not self._works:
            raise Unavailable(f"down{CONTROLS}\nForged line")
        yield Finished()


PLUGINS = [GivenPlugin.of("hostile", Hostile(works=True)), GivenPlugin.of("down", Hostile(works=False))]


def check(message: EmulatedMessage) -> None:
    """Nothing in a message moves, hides, forges a line or can be clicked, but what the bot itself wrote."""
    texts = [message.text, *message.labels]
    assert [ascii(text) for text in texts if not is_safe(text)] == []
    assert not [line for line in message.text.splitlines() if line.startswith("Forged")]
    assert max((len(line) for line in message.text.splitlines()), default=0) < 500
    assert "\u0301" * 4 not in message.text
    units = message.text.encode("utf-16-le")
    for entity in message.entities:
        linked = units[2 * entity["offset"] : 2 * (entity["offset"] + entity["length"])].decode("utf-16-le")
        assert entity["type"] not in LINKED or linked == OWN, (entity, linked)
        assert not linked.startswith("/block")


@pytest.fixture
def eve(emu: Emulator) -> EmulatedUser:
    return emu.add_user(first_name=NAME, last_name=NAME, username="eve_real", language_code="en")


async def test_cards_notices_and_screens(
    emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title=NAME, members=[eve, ann])
    async with start(plugins=PLUGINS) as bot:
        chat = ann.private_chat()
        await eve.say(f"/start {LINKS}{CONTROLS}\nForged line")
        await emu.wait_for_message(chat, lambda message: bool(message.buttons))
        await eve.say("/help@demo_bot", chat=group)
        await emu.wait_for(lambda: len([message for message in chat.messages if message.buttons]) == 2)
        person, _ = [message for message in chat.messages if message.buttons]
        assert "@eve_real" in person.text
        await ann.press(person, person.labels[0])
        await emu.wait_for(lambda: not person.buttons)

        await bot.core.models.pull_and_sync_models()
        for command in (
            "users", "user @eve_real", "users eve", "groups", "audit", "audit @eve_real", "models", "refresh",
            "plugins", "errors", "stats", "stats models 1", "stats people 1", "jobs", "invites", "budget @eve_real",
        ):  # fmt: skip
            answered = await menus.ask(ann, f"/admin {command}")
            assert "ve" in answered.text or command not in {"users", "groups", "audit", "user @eve_real"}
        await menus.ask(ann, "/models")
        await menus.ask(ann, "/settings")
    shown = [message for message in chat.messages if message.from_bot]
    assert len(shown) > 15
    for message in (*shown, *(message for message in group.messages if message.from_bot)):
        check(message)
        for text, *_ in message.previous or ():
            assert is_safe(str(text))


async def test_the_notice_on_new_models(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    provider = Hostile(works=True)
    async with start(plugins=[GivenPlugin.of("hostile", provider)]) as bot:
        await bot.core.models.pull_and_sync_models()
        names = [f"x{CONTROLS}\nForged line", "y"]

        async def others() -> Sequence[ModelInfo]:
            return [ModelInfo(name) for name in names]

        provider.list_models = others  # type: ignore[method-assign]  a stand-in for this test
        await bot.core.models.pull_and_sync_models(announce=True)
        message = await emu.wait_for_message(ann.private_chat(), lambda it: "hostile/y" in it.text)
    check(message)
