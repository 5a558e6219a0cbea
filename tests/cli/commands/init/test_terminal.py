"""The whole dialogue of ``tgllm init`` in a terminal, as a person sees it."""

import asyncio
import os
import pty
import re
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from cli_support import exists, mode, put, settings
from program_support import Launch
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.emulator.state.bots import WebhookSettings
from tgllm.testing.fake_providers import FakeMistral

PATIENCE = 60.0
"""Seconds to wait for what is shown; imports take long on a busy machine."""


class Terminal:
    """A program in a pseudo-terminal."""

    def __init__(self, process: asyncio.subprocess.Process, descriptor: int) -> None:
        self.process = process
        self.shown = ""
        self._descriptor = descriptor
        self._at = 0
        self._changed = asyncio.Event()
        asyncio.get_running_loop().add_reader(descriptor, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._descriptor, 65536)
        except OSError:
            data = b""
        if not data:
            asyncio.get_running_loop().remove_reader(self._descriptor)
        self.shown += data.decode(errors="replace")
        self._changed.set()

    async def shows(self, pattern: str) -> re.Match[str]:
        """Wait until a pattern is shown after what was waited for before."""
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := re.search(pattern, self.shown[self._at :])) is None:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{pattern!r} was not shown: {self.shown}") from None
        self._at += found.end()
        return found

    def types(self, text: str) -> None:
        os.write(self._descriptor, text.encode())

    async def answers(self, pattern: str, text: str) -> None:
        await self.shows(pattern)
        self.types(f"{text}\r")

    def close(self) -> None:
        """Close the window."""
        asyncio.get_running_loop().remove_reader(self._descriptor)
        os.close(self._descriptor)


Start = Callable[[], Awaitable[Terminal]]


@pytest.fixture
async def mistral() -> AsyncIterator[FakeMistral]:
    async with FakeMistral() as fake:
        yield fake


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "etc" / "tgllm.toml"


@pytest.fixture
async def start(emu: Emulator, mistral: FakeMistral, tmp_path: Path, path: Path) -> AsyncIterator[Start]:
    terminals: list[Terminal] = []

    async def start() -> Terminal:
        ours, theirs = pty.openpty()
        environment = {
            **{name: value for name, value in os.environ.items() if not name.endswith("_API_KEY")},
            "TGLLM_TELEGRAM_API": emu.base_url,
            "TGLLM_PLUGINS__MISTRAL__BASE_URL": mistral.base_url,
            "TGLLM_DISABLE_PLUGINS": "gemini,dipseek,llm,local,openai,anthropic,whisper",
            "TGLLM_DATA_DIR": str(tmp_path / "data"),
            "HOME": str(tmp_path),
            "XDG_CONFIG_HOME": str(tmp_path),
            "TERM": "xterm",
        }
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tgllm", "--config", str(path), "init", "--systemd",
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=tmp_path, env=environment, start_new_session=True,
            preexec_fn=_take_terminal,
        )  # fmt: skip
        os.close(theirs)
        terminals.append(Terminal(process, ours))
        return terminals[-1]

    yield start
    for terminal in terminals:
        if terminal.process.returncode is None:
            terminal.process.kill()
            await terminal.process.wait()


def _take_terminal() -> None:
    """Make the pseudo-terminal the controlling one, so that Ctrl-C and closing it have their effects."""
    import fcntl  # noqa: PLC0415  in the child
    import termios  # noqa: PLC0415  in the child

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


async def test_from_nothing_to_a_file(
    start: Start, emu: Emulator, ann: EmulatedUser, mistral: FakeMistral, path: Path, tmp_path: Path
) -> None:
    eve = emu.add_user(first_name="Eve\x1b[31m\nbot_token = 1")
    terminal = await start()
    await terminal.answers("shows it: ", emu.token)
    await terminal.answers("between them: ", "")
    code = (await terminal.shows(r"private chat: (\d{4}-\d{4}-\d{4})"))[1]
    await terminal.shows(f"https://t.me/demo_bot\\?start={code}")
    await terminal.shows("Press Enter")
    await eve.say("1111-2222-3333")
    await terminal.shows(r"Eve \[31m bot_token = 1 \(\d+\) has sent something else")
    assert not exists(path)
    await ann.say(f"/start {code}")
    await terminal.answers(r"Ann \(\d+\) has sent the code.*: ", "")
    await terminal.answers("another admin.*: ", "y")
    second = (await terminal.shows(r"private chat: (\d{4}-\d{4}-\d{4})"))[1]
    assert second != code
    await eve.say(second)
    await terminal.answers("has sent the code.*: ", "n")
    third = (await terminal.shows(r"private chat: (\d{4}-\d{4}-\d{4})"))[1]
    await eve.say(third)
    await terminal.answers("has sent the code.*: ", "y")
    await terminal.answers("another admin.*: ", "")
    await terminal.answers("Provider.*: ", "")
    await terminal.answers("another provider\\): ", "wrong-key")
    await terminal.answers("can't be used(.|\n)*another provider\\): ", mistral.key)
    await terminal.answers(r"Model.*\[mistral-small-2603\]: ", "")
    await terminal.shows("Written: ")
    await terminal.shows("Start the bot with: tgllm run --config ")
    assert await terminal.process.wait() == 0

    written = settings(path)
    assert written["admin_ids"] == [ann.id, eve.id]
    assert written["bot_token"] == emu.token
    assert written["plugins"]["mistral"]["api_key"] == mistral.key
    assert mode(path) == 0o600
    assert exists(tmp_path / "systemd" / "user" / "tgllm.service")
    # Hidden while they are typed.
    assert emu.token not in terminal.shown
    assert mistral.key not in terminal.shown
    assert ann.private_chat().messages[-1].from_bot


async def test_enter_while_it_waits_leads_to_typed_ids_and_ctrl_c_ends_it(
    start: Start, emu: Emulator, path: Path
) -> None:
    terminal = await start()
    await terminal.answers("shows it: ", emu.token)
    await terminal.answers("between them: ", "")
    await terminal.answers("Press Enter.*\n", "")
    await terminal.answers("ids of the admins.*: ", "12")
    await terminal.shows("Provider.*: ")
    terminal.types("\x03")

    assert await terminal.process.wait() == 130
    assert not exists(path)


@pytest.mark.parametrize("at", ["token", "code"])
@pytest.mark.parametrize("how", ["ctrl-c", "closed"])
async def test_an_end_at_any_place_leaves_nothing(start: Start, emu: Emulator, path: Path, at: str, how: str) -> None:
    terminal = await start()
    await terminal.shows("shows it: ")
    if at == "code":
        terminal.types(f"{emu.token}\r")
        await terminal.answers("between them: ", "")
        await terminal.shows("Press Enter")
        await emu.wait_for(lambda: emu.bot.queue.is_polled)
    if how == "ctrl-c":
        terminal.types("\x03")
        assert await terminal.process.wait() == 130
    else:
        terminal.close()
        assert await terminal.process.wait() in {1, 130, -signal.SIGHUP}
    assert not exists(path.parent)


async def test_a_webhook_is_removed_on_request(start: Start, emu: Emulator, ann: EmulatedUser) -> None:
    await ann.say("waits")
    emu.bot.webhook = WebhookSettings("http://127.0.0.1:9/secret-path")
    terminal = await start()
    await terminal.answers("shows it: ", emu.token)
    await terminal.shows(r"webhook at 127.0.0.1")
    assert "secret-path" not in terminal.shown
    await terminal.answers("Remove the webhook.*: ", "")
    await terminal.shows("webhook is removed")
    await terminal.shows("Admins")

    assert emu.bot.webhook is None
    assert len(emu.bot.queue.pending) == 1


async def test_the_file_alone_is_enough_for_a_bot_that_answers(
    launch: Launch, emu: Emulator, ann: EmulatedUser, mistral: FakeMistral, path: Path, tmp_path: Path
) -> None:
    put(tmp_path / "token", f"{emu.token}\n")
    put(tmp_path / "key", f"{mistral.key}\n")
    nothing = {
        "TGLLM_BOT_TOKEN": "",
        "TGLLM_TELEGRAM_API": "",
        "TGLLM_DISABLE_PLUGINS": "gemini,dipseek,llm,local,openai,anthropic,whisper",
    }
    init = await launch(
        "--config", str(path), "init", "--yes", "--token-file", "token", "--admin", str(ann.id), "--key-file", "key",
        "--model", "mistral/mistral-small-latest", "--base-url", mistral.base_url, "--telegram-api", emu.base_url,
        **nothing,
    )  # fmt: skip
    code, printed = await init.end()
    assert code == 0, printed
    await launch("run", "--config", str(path), **nothing)
    mistral.answer("Good morning")
    await ann.say("Hello?")

    await emu.wait_for_message(
        ann.private_chat(), lambda message: message.from_bot and "Good morning" in message.text, PATIENCE
    )
