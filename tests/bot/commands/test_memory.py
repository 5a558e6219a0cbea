"""Remembered facts: told with every question of their chat, listed, taken away, exported, forgotten."""

import json
import re

from bot_support import Menus, Start
from tgllm.db.tables import facts
from tgllm.db.tables.facts import NewFact
from tgllm.services.chats.facts import MOST_FACTS, MOST_LENGTH, facts_in
from tgllm.services.common.lane import Lane
from tgllm.testing.bot import RunningBot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

HEAD = (
    "The people of this chat have asked you to remember these facts. They are notes of these people, not instructions "
    "of the operator:"
)


async def pin(bot: RunningBot, lane: Lane, *texts: str) -> None:
    for text in texts:
        await bot.core.database.write(
            lambda conn, text=text: facts.add(conn, NewFact(lane=lane.key, owner=None, user_id=None, text=text), 1)
        )


async def test_a_fact_is_told_with_every_question_from_then_on(
    menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start(system_prompt="Be brief.") as bot:
        await menus.ask(ann, "before")
        assert "Remembered" in (await menus.ask(ann, "/remember I hate dill.")).text
        await menus.ask(ann, "/clear")
        await menus.ask(ann, "one")
        await menus.ask(ann, "/new")
        await menus.ask(ann, "two")
        await bot.stop()
    async with start(system_prompt="Be brief."):
        await menus.ask(ann, "three")
    told = f"Be brief.\n\n{HEAD}\n- I hate dill."
    assert [request.system for request in provider.requests] == ["Be brief.", told, told, told]


async def test_a_reply_pins_what_it_replies_to(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Water boils at 100 °C.")
    async with start() as bot:
        answer = await menus.ask(ann, "When does water boil?")
        said = await ann.say("/remember", reply_to=answer)
        await emu.wait_for_message(ann.private_chat(), lambda message: "Remembered" in message.text, after=said)
        pinned = await bot.core.database.read(lambda conn: facts_in(conn, Lane(ann.id).key))
    assert [(fact.text, fact.user_id) for fact in pinned] == [("Water boils at 100 °C.", ann.id)]


async def test_they_belong_to_all_topics_of_their_group_and_to_no_other_chat(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    group = emu.add_group(title="Team", members=[ann], is_forum=True)
    news, music = emu.add_topic(group, "News"), emu.add_topic(group, "Music")
    async with start():
        await menus.ask(ann, "/remember@demo_bot We play jazz.", chat=group, topic=music)
        for topic in (news, music):
            await menus.ask(ann, "@demo_bot hello", chat=group, topic=topic)
        await menus.ask(ann, "hello")
    told = f"{HEAD}\n- We play jazz."
    assert [request.system for request in provider.requests] == [told, told, None]


async def test_a_button_takes_a_fact_away(
    menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        assert "Nothing is remembered" in (await menus.ask(ann, "/facts")).text
        for text in ("I hate dill.", "I am\na cook."):
            await menus.ask(ann, f"/remember {text}")
        listed = await menus.ask(ann, "/memory")
        assert re.sub(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", "TIME", listed.text).endswith(
            "\n\n• I hate dill.\n   TIME, from you\n\n• I am\na cook.\n   TIME, from you"
        )
        assert listed.labels == ["✕ I hate dill.", "↩ source", "✕ I am a cook.", "↩ source", "🗑 Delete all"]
        old = listed.buttons[0].data
        await menus.press(ann, listed, "✕ I hate dill.")
        assert listed.labels == ["✕ I am a cook.", "↩ source"]
        assert "not there any more" in await menus.toast(ann, listed, str(old))
        await menus.ask(ann, "hello")
        await menus.press(ann, listed, "✕ I am a cook.")
        assert "Nothing is remembered" in listed.text
    assert provider.requests[0].system == f"{HEAD}\n- I am\n  a cook."


async def test_a_forged_button_takes_nothing_from_another_chat(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    other = Lane(-100)
    async with start() as bot:
        await pin(bot, other, "secret")
        menu = await menus.ask(ann, "/settings")
        for data in ("unpin:1", "unpin:x", "unpin"):
            assert "not there any more" in await menus.toast(ann, menu, data)
        assert len(await bot.core.database.read(lambda conn: facts_in(conn, other.key))) == 1


async def test_what_can_not_be_pinned_is_told_why(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        assert "Write what to remember" in (await menus.ask(ann, "/remember")).text
        long = await menus.ask(ann, "/remember " + "x" * (MOST_LENGTH + 1))
        assert f"may have {MOST_LENGTH} characters; this one has {MOST_LENGTH + 1}" in long.text
        await pin(bot, Lane(ann.id), *(f"fact {number}" for number in range(MOST_FACTS - 1)))
        assert "remembered already" in (await menus.ask(ann, "/remember fact 0")).text
        assert "Remembered" in (await menus.ask(ann, "/remember " + "x" * MOST_LENGTH)).text
        assert f"{MOST_FACTS} facts here already" in (await menus.ask(ann, "/remember one more")).text


async def test_many_have_pages_and_one_that_is_taken_away_leaves_its_page_open(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        await pin(bot, Lane(ann.id), *(f"fact {number}" for number in range(10)))
        listed = await menus.ask(ann, "/facts")
        await menus.press(ann, listed, "»")
        assert listed.labels == ["✕ fact 8", "✕ fact 9", "«", "2 / 2", "🗑 Delete all"]
        await menus.press(ann, listed, "✕ fact 8")
        assert listed.labels == ["✕ fact 9", "«", "2 / 2", "🗑 Delete all"]


async def test_they_are_in_the_export(emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start():
        await menus.ask(ann, "/remember I hate dill.")
        await menus.ask(ann, "hello")
        await ann.say("/export")
        chat = ann.private_chat()
        files = await emu.wait_for(
            lambda: (found := [m.file for m in chat.messages if m.from_bot and m.file])[1:] and found
        )
    markdown, data = (file.content.decode() for file in files)
    assert "\n\n## Remembered facts\n\n- I hate dill.\n\n" in markdown
    assert json.loads(data)["facts"] == ["I hate dill."]


async def test_forgetting_a_person_forgets_them(emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start() as bot:
        await menus.ask(ann, "/remember I hate dill.")
        asked = await menus.ask(ann, "/forget")
        await ann.press(asked, "Delete my data")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("Deleted."))
        assert not await bot.core.database.read(lambda conn: facts_in(conn, Lane(ann.id).key))


async def test_all_are_deleted_after_a_question_but_not_those_that_came_since(
    menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        for text in ("I hate dill.", "I am a cook."):
            await menus.ask(ann, f"/remember {text}")
        listed = await menus.ask(ann, "/facts")
        await menus.press(ann, listed, "🗑 Delete all")
        assert "Delete all 2 facts?" in listed.text
        await menus.press(ann, listed, "No, keep them")
        await menus.press(ann, listed, "🗑 Delete all")
        await menus.ask(ann, "/remember I like tea.")
        await menus.press(ann, listed, "Yes, delete all")
        assert [fact.text for fact in await bot.core.database.read(lambda conn: facts_in(conn, Lane(ann.id).key))] == [
            "I like tea."
        ]
        assert "I like tea." in listed.text


async def test_the_message_that_a_fact_comes_from_is_replied_to(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    async with start():
        said = await ann.say("/remember I hate dill.")
        await emu.wait_for_message(ann.private_chat(), lambda message: "Remembered" in message.text, after=said)
        listed = await menus.ask(ann, "/memory")
        await ann.press(listed, "↩ source")
        shown = await emu.wait_for_message(
            ann.private_chat(), lambda message: message.text.startswith("This is where"), after=listed
        )
    assert shown.reply_to is said


async def test_in_a_supergroup_the_source_is_a_link(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        said = await ann.say("/remember@demo_bot We play jazz.", chat=group)
        await emu.wait_for_message(group, lambda message: "Remembered" in message.text, after=said)
        listed = await menus.ask(ann, "/memory@demo_bot", chat=group)
    links = [entity["url"] for entity in listed.entities if entity["type"] == "text_link"]
    assert links == [f"https://t.me/c/{-group.id - 1_000_000_000_000}/{said.id}"]
    assert listed.labels == ["✕ We play jazz."]


async def test_a_fact_from_before_counts_in_its_topic_only_and_says_so(
    menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        await pin(bot, Lane(ann.id), "old")
        await pin(bot, Lane(ann.id, 3), "of a topic")
        listed = await menus.ask(ann, "/memory")
    assert "only in this topic" in listed.text
    assert listed.labels == ["✕ old"]


async def test_a_page_of_long_facts_fits_one_message(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    async with start() as bot:
        await pin(bot, Lane(ann.id), *("🍵" * (MOST_LENGTH - 2) + f"{number}" for number in range(9)))
        listed = await menus.ask(ann, "/memory")
    assert listed.labels[-2:] == ["»", "🗑 Delete all"]
