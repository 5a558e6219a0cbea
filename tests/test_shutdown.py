"""The program is told to end while something holds it up."""

import asyncio
import signal
import sys
import textwrap
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from program_support import PATIENCE, Launch
from tgllm.shutdown import run_loop
from tgllm.testing.emulator import Emulator, Fault
from tgllm.testing.emulator.users import EmulatedUser

OBSTINATE = """
    import asyncio
    import threading

    from tgllm import hookimpl
    from tgllm.api import Finished, PluginInfo, Provider, ProviderSpec, TextDelta


    async def never_end():
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                pass


    class Obstinate(Provider):
        async def list_models(self):
            return ()

        async def generate(self, request):
            yield TextDelta("Half")
            await never_end()
            yield Finished()

        async def aclose(self):
            await never_end()


    def hang(ctx):
        print("provider.starting", flush=True)
        threading.Event().wait()


    @hookimpl
    def tgllm_plugin_info():
        return PluginInfo(id="obstinate", title="Obstinate", api="1.0")


    @hookimpl
    def tgllm_providers():
        return (
            ProviderSpec("obstinate", "Obstinate", lambda ctx: Obstinate()),
            ProviderSpec("hanging", "Hanging", hang),
        )
"""


@pytest.fixture
def obstinate(install_plugin: Callable[[str, str], str]) -> str:
    """A folder for PYTHONPATH with a plugin whose providers do not end when they are told to."""
    return install_plugin("obstinate", OBSTINATE)


@pytest.fixture
def ann(emu: Emulator) -> EmulatedUser:
    return emu.add_user(first_name="Ann")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_bot_that_waits_for_telegram_can_be_stopped(
    emu: Emulator, launch: Launch, number: signal.Signals
) -> None:
    emu.faults.add(Fault.bad_gateway("getMe", times=None))
    bot = await launch("run")
    await bot.printed("bot.no_connection")
    bot.send(number)
    code, printed = await bot.end()
    assert code == 0, printed
    assert "bot.stopped" in printed.splitlines()[-1]


async def test_a_provider_that_does_not_end_does_not_keep_the_program(
    emu: Emulator, ann: EmulatedUser, launch: Launch, obstinate: str
) -> None:
    variables = {"PYTHONPATH": obstinate, "TGLLM_DEFAULT_MODEL": "obstinate/m", "TGLLM_TURNS__STOP_TIMEOUT": "0"}
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), **variables)
    await ann.say("go")
    await emu.wait_for_draft(ann.private_chat(), lambda draft: draft.text == "Half", timeout=PATIENCE)
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
    assert "Traceback" not in printed
    answer = ann.private_chat().bot_texts
    assert len(answer) == 1
    assert answer[0].startswith("Half\n\n")


async def test_a_provider_that_hangs_at_its_start_does_not_keep_the_program(
    emu: Emulator, ann: EmulatedUser, launch: Launch, obstinate: str
) -> None:
    variables = {"PYTHONPATH": obstinate, "TGLLM_DEFAULT_MODEL": "hanging/m", "TGLLM_TURNS__STOP_TIMEOUT": "0"}
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), **variables)
    await ann.say("go")
    await bot.printed("provider.starting")
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed


NO_UVLOOP = """
    import sys


    class Absent:
        def find_spec(self, name, path=None, target=None):
            if name == "uvloop":
                raise ModuleNotFoundError("No module named 'uvloop'", name=name)


    sys.meta_path.insert(0, Absent())
"""


async def test_an_error_without_uvloop_is_shown_without_a_word_of_it(
    emu: Emulator, launch: Launch, tmp_path: Path
) -> None:
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(textwrap.dedent(NO_UVLOOP))
    emu.faults.add(Fault.unauthorized("getMe", times=None))
    bot = await launch("--debug", "run", PYTHONPATH=str(tmp_path / "site"))

    code, printed = await bot.end()

    assert code == 1
    assert "Traceback" in printed
    assert "uvloop" not in printed


def test_hanging_calls_of_plugins_in_threads_leave_threads_to_the_bot() -> None:
    release = threading.Event()
    done: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        hanging = [loop.run_in_executor(None, release.wait) for _ in range(100)]
        try:
            async with asyncio.timeout(60):
                done.append(await asyncio.to_thread(lambda: "read"))
        finally:
            release.set()
            await asyncio.gather(*hanging)

    run_loop(main(), lambda error: None)
    assert done == ["read"]


FIRST_PROCESS = """
import os
import signal

import tgllm.cli.main as cli

os.getpid = lambda: 1
cli.main = lambda *_: print(signal.getsignal(signal.SIGTERM) != signal.SIG_DFL, flush=True) or signal.pause()
cli.run()
"""


async def test_sigterm_ends_a_command_that_is_the_first_process_of_a_container() -> None:
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", FIRST_PROCESS, stdout=asyncio.subprocess.PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"True\n"
    process.send_signal(signal.SIGTERM)

    assert await process.wait() == 128 + signal.SIGTERM
