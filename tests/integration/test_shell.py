"""The shell and the bot, two programs on one data folder."""

import signal

import pytest

from program_support import PATIENCE, Launch
from tgllm.testing.emulator import EmulatedUser, Emulator

pytestmark = pytest.mark.timeout(300)


async def test_a_running_bot_notices_who_was_let_in_from_the_shell(
    emu: Emulator, ann: EmulatedUser, launch: Launch
) -> None:
    eve = emu.add_user(first_name="Eve", username="eve_s")
    chat = eve.private_chat()
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id))
    asked = await eve.say("/start")
    await emu.wait_for_message(chat, lambda message: "request pending" in message.text, timeout=PATIENCE)

    listed, names = await (await launch("users", "list", "--status", "pending")).end()
    code, printed = await (await launch("users", "approve", "@eve_s")).end()
    told = await emu.wait_for_message(chat, lambda message: "approved" in message.text, after=asked, timeout=PATIENCE)
    said = await eve.say("hello there")
    answer = await emu.wait_for_message(chat, lambda message: message.from_bot, after=said, timeout=PATIENCE)

    assert (listed, code) == (0, 0), printed
    assert "@eve_s" in names
    assert told.from_bot
    assert answer.text == "hello there"
    assert bot.process.returncode is None


@pytest.mark.parametrize(
    ("model", "told"),
    [
        ("echo/echo", "Only the echo provider answers"),
        ("gemini/gemini-3.8-flash", "GEMINI_API_KEY"),
        ("nowhere/model", "no provider is called 'nowhere'"),
    ],
)
async def test_the_start_says_what_the_default_model_lacks(launch: Launch, model: str, told: str) -> None:
    bot = await launch("run", TGLLM_DEFAULT_MODEL=model)
    await bot.printed("models.not_ready")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()

    assert code == 0, printed
    (line,) = (line for line in printed.splitlines() if "models.not_ready" in line)
    assert told in line
