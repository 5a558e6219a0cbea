"""Tools in chats of every kind: what is shown while they run, and what stands below the answer."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from bot_support import Menus, Start, content
from tgllm import hookimpl
from tgllm.api import OutgoingFile, PluginInfo
from tgllm.api.tools import Source, ToolOutput, ToolSpec, ToolUse
from tgllm.plugins.discovery import FoundPlugin
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedMessage, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin

SOURCES = tuple(Source(f"https://example.org/{number}", f"**Page** {number}") for number in range(1, 4))


@dataclass
class Web:
    """A plugin with a tool that searches until the test lets it end, and one that makes a file."""

    go_on: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def plugin(self) -> FoundPlugin:
        return GivenPlugin.of("web", self)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="web", title="Web", api="1.2")

    @hookimpl
    def tgllm_tools(self) -> Sequence[ToolSpec]:
        return (
            ToolSpec("look", "Looks.", self._look, danger="read", title="🔎 searching"),
            ToolSpec("draw", "Draws.", self._draw, danger="read", title="🎨 drawing"),
            ToolSpec("fall", "Fails.", self._fall, danger="read", title="📄 reading"),
            ToolSpec("book", "Reads a book.", self._book, danger="read", title="📖 reading a book"),
            ToolSpec("pay", "Pays.", self._draw, danger="dangerous", title="💸 paying"),
        )

    async def _look(self, use: ToolUse) -> ToolOutput:
        use.progress("cats", 2, 3)
        await self.go_on.wait()
        return ToolOutput("It purrs.", sources=SOURCES)

    async def _draw(self, use: ToolUse) -> ToolOutput:
        return ToolOutput(
            "Drawn.", files=(OutgoingFile("cat.txt", b"=^.^=", "text/plain"), OutgoingFile("empty.txt", b""))
        )

    async def _book(self, use: ToolUse) -> ToolOutput:
        return ToolOutput("word " * 600, sources=SOURCES)

    async def _fall(self, use: ToolUse) -> ToolOutput:
        return ToolOutput("no such page", is_error=True)


@pytest.fixture
def web() -> Web:
    return Web()


@dataclass(frozen=True)
class Place:
    chat: EmulatedChat
    topic: EmulatedTopic | None
    call: str
    """Begins the message, so that the bot answers."""

    def shown(self, after: EmulatedMessage) -> EmulatedMessage | None:
        answers = (each for each in self.chat.messages if each.from_bot and each.id > after.id)
        return next(answers, None)


@pytest.fixture(params=["private", "group", "topic"])
def place(request: pytest.FixtureRequest, emu: Emulator, ann: EmulatedUser) -> Place:
    if request.param == "private":
        return Place(ann.private_chat(), None, "")
    group = emu.add_group(title="Team", members=[ann], is_forum=request.param == "topic")
    return Place(group, emu.add_topic(group, "One") if request.param == "topic" else None, "@demo_bot\n")


def links(message: EmulatedMessage) -> list[str]:
    return [str(entity["url"]) for entity in message.entities or [] if entity["type"] == "text_link"]


async def test_a_search_is_shown_while_it_runs_and_folded_below_the_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, web: Web, place: Place
) -> None:
    async with start(provider=None, plugins=[web.plugin]):
        asked = await ann.say(place.call + "call look {}", chat=place.chat, topic=place.topic)
        if place.chat.is_private:
            await emu.wait_for_draft(place.chat, lambda draft: draft.text == "🔎 searching 2 of 3: cats")
        else:
            await emu.wait_for(lambda: (shown := place.shown(asked)) and shown.text == "🔎 searching 2 of 3: cats")
        web.go_on.set()
        answer = await emu.wait_for_message(place.chat, lambda it: it.text.startswith("It purrs."), after=asked)

    assert answer.text == "It purrs.\n\n🔎 searching\n1. Page 1\n2. Page 2\n3. Page 3"
    assert links(answer) == [source.url for source in SOURCES]
    assert answer.topic is place.topic
    assert len([each for each in place.chat.messages if each.from_bot]) == 1


async def test_a_rich_answer_has_its_sources_too(menus: Menus, ann: EmulatedUser, start: Start, web: Web) -> None:
    web.go_on.set()
    async with start(provider=None, plugins=[web.plugin], rendering__rich="always"):
        answer = await menus.ask(ann, "call look {}")

    assert "rich_message" in answer.fields
    assert answer.text.startswith("It purrs.")
    assert "Page 3" in answer.text


async def test_an_answer_in_a_file_has_its_sources_in_the_chat_and_in_the_file(
    emu: Emulator, ann: EmulatedUser, start: Start, web: Web, place: Place
) -> None:
    async with start(provider=None, plugins=[web.plugin], rendering__file_over=2000):
        asked = await ann.say(place.call + "call book {}", chat=place.chat, topic=place.topic)
        file = await emu.wait_for_message(place.chat, lambda it: it.file is not None, after=asked)
        answer = place.shown(asked)

    assert answer is not None
    assert answer.text.endswith("📖 reading a book\n1. Page 1\n2. Page 2\n3. Page 3\n\nThe full answer is in the file.")
    assert links(answer) == [source.url for source in SOURCES]
    assert content(file).endswith("\n3. [Page 3](<https://example.org/3>)\n")


async def test_the_model_does_not_read_what_stands_below(
    menus: Menus, ann: EmulatedUser, start: Start, web: Web
) -> None:
    web.go_on.set()
    async with start(provider=None, plugins=[web.plugin]) as bot:
        await menus.ask(ann, "call look {}")
        rows = await bot.core.database.read(
            lambda conn: conn.execute("SELECT text FROM messages WHERE role = 'assistant'").fetchall()
        )

    assert "It purrs." in str(rows[0][0])
    assert "Page" not in str(rows[0][0])


async def test_files_of_tools_come_with_the_answer(
    emu: Emulator, ann: EmulatedUser, start: Start, web: Web, place: Place
) -> None:
    async with start(provider=None, plugins=[web.plugin]):
        asked = await ann.say(place.call + "call draw {}", chat=place.chat, topic=place.topic)
        file = await emu.wait_for_message(place.chat, lambda it: it.file is not None, after=asked)
        answer = place.shown(asked)

    assert answer is not None
    assert answer.text.startswith("Drawn.\n\n🎨 drawing")
    assert file.file is not None
    assert file.file.name == "cat.txt"
    assert file.topic is place.topic


async def test_what_failed_is_said_in_words(menus: Menus, ann: EmulatedUser, start: Start, web: Web) -> None:
    async with start(provider=None, plugins=[web.plugin]):
        answer = await menus.ask(ann, "call fall {}")

    assert answer.text == "no such page\n\n⚠️ Did not work: 📄 reading"


async def test_while_a_card_waits_the_preview_says_so(emu: Emulator, ann: EmulatedUser, start: Start, web: Web) -> None:
    chat = ann.private_chat()
    async with start(provider=None, plugins=[web.plugin], tools__rules={"pay": {"private": "user"}}):
        asked = await ann.say("call pay {}")
        card = await emu.wait_for_message(chat, lambda it: bool(it.buttons), after=asked)
        await emu.wait_for_draft(chat, lambda it: it.text == "⏳ Waiting for your decision about: 💸 paying")
        await ann.press(card, "❌ No")
        answer = await emu.wait_for_message(chat, after=card)

    assert answer.text.endswith("🚫 Not done, since it was not allowed: 💸 paying")


async def test_a_tool_that_is_switched_off_is_not_called(
    menus: Menus, ann: EmulatedUser, start: Start, web: Web
) -> None:
    async with start(provider=None, plugins=[web.plugin]):
        menu = await menus.ask(ann, "/tools")
        await menus.press(ann, menu, "✓ 📄 reading")
        answer = await menus.ask(ann, "call fall {}")

    assert "There is no tool fall here." in answer.text
