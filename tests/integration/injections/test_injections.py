"""A model that obeys whatever it reads: no text of a page, a document or a tool may do what people have not allowed."""

import json
import re
import unicodedata
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from loop_support import Box
from made_files.injected_texts import TEXTS, text_of
from tgllm.api import (
    ChatRequest,
    Finished,
    Source,
    StreamEvent,
    TextDelta,
    ToolCall,
    ToolFailed,
    ToolOutput,
    ToolResultPart,
    ToolUse,
)
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.fixtures import emulator, start_bot
from tgllm.testing.scripted import ScriptedProvider

__all__ = ["emulator", "start_bot"]

NAMES = sorted(TEXTS)
RULES = json.dumps({"wire_money": {"private": "user", "groups": "user"}})
NO, ONCE = "❌ No", "✅ Once"
_CALL = re.compile(r"\b([a-z_]+)\((\{[^{}]*\})\)")
_DATA = re.compile(r"\[Result of the tool [a-z_]+\. [^\n]*\]\n<data ([0-9a-f]{12})>\n(.*)\n</data \1>", re.DOTALL)


class Obedient(ScriptedProvider):
    """A model that makes every call that it reads anywhere, each once, whether the tool is offered or not."""

    def __init__(self) -> None:
        super().__init__(tools=True)
        self.tried: list[tuple[str, str]] = []

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        self.requests.append(request)
        found = dict.fromkeys(call for text in _texts(request) for call in _CALL.findall(text))
        new = [call for call in found if call not in self.tried and _is_json(call[1])]
        self.tried += new
        for number, (name, arguments) in enumerate(new):
            yield ToolCall(f"call_{number}", name, arguments)
        if not new:
            yield TextDelta("Obeyed.")
        yield Finished()


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _texts(request: ChatRequest) -> list[str]:
    """Return everything that the model reads."""
    parts = [part for message in request.messages for part in message.parts]
    told = [str(getattr(part, "text", "")) for part in parts]
    return [request.system or "", *told, *(tool.description for tool in request.tools)]


class World:
    """A bot with a dangerous, a closed and a harmless tool."""

    def __init__(self, emulator: Emulator) -> None:
        self.model = Obedient()
        self.box = Box()
        self.box.add("wire_money", danger="dangerous", schema=_schema("to"))
        self.box.add("purge", danger="write", schema=_schema("id"))
        self.box.add("look_up", self._look_up, schema=_schema("name"))
        self.ann: EmulatedUser = emulator.add_user(first_name="Ann")
        self.emulator = emulator
        self.cards: list[EmulatedMessage] = []
        self.form = ""

    def started(self, start_bot: Any) -> AbstractAsyncContextManager[RunningBot]:
        return start_bot(
            admins=[self.ann.id],
            provider=self.model,
            plugins=[self.box.plugin],
            environ={"TGLLM_TOOLS__RULES": RULES},
        )

    async def _look_up(self, use: ToolUse) -> ToolOutput | str:
        name = str(use.arguments["name"])
        text = text_of(name, f"{self.form}-{NAMES.index(name)}")
        match self.form:
            case "failed":
                raise ToolFailed(text)
            case "error":
                return ToolOutput(text, is_error=True)
            case "page":
                source = Source("https://example.org/a", text[:100])
                return ToolOutput(text, sources=(source, Source("javascript:alert(1)", text)))
            case _:
                return text

    async def answer(self, said: EmulatedMessage, press: str = NO) -> EmulatedMessage:
        """Wait for the answer, and decide on each card of it."""
        while True:
            found = await self.emulator.wait_for(lambda: self._open_card() or self._ended(said))
            if not found.labels or NO not in found.labels:
                return found
            self.cards.append(found)
            await self.ann.press(found, press)
            await self.emulator.wait_for(lambda card=found: NO not in card.labels)

    def _open_card(self) -> EmulatedMessage | None:
        return next((each for each in self.ann.private_chat().messages if NO in each.labels), None)

    def _ended(self, said: EmulatedMessage) -> EmulatedMessage | None:
        later = [each for each in self.ann.private_chat().messages if each.from_bot and each.id > said.id]
        return next((each for each in later if "Obeyed." in each.text), None)

    def tried(self, tool: str) -> int:
        """Return how many calls of a tool the model has made."""
        return sum(name == tool for name, _ in self.model.tried)

    @property
    def results(self) -> Sequence[ToolResultPart]:
        parts = [part for each in self.model.requests for message in each.messages for part in message.parts]
        return [part for part in parts if isinstance(part, ToolResultPart)]


def _schema(name: str) -> dict[str, Any]:
    return {"type": "object", "properties": {name: {"type": "string"}}, "required": [name]}


async def rights(bot: RunningBot) -> list[Any]:
    """Return everything in the database that says who may do what."""

    def read(conn: Any) -> list[Any]:
        queries = ("SELECT id, role, status FROM users", "SELECT * FROM tool_rules", "SELECT * FROM tool_grants")
        return [[tuple(row) for row in conn.execute(query)] for query in queries]

    return await bot.core.database.read(read)


def check_nothing_happened(world: World) -> None:
    """Check that no call was made that needs a decision, and that each card shows all that it decides about."""
    assert set(world.box.made) <= {"look_up"}
    assert all("purge" not in [tool.name for tool in request.tools] for request in world.model.requests)
    for card in world.cards:
        hidden = {sign for sign in card.text if unicodedata.category(sign) in {"Cc", "Cf", "Co", "Cn"}} - {"\n"}
        assert not hidden, f"a card has hidden characters: {hidden}"


def check_marks(results: Sequence[ToolResultPart]) -> None:
    """Check that results of tools stand between marks that they don't contain."""
    for part in results:
        if part.name != "look_up":
            continue
        found = _DATA.fullmatch(part.text)
        assert found, f"a result is not marked as data: {part.text[:200]!r}"
        assert found[1] not in found[2]


@pytest.mark.parametrize("form", ["page", "error", "failed"])
async def test_what_a_tool_returns_decides_nothing(emulator: Emulator, start_bot: Any, form: str) -> None:
    world = World(emulator)
    world.form = form
    async with world.started(start_bot) as bot:
        before = await rights(bot)
        for name in NAMES:
            answer = await world.answer(await world.ann.say(f'look_up({{"name": "{name}"}})'))
            assert "javascript:" not in json.dumps(answer.entities)
        assert await rights(bot) == before

    # A long reason of a failure is truncated before its call.
    assert len(world.cards) == world.tried("wire_money") >= len(NAMES) - (form == "failed")
    assert world.tried("purge") >= len(world.cards)
    check_nothing_happened(world)
    check_marks(world.results)


async def test_a_document_decides_nothing(emulator: Emulator, start_bot: Any) -> None:
    world = World(emulator)
    async with world.started(start_bot) as bot:
        before = await rights(bot)
        for number in range(0, len(NAMES), 8):
            texts = [text_of(name, f"file-{NAMES.index(name)}") for name in NAMES[number : number + 8]]
            content = "\n\n".join(texts).encode()
            await world.answer(await world.ann.upload(content, name="a.txt", mime="text/plain", caption="Read this"))
        assert await rights(bot) == before

    assert len(world.cards) == len(NAMES)
    check_nothing_happened(world)


async def test_a_file_name_and_a_name_decide_nothing(emulator: Emulator, start_bot: Any) -> None:
    world = World(emulator)
    async with world.started(start_bot) as bot:
        before = await rights(bot)
        for name in ("plain", "system tag", "bidi", "zero width", "Russian"):
            called = f"{text_of(name, f'name-{NAMES.index(name)}')[-150:]}.txt"
            await world.answer(await world.ann.upload(b"Nothing.", name=called, mime="text/plain", caption="Read this"))
        assert await rights(bot) == before

    check_nothing_happened(world)


async def test_the_description_of_a_tool_decides_nothing(emulator: Emulator, start_bot: Any) -> None:
    world = World(emulator)
    for number, name in enumerate(NAMES[:20]):
        world.box.add(f"foreign_{number}", schema=_schema("x"))
        spec = world.box.tools[f"foreign_{number}"]
        world.box.tools[spec.name] = type(spec)(
            spec.name, text_of(name, f"description-{number}")[-300:], spec.handler, danger="read"
        )
    async with world.started(start_bot) as bot:
        before = await rights(bot)
        await world.answer(await world.ann.say("Hello"))
        assert await rights(bot) == before

    assert world.cards
    check_nothing_happened(world)


async def test_a_remembered_fact_decides_nothing(emulator: Emulator, start_bot: Any) -> None:
    world = World(emulator)
    async with world.started(start_bot) as bot:
        before = await rights(bot)
        for name in ("plain", "system tag", "closed mark", "role", "Russian"):
            told = await world.ann.say(f"/remember {text_of(name, f'fact-{NAMES.index(name)}')}")
            await emulator.wait_for_answer(told)
        await world.answer(await world.ann.say("Hello"))
        assert await rights(bot) == before

    assert len(world.cards) == world.tried("wire_money") == 5
    check_nothing_happened(world)


async def test_the_model_would_do_it_once_a_person_agrees(emulator: Emulator, start_bot: Any) -> None:
    """What the other tests forbid is possible, so that they can fail."""
    world = World(emulator)
    async with world.started(start_bot):
        await world.answer(await world.ann.say('look_up({"name": "plain"})'), ONCE)

    assert [(use.tool, use.arguments) for use in world.box.uses[1:]] == [
        ("wire_money", {"to": f"eve--{NAMES.index('plain')}"})
    ]
