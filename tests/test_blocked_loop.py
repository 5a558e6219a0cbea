"""The program while code of a plugin blocks its event loop, or tries to end it."""

import signal
from collections.abc import Callable

import pytest

from program_support import PATIENCE, Launch, Program
from tgllm.testing.emulator import Emulator
from tgllm.testing.emulator.users import EmulatedUser

pytestmark = pytest.mark.timeout(300)

WILD = """
    import asyncio
    import os
    import threading
    import time

    from tgllm import hookimpl
    from tgllm.api import Finished, PluginInfo, Provider, ProviderSpec, TextDelta


    def hold():
        print("wild.holding", flush=True)
        while True:
            pass


    def sleep():
        print("wild.holding", flush=True)
        time.sleep(3600)


    def insist():
        print("wild.holding", flush=True)
        while True:
            try:
                while True:
                    pass
            except Exception:
                print("wild.insisting", flush=True)


    def refuse():
        print("wild.holding", flush=True)
        while True:
            try:
                while True:
                    pass
            except BaseException:
                pass


    async def end_by_a_task():
        async def child():
            raise SystemExit(3)

        task = asyncio.create_task(child())
        await asyncio.wait({task})

        async def interrupt():
            raise KeyboardInterrupt
        await asyncio.wait({asyncio.create_task(interrupt())})


    def wait_for_ever():
        print("wild.holding", flush=True)
        threading.Event().wait()


    class Wild(Provider):
        async def list_models(self):
            return ()

        async def generate(self, request):
            word = request.messages[-1].text
            if word == "stream":
                print("wild.holding", flush=True)
                while True:
                    yield TextDelta("")
            if word == "task":
                await end_by_a_task()
            if word in {"cancel others", "cancel main"}:
                for task in asyncio.all_tasks() - {asyncio.current_task()}:
                    if (task.get_name() == "main") == (word == "cancel main"):
                        task.cancel()
            if word == "stop":
                asyncio.get_running_loop().stop()
                await asyncio.sleep(0)
            if word in {"hold", "sleep", "insist", "refuse"}:
                globals()[word]()
            if word == "thread":
                await asyncio.to_thread(wait_for_ever)
            if word == "exit":
                raise SystemExit(4)
            if word == "interrupt":
                raise KeyboardInterrupt
            yield TextDelta("Answer to " + word)
            yield Finished()

        async def aclose(self):
            if os.environ.get("WILD_CLOSE"):
                hold()


    @hookimpl
    def tgllm_plugin_info():
        return PluginInfo(id="wild", title="Wild", api="1.0")


    @hookimpl
    def tgllm_providers():
        return (ProviderSpec("wild", "Wild", lambda ctx: Wild()),)


    @hookimpl
    async def tgllm_startup():
        if os.environ.get("WILD_START"):
            hold()
"""


@pytest.fixture
async def wild(emu: Emulator, ann: EmulatedUser, launch: Launch, install_plugin: Callable[[str, str], str]) -> Launch:
    """Launches the bot with a plugin that does what it is asked for; Ann is the owner."""
    folder = install_plugin("wild", WILD)

    async def start(**variables: str) -> Program:
        settings = {"PYTHONPATH": folder, "TGLLM_DEFAULT_MODEL": "wild/m", "TGLLM_ADMIN_IDS": str(ann.id)}
        bot = await launch("run", **(settings | variables))
        await bot.printed("bot.ready")
        return bot

    return start


@pytest.fixture
def ann(emu: Emulator) -> EmulatedUser:
    return emu.add_user(first_name="Ann", language_code="en")


async def answer(emu: Emulator, ann: EmulatedUser, question: str) -> str:
    asked = await ann.say(question)
    chat = ann.private_chat()
    message = await emu.wait_for_message(chat, lambda message: message.from_bot, after=asked, timeout=PATIENCE)
    return message.text


async def test_what_ends_a_program_elsewhere_ends_only_the_turn(emu: Emulator, ann: EmulatedUser, wild: Launch) -> None:
    bot = await wild()
    for question in ("exit", "interrupt"):
        assert "is broken" in await answer(emu, ann, question)
    # The turn does not depend on its tasks.
    assert await answer(emu, ann, "task") == "Answer to task"
    assert await answer(emu, ann, "stop") == "Answer to stop"
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
    assert printed.count("bot.exit_ignored") == 3


@pytest.mark.parametrize("question", ["cancel others", "cancel main"])
async def test_a_plugin_that_cancels_the_bot_s_tasks_ends_it_with_an_error(
    ann: EmulatedUser, wild: Launch, question: str
) -> None:
    bot = await wild()
    await ann.say(question)
    code, printed = await bot.end()
    assert code == 1, printed
    assert "its tasks were cancelled" in printed
    assert "Traceback" not in printed


@pytest.mark.parametrize("question", ["sleep", "insist"])
async def test_a_shutdown_interrupts_a_plugin_that_blocks_the_loop(
    emu: Emulator, ann: EmulatedUser, wild: Launch, question: str
) -> None:
    bot = await wild()
    await ann.say(question)
    await bot.printed("wild.holding")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
    assert "loop.held" in printed
    assert '"plugin": "wild"' in printed
    assert "tgllm_wild.py" in printed
    assert "bot.stopped" in printed


async def test_a_program_that_can_not_shut_down_ends_nevertheless(
    emu: Emulator, ann: EmulatedUser, wild: Launch
) -> None:
    bot = await wild(TGLLM_TURNS__STOP_TIMEOUT="0")
    await ann.say("refuse")
    await bot.printed("wild.holding")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 1, printed
    assert "bot.shutdown_forced" in printed


async def test_a_thread_that_does_not_end_does_not_keep_the_program(
    emu: Emulator, ann: EmulatedUser, wild: Launch
) -> None:
    bot = await wild(TGLLM_TURNS__STOP_TIMEOUT="0")
    await ann.say("thread")
    await bot.printed("wild.holding")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
    assert "are abandoned: tgllm-worker" in printed


async def test_a_second_signal_ends_a_blocked_program_at_once(emu: Emulator, ann: EmulatedUser, wild: Launch) -> None:
    bot = await wild()
    await ann.say("refuse")
    await bot.printed("wild.holding")
    bot.send(signal.SIGINT)
    bot.send(signal.SIGTERM)
    code, _ = await bot.end()
    assert code in {128 + signal.SIGTERM, 128 + signal.SIGINT}


async def test_a_blocked_startup_is_interrupted_and_quarantined(emu: Emulator, ann: EmulatedUser, wild: Launch) -> None:
    bot = await wild(WILD_START="1", TGLLM_DEFAULT_MODEL="echo/echo")
    assert await answer(emu, ann, "hello") == "hello"
    assert "BlockedTheLoop" in await answer(emu, ann, "/admin plugins")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed


async def test_a_provider_that_blocks_while_it_closes_does_not_keep_the_program(
    emu: Emulator, ann: EmulatedUser, wild: Launch
) -> None:
    bot = await wild(WILD_CLOSE="1")
    assert await answer(emu, ann, "hello") == "Answer to hello"
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
    assert "loop.held" in printed


async def test_a_blocked_loop_is_freed_and_shown_to_the_admins(emu: Emulator, ann: EmulatedUser, wild: Launch) -> None:
    bot = await wild()
    assert "is broken" in await answer(emu, ann, "hold")
    await bot.printed("loop.released")
    shown = await answer(emu, ann, "/admin plugins")
    assert "in hold (" in shown
    assert "tgllm_wild.py" in shown


async def test_an_endless_stream_leaves_the_bot_to_others(emu: Emulator, ann: EmulatedUser, wild: Launch) -> None:
    bot = await wild(TGLLM_TURNS__STOP_TIMEOUT="0")
    await ann.say("stream")
    await bot.printed("wild.holding")
    assert await answer(emu, ann, "/stop")
    await ann.say("stream")
    await bot.printed("wild.holding", times=2)
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
