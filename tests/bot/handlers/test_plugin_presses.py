"""Buttons of plugins: what a press does, who may press, and what becomes of presses that come at odd times."""

import asyncio
from typing import Any

import pytest

from bot_support import Killed, Start, decide_group, from_bot, settled
from plugin_support import Hands, plain
from tgllm import hookimpl
from tgllm.api import Button, Decision, PluginContext, PluginInfo, Press, PressResult, Refused, Reply
from tgllm.db.tables import users
from tgllm.testing.emulator import CallbackQuery, EmulatedMessage, EmulatedUser, Emulator

TEA = Reply("Tea?", buttons=[[Button("Yes", "yes", {"cups": 2}), Button("No", "no")]])


def returning(value: Any) -> Any:
    async def run(*_: object) -> Any:
        return value

    return run


async def answer_of(emu: Emulator, query: CallbackQuery) -> str:
    answer = await emu.wait_for(lambda: query.answer)
    return str(answer.get("text") or "")


async def asked(emu: Emulator, person: EmulatedUser, text: str = "/do", **place: Any) -> EmulatedMessage:
    said = await person.say(text, **place)
    return await emu.wait_for_message(said.chat, lambda message: message.from_bot, after=said)


async def test_a_press_brings_the_plugin_what_it_gave_to_the_button(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    hands = Hands(returning(TEA), returning("Two cups."))
    async with start(plugins=[hands.found]):
        message = await asked(emu, ann)
        query = await ann.press(message, "Yes")
        assert await answer_of(emu, query) == "Two cups."
    (press,) = hands.presses
    assert (message.text, message.labels) == ("Tea?", ["Yes", "No"])
    assert (press.button, press.data, press.user.id, press.chat.id) == ("yes", {"cups": 2}, ann.id, ann.id)
    assert all(len((button.data or "").encode()) <= 64 for button in message.buttons)


@pytest.mark.parametrize("markdown", [False, True])
async def test_it_may_edit_the_message_and_send_another(
    emu: Emulator, ann: EmulatedUser, start: Start, markdown: bool
) -> None:
    changed = Reply("**Boiling**", markdown, buttons=[[Button("Stop", "stop")]])
    result = PressResult("Soon", edit=changed, reply=Reply("New", buttons=[[Button("Ok", "ok", 7)]]))
    hands = Hands(returning(TEA), returning(result))
    async with start(plugins=[hands.found]) as bot:
        message = await asked(emu, ann)
        query = await ann.press(message, "Yes")
        assert await answer_of(emu, query) == "Soon"
        await settled(emu, bot)
        (first, second) = from_bot(ann.private_chat())
        assert (first.text, first.labels) == ("Boiling" if markdown else "**Boiling**", ["Stop"])
        assert (second.text, second.labels) == ("New", ["Ok"])
        hands.on_press = returning(PressResult(edit=Reply("Done")))
        for message, label in ((first, "Stop"), (second, "Ok")):
            await answer_of(emu, await ann.press(message, label))
        await settled(emu, bot)
    assert [(message.text, message.labels) for message in (first, second)] == [("Done", []), ("Done", [])]
    assert [(press.button, press.data) for press in hands.presses] == [("yes", {"cups": 2}), ("stop", None), ("ok", 7)]
    assert len({press.id for press in hands.presses}) == 3
    assert len({press.message.id for press in hands.presses}) == 2


async def test_a_url_needs_no_hook(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    class Plain(Hands):
        tgllm_button = None  # type: ignore[assignment]  no hook

    page = Reply("Page", buttons=[[Button("Open", url="https://example.org/a?b=c")]])
    async with start(plugins=[Plain(returning(page)).found]):
        message = await asked(emu, ann)
    assert [button.raw.get("url") for button in message.buttons] == ["https://example.org/a?b=c"]


async def test_without_the_hook_a_button_is_a_mistake_of_the_plugin(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    class Plain(Hands):
        tgllm_button = None  # type: ignore[assignment]  no hook

    async with start(plugins=[Plain(returning(TEA)).found]):
        message = await asked(emu, ann)
    assert "a mistake in the plugin hands" in message.text


@pytest.mark.parametrize(
    "buttons",
    [
        [Button("A", "a")],
        "no",
        [[]],
        [[Button("A", "a")] * 9],
        [[Button("A", "a")]] * 101,
        [["A"]],
        [[Button(" ", "a")]],
        [[Button("\u200b", "a")]],
        [[Button("A")]],
        [[Button("A", "a", url="https://example.org")]],
        [[Button("A", "a" * 65)]],
        [[Button("A", "a", "x" * 5000)]],
        [[Button("A", "a", {1})]],
        [[Button("A", "a", float("nan"))]],
        [[Button("A", url="javascript:alert(1)")]],
        [[Button("A", url="https://")]],
        [[Button("A", "a", pressers="all")]],
        [[Button(7, "a")]],
    ],
)
async def test_buttons_that_telegram_would_refuse_are_a_mistake_of_the_plugin(
    emu: Emulator, ann: EmulatedUser, start: Start, buttons: Any
) -> None:
    async with start(plugins=[Hands(returning(Reply("x", buttons=buttons))).found]):
        message = await asked(emu, ann)
    assert "a mistake in the plugin hands" in message.text


@pytest.mark.parametrize(
    "wrong",
    [7, PressResult(toast=None), PressResult(alert="y"), PressResult(edit="x"), PressResult(edit=Reply(" "))],  # type: ignore[arg-type]  a plugin may return anything
)
async def test_a_wrong_result_is_told_at_the_button_with_a_code(
    emu: Emulator, ann: EmulatedUser, start: Start, wrong: Any
) -> None:
    async with start(plugins=[Hands(returning(TEA), returning(wrong)).found]):
        message = await asked(emu, ann)
        text = await answer_of(emu, await ann.press(message, "Yes"))
    assert "a mistake in the plugin hands" in text


async def test_an_error_is_told_at_the_button_and_the_plugin_goes_on(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    async def fail(ctx: PluginContext, press: Press) -> None:
        if press.button == "yes":
            raise ZeroDivisionError("no cups")
        raise Refused("not that")

    async with start(plugins=[Hands(returning(TEA), fail).found]) as bot:
        message = await asked(emu, ann)
        unexpected = await answer_of(emu, await ann.press(message, "Yes"))
        own = await answer_of(emu, await ann.press(message, "No"))
        await bot.core.errors.settle()
        hosts = [record.state for record in bot.core.host.records if record.id == "hands"]
    assert "a mistake in the plugin hands" in unexpected
    assert "The provider's filter refused this" in own
    assert hosts == ["active"]


async def test_a_slow_plugin_is_acknowledged_and_its_toast_comes_as_a_message(
    emu: Emulator, ann: EmulatedUser, start: Start
) -> None:
    go = asyncio.Event()

    async def slow(ctx: PluginContext, press: Press) -> str:
        await go.wait()
        return "At last."

    async with start(plugins=[Hands(returning(TEA), slow).found]):
        message = await asked(emu, ann)
        query = await ann.press(message, "Yes")
        assert await answer_of(emu, query) == ""
        go.set()
        late = await emu.wait_for_message(message.chat, after=message)
    assert late.text == "At last."


async def test_a_toast_that_is_too_long_comes_as_a_message(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=[Hands(returning(TEA), returning("Long. " * 50)).found]):
        message = await asked(emu, ann)
        assert await answer_of(emu, await ann.press(message, "Yes")) == ""
        late = await emu.wait_for_message(message.chat, after=message)
    assert late.text == ("Long. " * 50).strip()


async def test_a_toast_with_a_lone_surrogate_is_shown(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=[Hands(returning(TEA), returning("Tea \ud83d!")).found]):
        message = await asked(emu, ann)
        assert await answer_of(emu, await ann.press(message, "Yes")) == "Tea \ufffd!"


async def test_an_alert_is_shown_as_one(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    async with start(plugins=[Hands(returning(TEA), returning(PressResult("Mind!", alert=True))).found]):
        message = await asked(emu, ann)
        query = await ann.press(message, "Yes")
        assert await answer_of(emu, query) == "Mind!"
    assert query.answer is not None
    assert query.answer.get("show_alert") is True


class TestWhoMayPress:
    async def test_in_a_group_each_button_has_its_people(
        self, emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        bob = emu.add_user(first_name="Bob", language_code="en")
        group = emu.add_group(title="Team", members=[ann, bob, eve])
        row = [
            Button("Mine", "mine"),
            Button("All", "all", pressers="anyone"),
            Button("Rule", "rule", pressers="admins"),
        ]
        hands = Hands(returning(Reply("Vote", buttons=[row])), returning("ok"))
        async with start(plugins=[hands.found], let_in=[bob]) as bot:
            await bot.core.database.write(decide_group(group))
            message = await asked(emu, bob, "/do", chat=group)
            found = {
                (who.first_name, label): await answer_of(emu, await who.press(message, label))
                for who in (bob, eve, ann)
                for label in ("Mine", "All", "Rule")
            }
        assert found == {
            ("Bob", "Mine"): "ok",
            ("Bob", "All"): "ok",
            ("Bob", "Rule"): "This button is for the bot's admins.",
            ("Eve", "Mine"): "This button is for somebody else.",
            ("Eve", "All"): "ok",
            ("Eve", "Rule"): "This button is for the bot's admins.",
            ("Ann", "Mine"): "This button is for somebody else.",
            ("Ann", "All"): "ok",
            ("Ann", "Rule"): "ok",
        }

    async def test_who_has_lost_access_can_not_press(
        self, emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        hands = Hands(returning(TEA), returning("ok"))
        async with start(plugins=[hands.found], let_in=[eve]) as bot:
            message = await asked(emu, eve)
            await bot.core.database.write(lambda conn: users.set_status(conn, eve.id, "blocked", 1))
            text = await answer_of(emu, await eve.press(message, "Yes"))
        assert text != "ok"
        assert hands.presses == []

    async def test_callback_data_of_another_chat_does_nothing(
        self, emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start
    ) -> None:
        hands = Hands(returning(TEA), returning("ok"))
        async with start(plugins=[hands.found], let_in=[eve]):
            of_ann, of_eve = await asked(emu, ann), await asked(emu, eve)
            forged = [of_ann.buttons[0].data, "pb:1:0", "pb:x:y", "pb", "pb:9999999999999999999999:0", "pb:-1:-1"]
            forged.append((of_eve.buttons[0].data or "").rpartition(":")[0] + ":7")
            texts = [await answer_of(emu, eve._query(of_eve, data or "")) for data in forged]
        assert set(texts) == {"This button no longer works: its message has changed since, or is too old."}
        assert hands.presses == []


class TestOddTimes:
    async def test_a_press_after_a_restart_and_a_reinstallation_means_the_same(
        self, emu: Emulator, ann: EmulatedUser, start: Start
    ) -> None:
        before = Hands(returning(TEA), returning("before"))
        async with start(plugins=[before.found]):
            message = await asked(emu, ann)
        async with start():
            assert "The plugin hands is not active" in await answer_of(emu, await ann.press(message, "Yes"))
        after = Hands(returning(TEA), returning("after"))
        async with start(plugins=[after.found]):
            assert await answer_of(emu, await ann.press(message, "Yes")) == "after"
        assert [press.data for press in after.presses] == [{"cups": 2}]

    async def test_a_kill_between_press_and_answer_repeats_the_press_with_the_same_id(
        self, emu: Emulator, ann: EmulatedUser, start: Start, killed: Killed
    ) -> None:
        ids: list[str] = []
        begun = asyncio.Event()

        async def hang(ctx: PluginContext, press: Press) -> str:
            ids.append(press.id)
            await ctx.chats.send(press.chat, "Sent once.")
            begun.set()
            await asyncio.Event().wait()
            return ""

        async def end(ctx: PluginContext, press: Press) -> PressResult:
            ids.append(press.id)
            await ctx.chats.send(press.chat, "Another text.")
            return PressResult("Done", edit=Reply("Poured"))

        hands = Hands(returning(TEA), hang)
        async with killed(start(plugins=[hands.found])):
            message = await asked(emu, ann)
            query = await ann.press(message, "Yes")
            await begun.wait()
        hands.on_press = end
        async with start(plugins=[hands.found]) as bot:
            assert await answer_of(emu, query) == "Done"
            await settled(emu, bot)
        assert len(ids) == 2
        assert len(set(ids)) == 1
        assert [each.text for each in from_bot(ann.private_chat())] == ["Poured", "Sent once."]

    async def test_of_two_presses_at_once_the_second_finds_the_changed_message(
        self, emu: Emulator, ann: EmulatedUser, start: Start
    ) -> None:
        go = asyncio.Event()

        async def pour(ctx: PluginContext, press: Press) -> PressResult:
            await go.wait()
            return PressResult("Poured", edit=Reply("Poured"))

        hands = Hands(returning(TEA), pour)
        async with start(plugins=[hands.found]):
            message = await asked(emu, ann)
            queries = [await ann.press(message, "Yes") for _ in range(3)]
            await emu.wait_for(lambda: not len(emu.bot.queue))
            go.set()
            texts = [await answer_of(emu, query) for query in queries]
        assert texts[0] == "Poured"
        assert set(texts[1:]) == {"This button no longer works: its message has changed since, or is too old."}
        assert len(hands.presses) == 1

    async def test_only_the_plugin_of_the_button_gets_the_press(
        self, emu: Emulator, ann: EmulatedUser, start: Start
    ) -> None:
        one = Hands(returning(TEA), returning("one"))
        two = Hands(returning(TEA), returning("two"), plugin_id="others", command="other")
        async with start(plugins=[one.found, two.found]):
            texts = [
                await answer_of(emu, await ann.press(await asked(emu, ann, command), "Yes"))
                for command in ("/do", "/other")
            ]
        assert texts == ["one", "two"]
        assert (len(one.presses), len(two.presses)) == (1, 1)

    async def test_a_quarantined_plugin_gets_no_press(self, emu: Emulator, ann: EmulatedUser, start: Start) -> None:
        hands = Hands(returning(TEA), returning("ok"))
        async with start(plugins=[hands.found]) as bot:
            message = await asked(emu, ann)
            bot.core.host.quarantine("hands", "it broke")
            text = await answer_of(emu, await ann.press(message, "Yes"))
        assert text.startswith("The plugin Hands is not active")

    async def test_a_veto_holds_for_buttons(self, emu: Emulator, ann: EmulatedUser, start: Start) -> None:
        class Veto:
            @hookimpl
            def tgllm_plugin_info(self) -> PluginInfo:
                return PluginInfo("veto", "Veto", "1.0")

            @hookimpl
            def tgllm_authorize(self, action: str) -> Decision | None:
                return Decision.deny("No buttons today.") if action == "button" else None

        hands = Hands(returning(TEA), returning("ok"))
        async with start(plugins=[hands.found, plain(Veto(), "veto")]):
            message = await asked(emu, ann)
            text = await answer_of(emu, await ann.press(message, "Yes"))
        assert text == "No buttons today."
        assert hands.presses == []


async def test_the_call_of_a_command_has_an_id(emu: Emulator, ann: EmulatedUser, start: Start) -> None:
    hands = Hands(returning("ok"))
    async with start(plugins=[hands.found]):
        for _ in range(2):
            await asked(emu, ann)
    first, second = (call.id for call in hands.calls)
    assert first
    assert first != second
