"""``/admin broadcast`` tells everybody something: after a preview, slowly, once, and with a report."""

import pytest

from bot_support import Ask, LetIn, Start
from tgllm.db.tables import audit, users
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.state.records import EmulatedMessage
from tgllm.testing.emulator.users import EmulatedUser

NEWS = "The bot moves tonight."


@pytest.fixture
def people(emu: Emulator) -> list[EmulatedUser]:
    """Twelve people who have started the bot."""
    found = [emu.add_user(first_name=f"P{number}", language_code="en") for number in range(12)]
    for person in found:
        person.private_chat()
    return found


def told(people: list[EmulatedUser]) -> list[int]:
    """How often each of them has been told."""
    return [sum(message.text == NEWS for message in person.private_chat().messages) for person in people]


async def report(emu: Emulator, ann: EmulatedUser) -> str:
    message = await emu.wait_for_message(ann.private_chat(), lambda message: "Result of" in message.text)
    return message.text


async def confirmed(ask: Ask, ann: EmulatedUser, button: str) -> EmulatedMessage:
    """Ask for the broadcast and press the button of the preview."""
    preview = await ask(f"/admin broadcast {NEWS}")
    await ann.press(preview, button)
    return preview


async def test_the_preview_shows_the_text_and_how_many_it_goes_to(
    ask: Ask, people: list[EmulatedUser], start: Start
) -> None:
    async with start(let_in=people) as bot:
        await bot.core.database.write(lambda conn: users.set_status(conn, people[0].id, "blocked", 1))
        await bot.core.database.write(lambda conn: users.set_status(conn, people[1].id, "active", 1, expires_at=2))
        preview = await ask(f"/admin broadcast {NEWS}\nBe patient.")

        assert preview.text.endswith(f"\n\n{NEWS}\nBe patient.")
        assert "This would go to 10 people." in preview.text
        assert preview.labels == ["Send to 10 people", "Don't send"]
        assert told(people) == [0] * 12


async def test_everybody_is_told_once_and_the_admin_of_what_came_of_it(
    emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
) -> None:
    async with start(admin__broadcast_rate=20, let_in=people) as bot:
        await people[3].block()
        emu.faults.add(Fault.api_error("sendMessage", 400, "chat not found", chat_id=people[4].id))
        preview = await confirmed(ask, ann, "Send to 12 people")
        text = await report(emu, ann)
        assert told(people) == [1, 1, 1, 0, 0, 1, 1, 1, 1, 1, 1, 1]
        assert "12 people" in text
        assert "delivered: 10\n" in text
        assert "have blocked or never started the bot: 1\n" in text
        assert "not accepted by Telegram: 1\n" in text
        assert not preview.buttons
        shown = [message for message in preview.chat.messages if message.text == "The broadcast is done."]
        assert [message.buttons for message in shown] == [()]
        entries = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))

    assert [(entry.action, entry.target, entry.details) for entry in entries] == [
        ("broadcast.start", "broadcast 1", {"people": 12})
    ]


async def test_what_is_not_confirmed_is_counted_and_the_person_is_not_asked(
    emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
) -> None:
    async with start(admin__broadcast_rate=20, let_in=people, sending__resolve=False):
        emu.faults.add(Fault.cut_after("sendMessage", chat_id=people[4].id))
        await confirmed(ask, ann, "Send to 12 people")
        text = await report(emu, ann)
    assert told(people) == [1] * 12
    assert people[4].private_chat().bot_texts == [NEWS]
    assert "delivered: 11\n" in text
    assert "not accepted by Telegram: 0\nunconfirmed (sent, and Telegram did not say whether it arrived): 1\n" in text


async def test_what_was_not_confirmed_and_has_arrived_is_found(
    emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
) -> None:
    async with start(admin__broadcast_rate=20, let_in=people):
        emu.faults.add(Fault.cut_after("sendMessage", chat_id=people[4].id))
        await confirmed(ask, ann, "Send to 12 people")
        text = await report(emu, ann)
    assert told(people) == [1] * 12
    assert "delivered: 12\n" in text


async def test_it_goes_on_after_a_restart_and_tells_nobody_twice(
    emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
) -> None:
    async with start(admin__broadcast_rate=1, let_in=people):
        await confirmed(ask, ann, "Send to 12 people")
        await emu.wait_for(lambda: any(told(people)))
    assert sum(told(people)) < 12
    async with start(admin__broadcast_rate=20):
        text = await report(emu, ann)

    assert told(people) == [1] * 12
    assert "delivered: 12\n" in text


async def test_a_stop_needs_no_password_and_takes_back_what_has_not_gone(
    emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
) -> None:
    async with start(admin__broadcast_rate=1, let_in=people) as bot:
        preview = await confirmed(ask, ann, "Send to 12 people")
        shown = await emu.wait_for_message(preview.chat, lambda message: "of 12 done" in message.text, after=preview)
        await ann.press(shown, "Stop")
        await emu.wait_for(lambda: not shown.buttons)
        text = await report(emu, ann)
        assert (await ask("/admin broadcast_stop 1")).text == "There is no such broadcast under way."
        entries = await bot.core.database.read(lambda conn: audit.list_recent(conn, 1))

    reached = sum(told(people))
    assert reached < 12
    assert f"delivered: {reached}\n" in text
    assert text.endswith(f"left out: {12 - reached}")
    assert entries[0].action == "broadcast.stop"


async def test_answers_do_not_wait_for_a_broadcast_that_telegram_does_not_take(
    emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
) -> None:
    async with start(admin__broadcast_rate=20, let_in=people):
        holds = [emu.faults.add(Fault.hold("sendMessage", times=None, chat_id=person.id)) for person in people]
        await confirmed(ask, ann, "Send to 12 people")
        await emu.wait_for(lambda: all(hold.hits for hold in holds))
        assert (await ask("Hello")).text == "Hello"
        for hold in holds:
            hold.release()
        await emu.wait_for(lambda: told(people) == [1] * 12)


class TestConfirmation:
    async def test_a_preview_that_is_not_confirmed_goes_to_nobody(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
    ) -> None:
        async with start(let_in=people):
            preview = await confirmed(ask, ann, "Don't send")
            await emu.wait_for(lambda: not preview.buttons)
            assert (await ask("/admin broadcast_send 1")).text == "This broadcast was confirmed already."
            assert told(people) == [0] * 12

    async def test_it_can_be_confirmed_for_ten_minutes(
        self, ask: Ask, people: list[EmulatedUser], start: Start
    ) -> None:
        clock = ManualClock()
        async with start(clock=clock, let_in=people):
            await ask(f"/admin broadcast {NEWS}")
            await clock.advance(600)
            assert "too old" in (await ask("/admin broadcast_send 1")).text
            assert told(people) == [0] * 12

    async def test_a_second_press_begins_nothing(
        self, emu: Emulator, ask: Ask, ann: EmulatedUser, people: list[EmulatedUser], start: Start
    ) -> None:
        async with start(admin__broadcast_rate=20, let_in=people):
            await confirmed(ask, ann, "Send to 12 people")
            await report(emu, ann)
            assert "confirmed already" in (await ask("/admin broadcast_send 1")).text
            assert told(people) == [1] * 12

    async def test_only_who_wrote_it_confirms_it(
        self, emu: Emulator, ask: Ask, eve: EmulatedUser, people: list[EmulatedUser], start: Start
    ) -> None:
        async with start(let_in=[*people, eve]) as bot:
            await bot.core.database.write(lambda conn: users.set_role(conn, eve.id, "admin", 1))
            await ask(f"/admin broadcast {NEWS}")
            said = await eve.say("/admin broadcast_send 1")
            refused = await emu.wait_for_message(said.chat, lambda message: message.from_bot, after=said)
            assert "no such preview" in refused.text
            assert told(people) == [0] * 12

    @pytest.mark.parametrize("number", ["0", "7", "x", "9" * 30])
    async def test_a_number_that_is_none_begins_nothing(self, ask: Ask, start: Start, number: str) -> None:
        async with start():
            assert "no such preview" in (await ask(f"/admin broadcast_send {number}")).text

    async def test_without_a_text_or_people_or_room_it_says_so(
        self, ask: Ask, people: list[EmulatedUser], start: Start, let_in: LetIn
    ) -> None:
        async with start() as bot:
            assert "/admin broadcast <text>" in (await ask("/admin broadcast")).text
            assert "nobody has been approved" in (await ask(f"/admin broadcast {NEWS}")).text
            await let_in(bot, people)
            assert "room for 3796 characters" in (await ask(f"/admin broadcast {'x' * 3797}")).text
            assert (await ask(f"/admin broadcast {'x' * 3796}")).text.endswith("x" * 3796)
