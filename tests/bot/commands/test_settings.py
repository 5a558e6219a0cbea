"""Instruction, persona, temperature, effort and language: set in the chat, used by the next answer."""

import pytest

from bot_support import Menus, Start, Topics
from tgllm.api import ReasoningDelta
from tgllm.db.tables import conversations, models
from tgllm.db.tables.models import NewModel
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

OF_ANSWERS = ("Rich messages", "Answers as files", "Context", "Summary")
AT_THE_END = ("Language", "Time zone", "Tools")
PERSONAS = {
    "pirate": {"title": "Pirate", "system": "Talk like a pirate.", "temperature": 1.5},
    "parrot": {"system": "Repeat.", "model": "echo/echo"},
}


class TestInstruction:
    async def test_is_told_after_the_operators_until_it_is_taken_away(
        self, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        async with start(system_prompt="You are a bot.") as bot:
            assert "no instruction of its own" in (await menus.ask(ann, "/system")).text
            await menus.ask(ann, "/system Be brief.\nIn verse.")
            await menus.ask(ann, "one")
            assert (await menus.ask(ann, "/system")).text.endswith("\n\nBe brief.\nIn verse.")
            await bot.stop()
        async with start(system_prompt="You are a bot."):
            await menus.ask(ann, "two")
            await menus.ask(ann, "/system -")
            await menus.ask(ann, "three")
        told = "You are a bot.\n\nBe brief.\nIn verse."
        assert [request.system for request in provider.requests] == [told, told, "You are a bot."]

    async def test_is_of_one_chat_and_topic(
        self, topics: Topics, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        one, two = topics
        async with start():
            await menus.ask(ann, "/system@demo_bot Be brief.", topic=one)
            await menus.ask(ann, "@demo_bot a", topic=one)
            await menus.ask(ann, "@demo_bot b", topic=two)
            await menus.ask(ann, "c")
        assert [request.system for request in provider.requests] == ["Be brief.", None, None]

    async def test_a_new_conversation_keeps_it(
        self, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        async with start():
            await menus.ask(ann, "/system Be brief.")
            await menus.ask(ann, "/new")
            await menus.ask(ann, "hello")
        assert provider.requests[0].system == "Be brief."


class TestPersona:
    async def test_is_chosen_with_a_button(
        self, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        async with start(personas=PERSONAS):
            menu = await menus.ask(ann, "/persona")
            assert menu.labels == ["Pirate", "parrot", "✓ No persona"]
            await menus.press(ann, menu, "Pirate")
            assert menu.text == "The persona of this chat: Pirate."
            await menus.ask(ann, "hello")
            await menus.press(ann, menu, "Choose another")
            assert menu.labels == ["✓ Pirate", "parrot", "No persona"]
            await menus.press(ann, menu, "No persona")
            await menus.ask(ann, "hello")
        told = [(request.system, request.temperature) for request in provider.requests]
        assert told == [("Talk like a pirate.", 1.5), (None, None)]

    async def test_may_bring_a_model_which_a_later_choice_replaces(
        self, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        async with start(personas=PERSONAS):
            await menus.ask(ann, "/model scripted/model")
            assert (await menus.ask(ann, "/persona PARROT")).text == "The persona of this chat: parrot."
            await menus.ask(ann, "to the parrot")
            await menus.ask(ann, "/model scripted/model")
            await menus.ask(ann, "to the model")
        assert [(request.messages[-1].text, request.system) for request in provider.requests] == [
            ("to the model", "Repeat.")
        ]

    async def test_one_that_is_not_there_is_told(self, menus: Menus, ann: EmulatedUser, start: Start) -> None:
        async with start(personas=PERSONAS):
            menu = await menus.ask(ann, "/persona")
            assert 'no persona "sailor"' in (await menus.ask(ann, "/persona sailor")).text
            assert "list is old" in await menus.toast(ann, menu, "persona:sailor")
            assert "list is old" in await menus.toast(ann, menu, "persona")
            assert (await menus.ask(ann, "/settings")).text.splitlines()[3] == "Persona: default (/persona)"
        async with start():
            assert "There are no personas yet" in (await menus.ask(ann, "/persona")).text

    @pytest.mark.parametrize("place", ["private", "group", "topic"])
    async def test_people_make_their_own_which_answers_in_any_chat_of_theirs(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider, place: str
    ) -> None:
        chat = ann.private_chat() if place == "private" else emu.add_group(title="Team", members=[ann])
        topic = emu.add_topic(chat, "One") if place == "topic" else None
        async with start(personas=PERSONAS) as bot:
            made = await menus.ask(ann, "/persona Chef: You are a cook.\nIn verse.")
            assert made.text == "Your persona chef is saved, and is used in this chat."
            await menus.ask(ann, "one")
            await bot.stop()
        async with start(personas=PERSONAS):
            menu = await menus.ask(ann, "/persona@demo_bot", chat=chat, topic=topic)
            mark = "✓ " if place == "private" else ""
            assert menu.labels == ["Pirate", "parrot", f"{mark}chef", f"{'' if mark else '✓ '}No persona"]
            if place != "private":
                await menus.press(ann, menu, "chef")
            await menus.ask(ann, "@demo_bot two", chat=chat, topic=topic)
            assert (
                "Persona: chef (/persona)"
                in (await menus.ask(ann, "/settings@demo_bot", chat=chat, topic=topic)).text.splitlines()
            )
            await menus.ask(ann, "/persona@demo_bot pirate", chat=chat, topic=topic)
            await menus.ask(ann, "@demo_bot three", chat=chat, topic=topic)
        cook = "You are a cook.\nIn verse."
        assert [request.system for request in provider.requests] == [cook, cook, "Talk like a pirate."]

    async def test_ones_own_is_said_anew_and_deleted(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        group = emu.add_group(title="Team", members=[ann])
        async with start():
            await menus.ask(ann, "/persona повар: Готовь.")
            await menus.ask(ann, "/persona@demo_bot повар", chat=group)
            await menus.ask(ann, "/persona повар: Готовь быстро.")
            await menus.ask(ann, "one")
            assert (await menus.ask(ann, "/persona повар: -")).text == "Your persona повар is deleted."
            await menus.ask(ann, "two")
            assert "There are no personas yet" in (await menus.ask(ann, "/persona")).text
            assert 'no persona "повар"' in (await menus.ask(ann, "/persona повар: -")).text
            await menus.ask(ann, "@demo_bot three", chat=group)
        # The group keeps what was chosen there.
        assert [request.system for request in provider.requests] == ["Готовь быстро.", None, "Готовь."]

    async def test_ones_own_is_nobody_elses(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        group = emu.add_group(title="Team", members=[ann, eve])
        async with start(personas=PERSONAS, let_in=[eve]):
            await menus.ask(ann, "/persona chef: You are a cook.")
            menu = await menus.ask(ann, "/persona@demo_bot", chat=group)
            chef = next(button.data for button in menu.buttons if button.text == "chef")
            assert chef is not None
            assert "list is old" in await menus.toast(eve, menu, chef)
            assert 'no persona "chef"' in (await menus.ask(eve, "/persona chef")).text

    async def test_ones_own_has_limits(self, menus: Menus, ann: EmulatedUser, start: Start) -> None:
        async with start(personas=PERSONAS):
            assert "in the bot's settings" in (await menus.ask(ann, "/persona Pirate: Arr.")).text
            assert "at most 32" in (await menus.ask(ann, f"/persona {'x' * 33}: Be brief.")).text
            for name in ("a/b", "-"):
                assert "letters, digits" in (await menus.ask(ann, f"/persona {name}: Be brief.")).text
            for number in range(20):
                await menus.ask(ann, f"/persona {'п' * 30}{number}: Be brief.")
            assert "20 personas already" in (await menus.ask(ann, "/persona one-more: Be brief.")).text
            assert "is saved" in (await menus.ask(ann, f"/persona {'п' * 30}0: Be long.")).text
            assert "✓ " + "п" * 30 + "0" in (await menus.ask(ann, "/persona")).labels

    async def test_many_have_pages(self, emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start) -> None:
        many = {f"p{number:02}": {"system": "x"} for number in range(10)}
        async with start(personas=many):
            menu = await menus.ask(ann, "/persona")
            await ann.press(menu, "»")
            await emu.wait_for(lambda: "p09" in menu.labels)
            assert menu.labels == ["p08", "p09", "«", "2 / 2", "✓ No persona"]


class TestSettings:
    async def test_temperature_and_effort_go_to_the_model(
        self, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        thinking = NewModel(provider="scripted", model="model", title="model", reasoning=True)
        async with start(refresh_cron="off") as bot:
            await bot.core.database.write(lambda conn: models.upsert(conn, [thinking], 1))
            menu = await menus.ask(ann, "/settings")
            assert menu.labels == ["Temperature", "Thinking effort", "Thoughts", *OF_ANSWERS, *AT_THE_END]
            await menus.press(ann, menu, "Temperature")
            assert menu.labels == ["✓ default", "0", "0.3", "0.7", "1", "1.3", "« All settings"]
            await menus.press(ann, menu, "0")
            assert "Temperature: 0" in menu.text.splitlines()
            await menus.press(ann, menu, "Thinking effort")
            await menus.press(ann, menu, "high")
            assert "Thinking effort: high" in menu.text.splitlines()
            await menus.ask(ann, "hello")
            await menus.press(ann, menu, "Temperature")
            assert "✓ 0" in menu.labels
            await menus.press(ann, menu, "default")
            await menus.ask(ann, "hello")
        asked = [(request.temperature, request.reasoning_effort) for request in provider.requests]
        assert asked == [(0.0, "high"), (None, "high")]

    async def test_thoughts_are_shown_where_a_chat_wants_them(
        self, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        async with start(refresh_cron="off"):
            menu = await menus.ask(ann, "/settings")
            for before, choice, quotes in (
                ("hidden", "folded", ["expandable_blockquote"]),
                ("folded", "shown", ["blockquote"]),
                ("shown", "hidden", []),
            ):
                await menus.press(ann, menu, "Thoughts")
                assert [label for label in menu.labels if label.startswith("✓")] == [f"✓ {before}"]
                await menus.press(ann, menu, choice)
                assert f"Thoughts: {choice}" in menu.text.splitlines()
                provider.answer(ReasoningDelta("Hm."), "Yes.")
                answer = await menus.ask(ann, "really?")
                assert answer.text.split() == (["Thoughts", "Hm.", "Yes."] if quotes else ["Yes."])
                assert [entity["type"] for entity in answer.entities if "quote" in entity["type"]] == quotes

    async def test_a_model_that_does_not_think_has_no_effort_to_set(
        self, menus: Menus, ann: EmulatedUser, start: Start
    ) -> None:
        async with start() as bot:
            plain = NewModel(provider="scripted", model="model", title="model")
            await bot.core.database.write(lambda conn: models.upsert(conn, [plain], 1))
            assert (await menus.ask(ann, "/settings")).labels == ["Temperature", *OF_ANSWERS, *AT_THE_END]

    async def test_a_chat_chooses_how_its_answers_look(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        provider.answer("plain")
        provider.answer("- [x] done")
        provider.answer("word " * 1000)
        async with start(refresh_cron="off"):
            menu = await menus.ask(ann, "/settings")
            for setting, value in [("Rich messages", "for every answer"), ("Answers as files", "over 4000 characters")]:
                await menus.press(ann, menu, setting)
                assert "✓ default" in menu.labels
                await menus.press(ann, menu, value)
                assert f"{setting}: {value}" in menu.text.splitlines()
            assert "rich_message" in (await menus.ask(ann, "one")).fields
            await menus.press(ann, menu, "Rich messages")
            await menus.press(ann, menu, "never")
            assert (await menus.ask(ann, "two")).text == "☑ done"
            await ann.say("three")
            await emu.wait_for_message(ann.private_chat(), lambda message: message.file is not None)

    async def test_the_context_has_a_size_that_the_model_has_room_for(
        self, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        async with start(refresh_cron="off", turns__context_tokens=9000) as bot:
            menu = await menus.ask(ann, "/settings")
            assert "Context: 0 of 9000 tokens taken" in menu.text.splitlines()
            await menus.press(ann, menu, "Context")
            sizes = ["2K tokens", "8K tokens", "32K tokens", "128K tokens"]
            assert menu.labels == ["✓ default", *sizes, "« All settings"]
            small = NewModel(provider="scripted", model="model", title="model", context_window=40_000)
            await bot.core.database.write(lambda conn: models.upsert(conn, [small], 1))
            await menus.press(ann, menu, "« All settings")
            await menus.press(ann, menu, "Context")
            assert menu.labels[3:] == ["as much as possible", "« All settings"]
            await menus.press(ann, menu, "as much as possible")
            assert "Context: 0 of 30000 tokens taken" in menu.text.splitlines()
            await menus.ask(ann, "word " * 660)
            await menus.press(ann, menu, "Context")
            assert "Now 2008 of 30000 tokens are taken" in menu.text
            await menus.press(ann, menu, "2K tokens")
            assert "Context: 0 of 2000 tokens taken" in menu.text.splitlines()
            assert "too long" in (await menus.ask(ann, "中" * 2500)).text
            await menus.ask(ann, "hello")
        assert [len(request.messages) for request in provider.requests] == [1, 1]

    async def test_the_operator_may_limit_the_context(self, menus: Menus, ann: EmulatedUser, start: Start) -> None:
        async with start(refresh_cron="off", turns__most_context_tokens=9000):
            menu = await menus.ask(ann, "/settings")
            await menus.press(ann, menu, "Context")
            assert menu.labels[1:] == ["2K tokens", "8K tokens", "as much as possible", "« All settings"]
            assert (
                await menus.toast(ann, menu, "set:context:32000") == "This list is old. Send /settings for a new one."
            )
            await menus.press(ann, menu, "as much as possible")
            assert "Context: 0 of 9000 tokens taken" in menu.text.splitlines()

    async def test_the_language_is_a_persons_own_in_every_chat(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        group = emu.add_group(title="Team", members=[ann, eve])
        async with start(let_in=[eve]) as bot:
            menu = await menus.ask(ann, "/settings")
            await menus.press(ann, menu, "Language")
            assert menu.labels == ["✓ as in Telegram", "English", "Русский", "« All settings"]
            await menus.press(ann, menu, "Русский")
            assert menu.text.startswith("Настройки этого чата:")
            assert (await menus.ask(ann, "/stop@demo_bot", chat=group)).text == "Останавливать нечего."
            assert (await menus.ask(eve, "/stop@demo_bot", chat=group)).text == "There is nothing to stop."
            await bot.stop()
        async with start():
            assert "Русский" in (await menus.ask(ann, "/settings")).text
            await menus.press(ann, menu, "Язык")
            await menus.press(ann, menu, "как в Telegram")
            assert menu.text.startswith("Settings of this chat:")

    @pytest.mark.parametrize(
        "data",
        [
            "set:temperature:9",
            "set:temperature:nan",
            "set:effort:huge",
            "set:language:xx",
            "set:role:owner",
            "set",
            "set:rich:on",
        ],
    )
    async def test_forged_values_change_nothing(self, menus: Menus, ann: EmulatedUser, start: Start, data: str) -> None:
        async with start() as bot:
            menu = await menus.ask(ann, "/settings")
            assert await menus.toast(ann, menu, data) == "This list is old. Send /settings for a new one."
            lane = f":{ann.id}:"
            assert await bot.core.database.read(lambda conn: conversations.active_in(conn, lane)) is None

    async def test_a_press_counts_for_its_own_chat_only(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
    ) -> None:
        group = emu.add_group(title="Team", members=[ann])
        async with start():
            menu = await menus.ask(ann, "/settings@demo_bot", chat=group)
            await menus.press(ann, menu, "Temperature")
            await menus.press(ann, menu, "0.3")
            await menus.ask(ann, "@demo_bot hello", chat=group)
            await menus.ask(ann, "hello")
        assert [request.temperature for request in provider.requests] == [0.3, None]


class TestTimeZone:
    """A person's own time zone, which plugins read."""

    async def test_is_chosen_with_a_button_or_by_name_in_any_chat(
        self, emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start
    ) -> None:
        group = emu.add_group(title="Team", members=[ann])
        async with start(time_zone="Europe/Berlin") as bot:
            people = bot.core.host.commands[0].context.people
            assert str(await people.timezone(ann.id)) == "Europe/Berlin"
            menu = await menus.ask(ann, "/settings")
            assert "Time zone: the bot's (Europe/Berlin)" in menu.text
            await menus.press(ann, menu, "Time zone")
            await menus.press(ann, menu, "Asia/Kolkata")
            assert "Time zone: Asia/Kolkata" in menu.text
            assert str(await people.timezone(ann.id)) == "Asia/Kolkata"
            said = await menus.ask(ann, "/settings@demo_bot timezone  são paulo", chat=group)
            assert said.text.startswith('There is no time zone "são paulo". Send a large city')
            said = await menus.ask(ann, "/settings@demo_bot timezone LISBON", chat=group)
            assert said.text == "Your time zone is Europe/Lisbon now."
            person = await people.get(ann.id)
            assert person is not None
            assert person.timezone == "Europe/Lisbon"
            await bot.stop()
        async with start() as bot:
            menu = await menus.ask(ann, "/settings timezone")
            assert menu.labels[:3] == ["the bot's (UTC)", "✓ Europe/Lisbon", "America/Los_Angeles"]
            await menus.press(ann, menu, "the bot's (UTC)")
            assert str(await bot.core.host.commands[0].context.people.timezone(ann.id)) == "UTC"

    @pytest.mark.parametrize("data", ["set:timezone:Mars/Base", "set:timezone:../../etc/passwd", "set:timezone:"])
    async def test_what_no_button_offers_is_refused(
        self, menus: Menus, ann: EmulatedUser, start: Start, data: str
    ) -> None:
        async with start() as bot:
            menu = await menus.ask(ann, "/settings")
            assert "list is old" in await menus.toast(ann, menu, data)
            assert str(await bot.core.host.commands[0].context.people.timezone(ann.id)) == "UTC"
