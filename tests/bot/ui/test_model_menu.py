"""Choosing the model of a chat, with buttons and by name."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager

import pytest

from bot_support import Menus, Start, Topics
from tgllm import hookimpl
from tgllm.api import (
    ChatRequest,
    Finished,
    ModelInfo,
    NotConfigured,
    PluginContext,
    PluginInfo,
    Price,
    Provider,
    ProviderSpec,
    StreamEvent,
    TextDelta,
)
from tgllm.db.tables import models
from tgllm.services.models.choices import choice_key
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider

LONG = "z-model-whose-name-is-longer-than-any-button-can-carry/" * 3


class Shop(Provider):
    """The provider ``shop`` with many models, which answers with the name of the asked one; ``shut`` lacks a key."""

    def __init__(self, listed: Sequence[ModelInfo]) -> None:
        self.listed = listed

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id="shop", title="Shop", api="1.0")

    @hookimpl
    def tgllm_providers(self) -> Sequence[ProviderSpec]:
        return (
            ProviderSpec("shop", "The Shop", lambda _ctx: self, ("store",)),
            ProviderSpec("shut", "Shut Shop", _without_key),
        )

    async def list_models(self) -> Sequence[ModelInfo]:
        return self.listed

    async def generate(self, request: ChatRequest) -> AsyncGenerator[StreamEvent, None]:
        yield TextDelta(f"I am {request.model}")
        yield Finished()


def _without_key(ctx: PluginContext) -> Provider:
    raise NotConfigured("SHUT_API_KEY is not set", variable="SHUT_API_KEY")


FLASH = ModelInfo(
    "flash-2",
    "Flash",
    context_window=131_072,
    mime_types=frozenset({"image/png", "application/pdf"}),
    reasoning=True,
    aliases=("flash-latest",),
    price=Price(0.15, 0.6),
)


@pytest.fixture
def shop() -> Shop:
    return Shop([FLASH, ModelInfo(LONG, "Long"), *(ModelInfo(f"m{number:03}") for number in range(498))])


@pytest.fixture
def open_shop(start: Start, shop: Shop) -> Start:
    """Starts the bot with the shop; the lists of models are asked for when somebody chooses."""

    def begin(**settings: object) -> AbstractAsyncContextManager[RunningBot]:
        return start(plugins=[GivenPlugin.of("shop", shop)], refresh_cron="off", **settings)

    return begin


class TestButtons:
    async def test_a_provider_then_a_model_which_answers_from_then_on(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop():
            picker = await menus.ask(ann, "/model")
            assert picker.labels == ["Echo (1)", "✓ Scripted (1)", "The Shop (500)"]
            assert picker.text.splitlines()[0] == "This chat uses scripted/model"
            await menus.press(ann, picker, "The Shop (500)")
            assert picker.labels[:2] == ["Flash", "m000"]
            assert len(picker.labels) == 8 + 2 + 1
            assert (
                "Flash (shop/flash-2): 131K tokens of context; sees images, reads files, thinks before it answers; "
                "for a million tokens $0.15 in, $0.60 out"
            ) in picker.text
            await menus.press(ann, picker, "Flash")
            assert picker.text.startswith("From now on Flash (shop/flash-2) answers here.")
            answer = await menus.ask(ann, "who are you?")
        assert answer.text == "I am flash-2"

    async def test_the_list_marks_what_was_chosen_and_the_default_can_be_taken_back(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop():
            picker = await menus.ask(ann, "/model shop/m020")
            await menus.press(ann, picker, "Choose another")
            assert "✓ m020" in picker.labels
            assert "3 / 63" in picker.labels
            await menus.press(ann, picker, "« Providers")
            assert "✓ The Shop (500)" in picker.labels
            await menus.press(ann, picker, "Use the default: scripted/model")
            answer = await menus.ask(ann, "hello")
        assert answer.text == "hello"

    async def test_pages_turn_to_both_ends(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop():
            picker = await menus.ask(ann, "/model")
            await menus.press(ann, picker, "The Shop (500)")
            assert "«" not in picker.labels
            await menus.press(ann, picker, "»")
            assert {"«", "2 / 63", "»"} <= set(picker.labels)
            await menus.press(ann, picker, "«")
            assert "1 / 63" in picker.labels
            shop = choice_key("shop")
            assert await menus.toast(ann, picker, f"model_list:{shop}:9999") == ""
            await emu.wait_for(lambda: "63 / 63" in picker.labels)
            assert "»" not in picker.labels

    async def test_a_model_with_a_long_name_is_chosen_like_any_other(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop():
            picker = await menus.ask(ann, "/model longer than any button")
            await menus.press(ann, picker, "Long")
            answer = await menus.ask(ann, "who are you?")
        assert answer.text == f"I am {LONG}"
        assert all(len((button.data or "").encode()) <= 64 for button in picker.buttons)

    async def test_with_one_provider_its_models_come_at_once(
        self, menus: Menus, ann: EmulatedUser, start: Start
    ) -> None:
        async with start(provider=None, refresh_cron="off"):
            picker = await menus.ask(ann, "/model")
        assert picker.labels == ["✓ Echo"]


class TestStaleAndForged:
    @pytest.mark.parametrize(
        "data", ["model_set:0123456789abcdef", "model_set:", "model_list:x:0", "model_find:0:nothing-like-it"]
    )
    async def test_what_is_not_there_is_told_and_changes_nothing(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start, data: str
    ) -> None:
        async with open_shop():
            picker = await menus.ask(ann, "/model flash-2")
            before = picker.text
            assert await menus.toast(ann, picker, data) == "This list is old. Send /model for a new one."
            answer = await menus.ask(ann, "who are you?")
        assert picker.text == before
        assert answer.text == "I am flash-2"

    @pytest.mark.parametrize("data", ["models:-1", "models:x", "models:99999999", "models:\u0663", "models"])
    async def test_odd_pages_are_brought_into_range(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, open_shop: Start, data: str
    ) -> None:
        async with open_shop():
            picker = await menus.ask(ann, "/model flash")
            assert await menus.toast(ann, picker, data) == ""
            await emu.wait_for(lambda: "The Shop (500)" in picker.labels)

    async def test_a_model_that_was_retired_meanwhile_is_not_chosen(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop() as bot:
            picker = await menus.ask(ann, "/model flash")
            await bot.core.database.write(lambda conn: models.retire_missing(conn, "shop", ["m001"], 1))
            data = picker.buttons[0].data or ""
            assert await menus.toast(ann, picker, data) == "This list is old. Send /model for a new one."

    async def test_a_press_counts_for_its_own_chat_only(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        group = emu.add_group(title="Team", members=[ann])
        async with open_shop():
            own = await menus.ask(ann, "/model flash")
            there = await menus.ask(ann, "/model@demo_bot flash", chat=group)
            await menus.toast(ann, there, own.buttons[0].data or "")
            await emu.wait_for(lambda: "From now on" in there.text)
            assert (await menus.ask(ann, "@demo_bot who?", chat=group)).text == "I am flash-2"
            assert (await menus.ask(ann, "who?")).text == "who?"

    async def test_a_stranger_chooses_nothing(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, open_shop: Start
    ) -> None:
        group = emu.add_group(title="Team", members=[ann, eve])
        async with open_shop():
            picker = await menus.ask(ann, "/model@demo_bot flash", chat=group)
            assert "approved" in await menus.toast(eve, picker, picker.buttons[0].data or "")
            answer = await menus.ask(ann, "@demo_bot who?", chat=group)
        assert answer.text.endswith("who?")


class TestByName:
    @pytest.mark.parametrize("name", ["shop/flash-2", "shop/flash-latest", "store/flash-2", "flash-2", "flash-latest"])
    async def test_an_exact_name_chooses_at_once(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start, name: str
    ) -> None:
        async with open_shop():
            reply = await menus.ask(ann, f"/model {name}")
            answer = await menus.ask(ann, "who are you?")
        assert reply.text.startswith("From now on Flash (shop/flash-2) answers here.")
        assert answer.text == "I am flash-2"

    async def test_a_text_searches_and_the_result_has_pages(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop():
            picker = await menus.ask(ann, "/model M01 shop")
            assert picker.text.startswith('10 models fit "M01 shop".')
            assert picker.labels[:2] == ["m010", "m011"]
            await menus.press(ann, picker, "»")
            assert picker.labels[:2] == ["m018", "m019"]
            await menus.press(ann, picker, "m019")
            answer = await menus.ask(ann, "who are you?")
        assert answer.text == "I am m019"

    async def test_a_typing_error_is_told_with_what_is_near(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop():
            near = await menus.ask(ann, "/model flahs-2")
            nothing = await menus.ask(ann, "/model gpt-99-experimental")
        assert "Did you mean flash-2" in near.text
        assert 'No model fits "gpt-99-experimental"' in nothing.text

    async def test_the_choice_is_taken_back(self, menus: Menus, ann: EmulatedUser, open_shop: Start) -> None:
        async with open_shop():
            await menus.ask(ann, "/model flash-2")
            reply = await menus.ask(ann, "/model -")
            answer = await menus.ask(ann, "hello")
        assert reply.text == "From now on the default model answers here: scripted/model."
        assert answer.text == "hello"

    async def test_a_provider_that_lists_nothing_takes_any_of_its_names(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start, shop: Shop
    ) -> None:
        shop.listed = ()
        async with open_shop():
            reply = await menus.ask(ann, "/model shop/private-model")
            answer = await menus.ask(ann, "who are you?")
        assert reply.text == "From now on shop/private-model answers here."
        assert answer.text == "I am private-model"

    async def test_a_search_of_any_length_and_script_fits_its_buttons(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start, shop: Shop
    ) -> None:
        word = "оченьдлинноеназваниемодели" * 3
        shop.listed = [ModelInfo(f"x{number}", word) for number in range(20)]
        async with open_shop():
            picker = await menus.ask(ann, f"/model {word}")
            await menus.press(ann, picker, "»")
        assert "2 / 3" in picker.labels


class TestPlaces:
    async def test_each_chat_and_topic_has_its_own_and_keeps_it(
        self, topics: Topics, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        one, two = topics
        async with open_shop():
            await menus.ask(ann, "/model@demo_bot m001", topic=one)
            await menus.ask(ann, "/model@demo_bot m002", topic=two)
            await menus.ask(ann, "/model m003")
        async with open_shop():
            for place, name in ((one, "m001"), (two, "m002")):
                answer = await menus.ask(ann, "@demo_bot who?", topic=place)
                assert (answer.text, answer.topic) == (f"I am {name}", place)
            assert (await menus.ask(ann, "who?")).text == "I am m003"

    async def test_a_retired_model_gives_its_place_to_the_default_and_says_so_once(
        self, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        async with open_shop() as bot:
            await menus.ask(ann, "/model flash-2")
            await bot.core.database.write(lambda conn: models.retire_missing(conn, "shop", ["m001"], 1))
            first = await menus.ask(ann, "hello")
            second = await menus.ask(ann, "hello again")
        assert first.text == (
            "hello\n\nshop/flash-2, which was chosen here, is not offered any more; now scripted/model answers. "
            "Send /model to choose another."
        )
        assert second.text == "hello again"

    async def test_what_is_chosen_during_an_answer_stays_although_the_former_choice_was_retired(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, open_shop: Start, provider: ScriptedProvider
    ) -> None:
        go_on = asyncio.Event()
        async with open_shop() as bot:
            await menus.ask(ann, "/model flash-2")
            picker = await menus.ask(ann, "/model m00")
            await bot.core.database.write(lambda conn: models.retire_missing(conn, "shop", ["m002"], 1))
            provider.answer(go_on, "slow")
            await ann.say("hello")
            await emu.wait_for(lambda: provider.requests)
            await menus.press(ann, picker, next(label for label in picker.labels if "m002" in label))
            go_on.set()
            await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("slow"))
            assert (await menus.ask(ann, "who?")).text == "I am m002"


class TestWhoSeesWhat:
    LOCKED = "Not set up: Shut Shop. To use it, set SHUT_API_KEY."

    async def test_admins_are_told_in_private_what_is_missing(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, open_shop: Start
    ) -> None:
        group = emu.add_group(title="Team", members=[ann])
        async with open_shop():
            private = await menus.ask(ann, "/model")
            public = await menus.ask(ann, "/model@demo_bot", chat=group)
        assert self.LOCKED in private.text
        assert self.LOCKED not in public.text
        assert not any("Shut" in label for label in private.labels)

    async def test_others_are_not(self, menus: Menus, eve: EmulatedUser, open_shop: Start) -> None:
        async with open_shop(let_in=[eve]):
            picker = await menus.ask(eve, "/model")
            await menus.press(eve, picker, "The Shop (500)")
            await menus.press(eve, picker, "« Providers")
        assert "Shut" not in picker.text
        assert "SHUT_API_KEY" not in picker.text


class TestList:
    async def test_lines_that_can_be_copied(self, menus: Menus, ann: EmulatedUser, open_shop: Start) -> None:
        async with open_shop():
            everything = await menus.ask(ann, "/models")
            some = await menus.ask(ann, "/models flash")
        assert everything.text.splitlines()[-2:] == ["and 462 more.", "Add a word to see fewer, such as /models echo"]
        assert some.text.startswith("Flash (shop/flash-2): 131K tokens")
        assert len(some.text.splitlines()) == 1

    async def test_in_the_language_of_who_asks(self, menus: Menus, open_shop: Start, ann: EmulatedUser) -> None:
        ann.language_code = "ru"
        async with open_shop():
            reply = await menus.ask(ann, "/models flash")
        assert "контекст 131K токенов; видит изображения, читает файлы, думает перед ответом" in reply.text
