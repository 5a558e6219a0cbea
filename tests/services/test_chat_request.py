"""What a model is asked: which one, with how much history, and on whose behalf."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from tgllm.api import ChatRequest, ModelRef, ProviderSpec, Usage, UserInfo
from tgllm.config.personas import PersonaSetting
from tgllm.db import conversations, messages, models
from tgllm.db.database import Database
from tgllm.db.messages import NewMessage
from tgllm.db.models import NewModel
from tgllm.db.unit import Connection
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.host import PluginHost
from tgllm.services.chat_request import RequestBuilder
from tgllm.services.chat_settings import ChatSettings, change_settings
from tgllm.services.context import estimate_tokens
from tgllm.services.registry import ProviderRegistry
from tgllm.services.turn import Turn
from tgllm.services.user_key import make_secret, read_secret, user_key
from tgllm.testing.clock import ManualClock
from tgllm.testing.scripted import ScriptedProvider

Make = Callable[..., RequestBuilder]

WORDS = "word " * 40
EACH = estimate_tokens(WORDS)
PIRATE = PersonaSetting(name="pirate", system="Talk like a pirate.", model="my/a", temperature=1.5)


@pytest.fixture
async def make(
    load_host: Callable[..., Awaitable[PluginHost]], offer: Callable[..., FoundPlugin], database: Database
) -> Make:
    host = await load_host(offer(ProviderSpec("mine", "Mine", lambda _ctx: ScriptedProvider(), ("my",))))
    found = [NewModel(provider="mine", model=name, title=name, context_window=400) for name in ("a", "b")]
    await database.write(lambda conn: models.upsert(conn, found, 0))

    def make(default: str = "mine/unlisted", tokens: int = 8000, system: str | None = None) -> RequestBuilder:
        return RequestBuilder(ProviderRegistry(host), default, system, tokens, [PIRATE])

    return make


async def say(database: Database, turn: Turn, count: int, *, chosen: ModelRef | None = None) -> None:
    """Begin the conversation of the lane with so many messages."""

    def unit(conn: Connection) -> None:
        conversation = conversations.active_for(conn, turn.lane, 0)
        if chosen is not None:
            conversations.set_model(conn, conversation.id, chosen, 0)
        parent = None
        for number in range(count):
            parent = messages.add(
                conn,
                NewMessage(
                    conversation_id=conversation.id,
                    parent_id=parent,
                    turn_id=f"t{number}",
                    role="assistant" if number % 2 else "user",
                    text=WORDS,
                ),
                0,
            )
        conversations.set_head(conn, conversation.id, parent, 0)

    await database.write(unit)


async def put(database: Database, turn: Turn, settings: ChatSettings) -> None:
    """Set these for the chat."""
    await database.write(change_settings(ManualClock(), turn.lane, lambda _before: settings))


async def request(database: Database, builder: RequestBuilder, turn: Turn) -> ChatRequest:
    context = await database.read(lambda conn: builder.load(conn, turn))
    return builder.build(turn, context, "secret")


async def model(database: Database, builder: RequestBuilder, turn: Turn) -> str:
    return str((await database.read(lambda conn: builder.load(conn, turn))).model)


class TestModel:
    async def test_of_the_config_where_nothing_was_chosen(self, database: Database, make: Make, turn: Turn) -> None:
        assert await model(database, make("my/a"), turn) == "mine/a"

    async def test_the_chosen_default_goes_before_the_config(self, database: Database, make: Make, turn: Turn) -> None:
        await database.write(lambda conn: models.set_default(conn, ModelRef("mine", "b")))
        assert await model(database, make("mine/a"), turn) == "mine/b"

    async def test_a_default_that_is_retired_does_not_count(self, database: Database, make: Make, turn: Turn) -> None:
        await database.write(lambda conn: models.set_default(conn, ModelRef("mine", "b")))
        await database.write(lambda conn: models.retire_missing(conn, "mine", ["a"], 1))
        assert await model(database, make("mine/a"), turn) == "mine/a"

    async def test_what_the_chat_has_chosen_goes_first(self, database: Database, make: Make, turn: Turn) -> None:
        await database.write(lambda conn: models.set_default(conn, ModelRef("mine", "b")))
        await say(database, turn, 0, chosen=ModelRef("other", "x"))
        assert await model(database, make(), turn) == "other/x"

    async def test_one_that_was_retired_gives_its_place_to_the_default(
        self, database: Database, make: Make, turn: Turn
    ) -> None:
        await say(database, turn, 0, chosen=ModelRef("mine", "b"))
        await database.write(lambda conn: models.retire_missing(conn, "mine", ["a"], 1))
        context = await database.read(lambda conn: make("mine/a").load(conn, turn))
        assert (str(context.model), str(context.retired)) == ("mine/a", "mine/b")


class TestSettings:
    async def test_nothing_is_set_at_first(self, database: Database, make: Make, turn: Turn) -> None:
        found = await request(database, make(), turn)
        assert (found.system, found.temperature, found.reasoning_effort) == (None, None, None)

    async def test_operator_persona_and_chat_are_told_in_this_order(
        self, database: Database, make: Make, turn: Turn
    ) -> None:
        await put(database, turn, ChatSettings(system="Be brief.", persona="pirate"))
        found = await request(database, make(system="You are a bot."), turn)
        assert found.system == "You are a bot.\n\nTalk like a pirate.\n\nBe brief."
        assert found.temperature == 1.5

    async def test_the_chat_goes_before_the_persona(self, database: Database, make: Make, turn: Turn) -> None:
        await put(database, turn, ChatSettings(persona="pirate", temperature=0.0))
        assert (await request(database, make(), turn)).temperature == 0.0
        assert await model(database, make(), turn) == "mine/a"
        await say(database, turn, 0, chosen=ModelRef("mine", "b"))
        assert await model(database, make(), turn) == "mine/b"

    async def test_a_persona_that_is_gone_is_none(self, database: Database, make: Make, turn: Turn) -> None:
        await put(database, turn, ChatSettings(persona="sailor"))
        assert (await request(database, make(), turn)).system is None

    async def test_the_effort_goes_to_models_that_may_know_it(self, database: Database, make: Make, turn: Turn) -> None:
        await put(database, turn, ChatSettings(reasoning_effort="low"))
        thinking = NewModel(provider="mine", model="t", title="t", reasoning=True)
        await database.write(lambda conn: models.upsert(conn, [thinking], 0))
        efforts = [
            (await request(database, make(name), turn)).reasoning_effort
            for name in ("mine/t", "mine/unlisted", "mine/a")
        ]
        assert efforts == ["low", "low", None]

    async def test_the_instruction_takes_room_from_the_history(
        self, database: Database, make: Make, turn: Turn
    ) -> None:
        await say(database, turn, 6)
        builder = make(tokens=estimate_tokens(turn.text) + 6 * EACH)
        assert len((await request(database, builder, turn)).messages) == 7
        await put(database, turn, ChatSettings(system=WORDS))
        assert len((await request(database, builder, turn)).messages) == 5


class TestHistory:
    async def test_as_much_as_the_operator_allows(self, database: Database, make: Make, turn: Turn) -> None:
        await say(database, turn, 6)
        room = estimate_tokens(turn.text) + 4 * EACH
        assert len((await request(database, make(tokens=room), turn)).messages) == 5
        assert len((await request(database, make(tokens=room - 1), turn)).messages) == 3

    async def test_no_more_than_the_window_holds(self, database: Database, make: Make, turn: Turn) -> None:
        """A quarter of 400 tokens is kept for the answer."""
        await say(database, turn, 8)
        found = await request(database, make("mine/a"), turn)
        assert len(found.messages) - 1 == (300 - estimate_tokens(turn.text)) // EACH // 2 * 2
        assert len((await request(database, make(), turn)).messages) == 9

    async def test_what_the_provider_counts_corrects_the_estimate(
        self, database: Database, make: Make, turn: Turn
    ) -> None:
        await say(database, turn, 8)
        builder = make(tokens=estimate_tokens(turn.text) + 8 * EACH)
        first = await request(database, builder, turn)
        builder.learn(ModelRef("mine", "unlisted"), first, Usage(input_tokens=2 * 9 * EACH))

        assert len(first.messages) == 9
        assert 1 < len((await request(database, builder, turn)).messages) < 7

    @pytest.mark.parametrize("tokens", [None, "many", -1])
    async def test_a_count_that_is_none_corrects_nothing(
        self, database: Database, make: Make, turn: Turn, tokens: Any
    ) -> None:
        await say(database, turn, 8)
        builder = make()
        first = await request(database, builder, turn)
        builder.learn(ModelRef("mine", "unlisted"), first, Usage(input_tokens=tokens))

        assert await request(database, builder, turn) == first


class TestUserKey:
    def test_is_the_same_for_a_person_and_no_other(self) -> None:
        assert user_key("s", 7) == user_key("s", 7)
        assert len({user_key("s", 7), user_key("s", 8), user_key("t", 7)}) == 3
        assert "7" * 4 not in user_key("s", 7777)
        assert len(user_key("s", 7)) == 32

    async def test_goes_to_the_provider(self, database: Database, make: Make, turn: Turn) -> None:
        mine = await request(database, make(), turn)
        other = await request(database, make(), replace(turn, user=UserInfo(8, "Bob", "user")))

        assert mine.user_key == user_key("secret", 7)
        assert other.user_key == user_key("secret", 8)

    async def test_its_secret_is_made_once(self, database: Database) -> None:
        assert await database.read(read_secret) is None
        first = await database.write(lambda conn: make_secret(conn, 0))
        second = await database.write(lambda conn: make_secret(conn, 1))

        assert first == second == await database.read(read_secret)
        assert len(first) == 64
