"""A person whose message can't be parsed is told so, where they expect an answer."""

from typing import Any

from bot_support import Ask, Start, from_bot
from tgllm.testing.emulator import EmulatedChat, EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.emulator.world.wire import message_json

TOLD = "I couldn't read this message. Send it again as plain text."
BROKEN: dict[str, Any] = {"link_preview_options": 5}


def send_broken(emu: Emulator, person: EmulatedUser, chat: EmulatedChat, text: str) -> None:
    message = EmulatedMessage(chat.next_message_id(), chat, person, 1_790_000_000)
    emu.bot.queue.put("message", {**message_json(message), "text": text, **BROKEN}, person.id)


async def test_in_a_private_chat(emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask) -> None:
    async with start():
        await ask("hi")
        send_broken(emu, ann, ann.private_chat(), "hello")
        await emu.wait_for_message(ann.private_chat(), lambda message: message.text == TOLD)


async def test_in_a_group_only_if_it_is_for_the_bot(emu: Emulator, ann: EmulatedUser, start: Start, ask: Ask) -> None:
    group = emu.add_group(title="Team", members=[ann])
    async with start():
        await ask("@demo_bot hi", chat=group)
        for text in ("hello", "@demo_bot hello"):
            send_broken(emu, ann, group, text)
        await emu.wait_for_message(group, lambda message: message.text == TOLD)
        await ask("@demo_bot and now?", chat=group)
    assert [message.text for message in from_bot(group)].count(TOLD) == 1


async def test_strangers_are_not(emu: Emulator, ann: EmulatedUser, eve: EmulatedUser, start: Start, ask: Ask) -> None:
    async with start():
        send_broken(emu, eve, eve.private_chat(), "hello")
        await ask("hi")
    assert from_bot(eve.private_chat()) == []
