"""Documents in conversations."""

import pytest

from bot_support import Start, settled
from tgllm.api import ContextTooLong
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.scripted import ScriptedProvider

TOO_LONG = ContextTooLong("too long", code="context_too_long")
BOOK = (
    "Assam grows tea.\n" + "".join(f"Line {number} is about ships of the harbour.\n" for number in range(2000))
).encode()


@pytest.mark.parametrize("is_follow_up", [False, True])
async def test_what_is_too_long_for_the_model_is_asked_with_less_of_the_document(
    emu: Emulator, ann: EmulatedUser, start: Start, provider: ScriptedProvider, is_follow_up: bool
) -> None:
    chat = ann.private_chat()
    async with start() as bot:
        if is_follow_up:
            provider.answer("A book.")
            await ann.upload(BOOK, name="book.txt", mime="text/plain")
            await emu.wait_for_message(chat, lambda message: message.text.startswith("A book."))
        provider.answer(TOO_LONG)
        provider.answer("Tea.")
        if is_follow_up:
            await ann.say("What grows in Assam, and which ships come to the harbour?")
        else:
            await ann.upload(
                BOOK,
                name="book.txt",
                mime="text/plain",
                caption="What grows in Assam, and which ships come to the harbour?",
            )
        shown = await emu.wait_for_message(chat, lambda message: message.text.startswith("Tea."))
        await settled(emu, bot)
    before, after = provider.requests[-2:]
    lengths = [sum(len(message.text) for message in request.messages) for request in (before, after)]
    assert lengths[1] < lengths[0] * 0.65
    asked = after.messages[-1].text
    assert asked.count("=== document ") == 3
    assert "Assam grows tea." in asked
    assert asked.endswith("What grows in Assam, and which ships come to the harbour?")
    assert after.system == before.system
    # The note is about what the model has read in the end.
    assert is_follow_up or "longer than fits" in shown.text
