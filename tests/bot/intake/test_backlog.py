"""What happened while the bot was offline: answered in order, without old presses, and with a bounded memory."""

import json
from collections import defaultdict

import pytest

from bot_support import LaterClock, Start
from tgllm.bot.intake.old_presses import OldPresses
from tgllm.bot.intake.reading import Batch
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.testing.clock import ManualClock
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

NOW = 1_800_000_000
"""UTC, in seconds."""


async def test_a_long_backlog_is_answered_in_order_and_nobody_starves(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    """More updates than one response holds; one chat has most of them, and others wrote in between and at the end."""
    people = [ann, *(emu.add_user(first_name=f"User {number}") for number in range(5))]
    asked: dict[int, list[str]] = defaultdict(list)
    for number in range(150):
        person = people[number // 30 if number % 30 == 29 else 0]
        asked[person.id].append(f"question {number}")
        await person.say(f"question {number}")
    async with start(admins=[person.id for person in people], clock=LaterClock(1)) as bot:
        await emu.wait_for(lambda: len(emu.journal.of("sendMessage")) >= 150)
        counts = await bot.core.database.read(inbox.counts)
    assert counts == {"done": 150}
    questions = [request.messages[-1].text for request in provider.requests]
    for texts in asked.values():
        assert [text for text in questions if text in texts] == texts
    # The only question of the last person is not behind all of the first one's.
    assert questions.index("question 149") < questions.index("question 148")


async def test_an_old_press_is_not_acted_on_and_a_new_one_is(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider
) -> None:
    async with start():
        await ann.say("/settings")
        menu = await emu.wait_for_message(ann.private_chat(), lambda message: bool(message.buttons))
    data = next(button.data for button in menu.buttons if button.data)
    await ann.press(menu, data)
    await ann.say("go")
    async with start(clock=LaterClock(1)) as bot:
        await emu.wait_for_message(ann.private_chat(), lambda message: message.from_bot and message.text == "go")
        assert (await bot.core.database.read(inbox.counts))["expired"] == 1
        assert not emu.journal.of("answerCallbackQuery")
        await ann.press(menu, data)
        await emu.wait_for(lambda: emu.journal.of("answerCallbackQuery"))


def update(update_id: int, kind: str, seconds: int | None = None, *, control: bool = False) -> NewUpdate:
    content = {} if seconds is None else {"date": seconds}
    return NewUpdate(
        update_id, ":7:", kind, control=control, payload=json.dumps({"update_id": update_id, kind: content})
    )


def press(update_id: int) -> NewUpdate:
    return update(update_id, "callback_query", control=True)


class TestOldPresses:
    def test_a_press_is_at_least_as_old_as_the_next_message(self) -> None:
        old, new = update(2, "message", NOW - 3600), update(5, "message", NOW - 100)
        batch = Batch([press(1), old, press(3), update(4, "my_chat_member"), new, press(6)])
        assert OldPresses(ManualClock()).find(batch, NOW * 1000) == {1}

    def test_an_edit_counts_by_the_time_of_the_edit(self) -> None:
        content = {"date": NOW - 3600, "edit_date": NOW - 10}
        edit = NewUpdate(2, ":7:", "edited_message", control=False, payload=json.dumps({"edited_message": content}))
        assert not OldPresses(ManualClock()).find(Batch([press(1), edit]), NOW * 1000)

    @pytest.mark.parametrize("seconds", [3600, 10])
    def test_the_end_of_a_full_batch_is_followed_by_more(self, seconds: int) -> None:
        said = [update(number, "message", NOW - seconds) for number in range(99)]
        found = OldPresses(ManualClock()).find(Batch([*said, press(99)], has_more=True), NOW * 1000)
        assert set(found) == ({99} if seconds > 150 else set())

    def test_updates_that_are_fetched_one_by_one_are_part_of_the_backlog(self) -> None:
        presses = OldPresses(ManualClock())
        presses.find(Batch([update(1, "message", NOW - 3600)], has_more=True), NOW * 1000)
        batch = Batch([press(2), update(3, "message", NOW - 3600)])
        assert set(presses.find(batch, NOW * 1000)) == {2}

    def test_a_press_that_starts_a_turn_is_kept(self) -> None:
        retry = update(1, "callback_query", control=False)
        assert not OldPresses(ManualClock()).find(Batch([retry, update(2, "message", NOW - 3600)]), NOW * 1000)

    async def test_after_the_backlog_the_clocks_are_not_compared_any_more(self) -> None:
        """The clock of the machine may be wrong by any amount: then a press must still work."""
        clock = ManualClock()
        presses = OldPresses(clock)
        batch = Batch([press(1), update(2, "message", NOW - 3600)])
        assert set(presses.find(batch, NOW * 1000)) == {1}
        assert not presses.find(batch, NOW * 1000)
        await clock.advance(100)
        assert not presses.find(batch, NOW * 1000)
        await clock.advance(200)
        assert set(presses.find(batch, NOW * 1000)) == {1}
