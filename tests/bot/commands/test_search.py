"""The search in one's own conversations, for people and for the model."""

import pytest

from bot_support import LetIn, Menus, Start, from_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider, calling


@pytest.fixture
def provider() -> ScriptedProvider:
    return ScriptedProvider(tools=True)


async def test_a_hit_is_shown_with_its_words_bold_and_a_button_replies_to_its_message(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Bake it at 180 degrees.")
    async with start():
        asked = await ann.say("How do I bake a Rhubarb pie?")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text.startswith("Bake"), after=asked)
        found = await menus.ask(ann, "/search rhubarb")
        assert found.text.startswith("🔎 rhubarb: 1 message\n\n1. 👤 ")
        assert found.text.endswith("\nHow do I bake a Rhubarb pie?")
        (bold,) = [entity for entity in found.entities if entity["type"] == "bold"]
        units = found.text.encode("utf-16-le")
        start = 2 * bold["offset"]
        assert units[start : start + 2 * bold["length"]].decode("utf-16-le") == "Rhubarb"
        assert found.labels == ["↩ 1"]
        await ann.press(found, "↩ 1")
        shown = await emu.wait_for_message(ann.private_chat(), lambda m: m.text.startswith("From "), after=found)
    assert shown.reply_to is asked


async def test_an_answer_of_the_bot_is_found_too(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    provider.answer("Bake it at 180 degrees.")
    async with start():
        answer = await menus.ask(ann, "How hot?")
        found = await menus.ask(ann, "/search 180")
        assert "1. 🤖" in found.text
        await ann.press(found, "↩ 1")
        shown = await emu.wait_for_message(ann.private_chat(), lambda m: m.text.startswith("From "), after=found)
    assert shown.reply_to is answer


async def test_in_a_supergroup_a_link_leads_to_the_message(
    emu: Emulator, menus: Menus, ann: EmulatedUser, start: Start
) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await menus.ask(ann, "plum in private")
        asked = await ann.say("@demo_bot plum in the group", chat=group)
        await emu.wait_for_message(group, lambda message: message.from_bot and "plum" in message.text, after=asked)
        found = await menus.ask(ann, "/search@demo_bot plum", chat=group)
    links = [entity["url"] for entity in found.entities if entity["type"] == "text_link"]
    assert f"https://t.me/c/{-group.id - 1_000_000_000_000}/{asked.id}" in links
    assert "private" not in found.text
    assert found.labels == []


async def test_nobody_finds_what_others_have_said(
    menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start, let_in: LetIn
) -> None:
    async with start(let_in=[eve]):
        await menus.ask(ann, "my plum")
        assert "Nothing here contains: plum" in (await menus.ask(eve, "/search plum")).text
        menu = await menus.ask(eve, "/settings")
        for data in ("found:1", "found:2", "found:99", "found:x"):
            assert (await menus.toast(eve, menu, data)) in {"This message is not there any more.", ""}
        assert not [message for message in from_bot(eve.private_chat()) if "my plum" in message.text]


async def test_pages_are_turned_by_the_person_who_has_searched(
    emu: Emulator, menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start, let_in: LetIn
) -> None:
    group = emu.add_group(title="Team", members=[ann, eve])
    async with start(let_in=[eve]):
        for number in range(4):
            asked = await ann.say(f"@demo_bot plum {number}", chat=group)
            await emu.wait_for_message(group, lambda message: message.from_bot and "plum" in message.text, after=asked)
        found = await menus.ask(ann, "/search@demo_bot plum", chat=group)
        assert found.labels == ["1 / 2", "»"]
        turn = str(found.buttons[1].data)
        assert "Only the person" in await menus.toast(eve, found, turn)
        await menus.press(ann, found, "»")
        assert "\n6. " in found.text
        assert found.labels == ["«", "2 / 2"]
        await menus.ask(ann, "/search@demo_bot other", chat=group)
        assert "This search is over" in await menus.toast(ann, found, turn)


async def test_without_words_it_says_how(menus: Menus, ann: EmulatedUser, start: Start) -> None:
    async with start():
        for text in ("/search", '/search ""'):
            assert "Write what to look for" in (await menus.ask(ann, text)).text


async def test_the_model_searches_for_the_person_who_asks(
    menus: Menus, ann: EmulatedUser, eve: EmulatedUser, start: Start, let_in: LetIn, provider: ScriptedProvider
) -> None:
    async with start(let_in=[eve]):
        for person, text in ((ann, "plum of Ann"), (eve, "plum of Eve")):
            provider.answer("I see.")
            await menus.ask(person, text)
        provider.answer(calling("search_history", query="plum"))
        provider.answer("Here.")
        await menus.ask(eve, "What did I say?")
        (result,) = provider.results
        assert "plum of Eve" in result.text
        assert "Ann" not in result.text
        provider.answer(calling("search_history", query="nothing"), calling("search_history", query='""'))
        provider.answer("Here.")
        await menus.ask(eve, "And?")
        none, wrong = provider.results
    assert "No message" in none.text
    assert (wrong.is_error, "no words" in wrong.text) == (True, True)
