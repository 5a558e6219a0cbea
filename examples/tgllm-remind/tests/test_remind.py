"""Reminders in the real bot, with an emulated Telegram."""

from typing import TYPE_CHECKING

import pytest
from pydantic import ValidationError

from tgllm_remind.settings import Settings

if TYPE_CHECKING:
    from tgllm.testing.clock import ManualClock
    from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
    from tgllm.testing.fixtures import StartBot

MINUTE, HOUR, DAY = 60, 3600, 86_400


def texts(ann: "EmulatedUser") -> list[str]:
    """What the bot has said in the private chat."""
    return [message.text for message in ann.private_chat().messages if message.from_bot]


def last(ann: "EmulatedUser") -> "EmulatedMessage":
    return [message for message in ann.private_chat().messages if message.from_bot][-1]


async def test_a_reminder_comes_once_at_its_time(start: "StartBot", ann: "EmulatedUser", clock: "ManualClock") -> None:
    async with start() as bot:
        planned = await bot.talk.say(ann, "/later 20m tea")
        await clock.advance(20 * MINUTE - 1)
        await bot.talk.settled()
        assert texts(ann) == ["⏰ I will remind you at 00:20: tea"]
        await clock.advance(1)
        await bot.talk.settled()
        assert texts(ann)[1:] == ["⏰ tea"]
        assert last(ann).labels == ["10 min", "1 h", "Tomorrow", "Done"]
        assert (await bot.talk.press(ann, planned, "Cancel")).toast == "This reminder is over or cancelled."
        await clock.advance(DAY)
        await bot.talk.settled()
        assert len(texts(ann)) == 2


async def test_it_is_put_off_and_done(start: "StartBot", ann: "EmulatedUser", clock: "ManualClock") -> None:
    async with start() as bot:
        await bot.talk.say(ann, "/later 20m tea")
        await clock.advance(20 * MINUTE)
        await bot.talk.settled()
        first = last(ann)
        await bot.talk.press(ann, first, "1 h")
        assert (first.text, first.labels) == ("💤 Again at 01:20: tea", ["Cancel"])
        await clock.advance(HOUR)
        await bot.talk.settled()
        second = last(ann)
        assert (second.id > first.id, second.text) == (True, "⏰ tea")
        await bot.talk.press(ann, second, "Tomorrow")
        assert second.text == "💤 Again tomorrow at 01:20: tea"
        await clock.advance(DAY)
        await bot.talk.settled()
        third = last(ann)
        await bot.talk.press(ann, third, "Done")
        assert (third.text, third.labels) == ("✅ tea", [])


async def test_the_list_and_cancelling(start: "StartBot", ann: "EmulatedUser", clock: "ManualClock") -> None:
    async with start() as bot:
        await bot.talk.say(ann, "/later 18:30 tea")
        await bot.talk.say(ann, "/later tomorrow cake")
        listed = await bot.talk.say(ann, "/reminders")
        assert listed.text.splitlines()[1:] == ["1. at 18:30: tea", "2. tomorrow at 09:00: cake"]
        assert listed.labels == ["Cancel 1", "Cancel 2"]
        await bot.talk.press(ann, listed, "Cancel 1")
        assert listed.text.splitlines()[1:] == ["1. tomorrow at 09:00: cake"]
        await bot.talk.press(ann, listed, "Cancel 1")
        assert (listed.text, listed.labels) == ("No reminders are left.", [])
        await clock.advance(3 * DAY)
        await bot.talk.settled()
        assert not [text for text in texts(ann) if text in {"⏰ tea", "⏰ cake"}]


async def test_the_time_zone_and_the_language_of_the_person(
    start: "StartBot", emulator: "Emulator", clock: "ManualClock"
) -> None:
    vera = emulator.add_user(first_name="Вера", language_code="ru")
    async with start(admins=[vera.id]) as bot:
        await bot.talk.say(vera, "/settings timezone Asia/Tokyo")
        planned = await bot.talk.say(vera, "/later 18:30 чай")
        assert planned.text == "⏰ Напомню в 18:30: чай"
        await clock.advance(9.5 * HOUR)
        await bot.talk.settled()
        assert (last(vera).text, last(vera).labels) == ("⏰ чай", ["10 мин", "1 ч", "Завтра", "Готово"])


async def test_the_text_of_the_message_that_is_answered(start: "StartBot", ann: "EmulatedUser") -> None:
    async with start() as bot:
        said = await ann.say("Buy milk")
        await bot.talk.settled()
        assert (await bot.talk.say(ann, "/later 20m", reply_to=said)).text.endswith(": Buy milk")


async def test_what_can_not_be_planned(start: "StartBot", ann: "EmulatedUser") -> None:
    async with start(plugins__remind__per_person=2, plugins__remind__days_ahead=7) as bot:
        for words, reply in [
            ("tea", "Write a time"),
            ("25:00 tea", "Write a time"),
            ("20m", "What should I remind you of?"),
            ("today 0:00 tea", "That time is over."),
            ("8d tea", "I can remind you of things within 7 days."),
            ("999999999w tea", "I can remind you of things within 7 days."),
            ("7d " + "long " * 500, "⏰ I will remind you"),
            ("1d two", "⏰ I will remind you"),
            ("1d three", "You have 2 reminders"),
        ]:
            assert (await bot.talk.say(ann, f"/later {words}")).text.startswith(reply)
        listed = await bot.talk.say(ann, "/later")
        assert len(listed.text) < 1000


async def test_a_message_that_waited_while_the_bot_was_down_counts_from_its_own_time(
    start: "StartBot", ann: "EmulatedUser", clock: "ManualClock"
) -> None:
    async with start() as bot:
        await ann.say("/later 20m tea", fields={"date": int(clock.now()) - 15 * MINUTE})
        await bot.talk.settled()
        assert last(ann).text == "⏰ I will remind you at 00:05: tea"


async def test_it_is_made_up_after_downtime(start: "StartBot", ann: "EmulatedUser", clock: "ManualClock") -> None:
    async with start() as bot:
        await bot.talk.say(ann, "/later 20m tea")
    clock.set_now(clock.now() + 2 * HOUR)
    async with start() as bot:
        await clock.advance(MINUTE)
        await bot.talk.settled()
        assert texts(ann)[1:] == ["⏰ tea\n\nIt was due at 00:20; I was not running then."]
        await bot.talk.press(ann, last(ann), "10 min")
    async with start() as bot:
        await clock.advance(10 * MINUTE)
        await bot.talk.settled()
        assert texts(ann)[2:] == ["⏰ tea"]


async def test_forget_deletes_them(start: "StartBot", ann: "EmulatedUser", clock: "ManualClock") -> None:
    async with start() as bot:
        await bot.talk.say(ann, "/later 20m tea")
        asked = await bot.talk.say(ann, "/forget")
        await bot.talk.press(ann, asked, asked.labels[0])
        await clock.advance(HOUR)
        await bot.talk.settled()
        assert not [text for text in texts(ann) if text.startswith("⏰ tea")]


@pytest.mark.parametrize("minutes", [0, -10, 527_041])
def test_a_reminder_is_put_off_by_minutes_that_can_be_read(minutes: int) -> None:
    with pytest.raises(ValidationError):
        Settings(snooze_minutes=(minutes,))
