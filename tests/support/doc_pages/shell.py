"""A shell in which the commands of a page run, with an emulated Telegram and a few people in the database."""

import asyncio
import fcntl
import os
import pty
import re
import struct
import sys
import termios
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

from database_support import NOW
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.schema import prepare
from tgllm.providers.network import VARIABLE
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeAnthropic, FakeDipseek, FakeGemini, FakeMistral, FakeOpenAI

KEY = "your-key"
"""What pages show for the key of a service; the fake services accept it."""
SECONDS = 60
"""Time limit of a command."""
COMMAND = re.compile(r"^\$ ((?:.*\\\n)*.*(?:\n> .*)*)", re.MULTILINE)
ESCAPE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
# A character that no command prints ends the output of one.
END = "\x1e"
PEOPLE = """
INSERT INTO users (id, username, first_name, role, status, requested_at, reason, decided_at, created_at, updated_at)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""


@dataclass
class PageShell:
    """Bash with a terminal of 80 columns; the working folder and the variables stay between commands."""

    process: asyncio.subprocess.Process
    terminal: int
    text: str = ""
    more: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self, command: str) -> tuple[int, str]:
        """The exit code of a command, and what it printed."""
        assert self.process.stdin is not None
        self.text = ""
        self.process.stdin.write(f"{{ {command}\n}} </dev/null; printf '{END}%s{END}' $?\n".encode())
        ended = asyncio.create_task(self.process.wait())
        async with asyncio.timeout(SECONDS):
            while self.text.count(END) < 2:
                self.more.clear()
                read = asyncio.create_task(self.more.wait())
                await asyncio.wait((read, ended), return_when=asyncio.FIRST_COMPLETED)
                if not read.done():
                    read.cancel()
                    raise ValueError(f"the shell has ended: {self.text}")
        ended.cancel()
        printed, code, _ = self.text.split(END)
        return int(code), ESCAPE.sub("", printed).replace("\r\n", "\n")

    def read(self) -> None:
        """Take what the terminal has."""
        self.text += os.read(self.terminal, 65536).decode(errors="replace")
        self.more.set()


@asynccontextmanager
async def page_shell(folder: Path) -> AsyncIterator[PageShell]:
    """A shell whose home and working folder is new, and in which tgllm is set up."""
    async with (
        Emulator() as emulator,
        FakeGemini(key=KEY) as gemini,
        FakeMistral(key=KEY) as mistral,
        FakeDipseek(key=KEY) as dipseek,
        FakeOpenAI(key=KEY) as openai,
        FakeAnthropic(key=KEY) as anthropic,
    ):
        fakes = {"GEMINI": gemini, "MISTRAL": mistral, "DIPSEEK": dipseek, "OPENAI": openai, "ANTHROPIC": anthropic}
        addresses = {f"TGLLM_PLUGINS__{name}__BASE_URL": fake.base_url for name, fake in fakes.items()}
        environ = set_up(folder, emulator) | addresses
        terminal, inner = pty.openpty()
        fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 80, 0, 0))
        process = await asyncio.create_subprocess_exec(
            "bash", "--norc", "--noprofile", cwd=folder, env=environ, stdin=asyncio.subprocess.PIPE,
            stdout=inner, stderr=inner,
        )  # fmt: skip
        shell = PageShell(process, terminal)
        loop = asyncio.get_running_loop()
        loop.add_reader(terminal, shell.read)
        try:
            yield shell
        finally:
            loop.remove_reader(terminal)
            if process.returncode is None:
                process.kill()
            await process.communicate()
            os.close(terminal)
            os.close(inner)


def set_up(folder: Path, emulator: Emulator) -> dict[str, str]:
    """Write the config file and the database; return the environment."""
    ann, bob, eve = (emulator.add_user(first_name=name, username=name.lower()) for name in ("Ann", "Bob", "Eve"))
    config, data = folder / ".config" / "tgllm", folder / ".local" / "share" / "tgllm"
    for made in (config, data):
        made.mkdir(parents=True)
        made.chmod(0o700)
    (config / "config.toml").write_text(
        f'bot_token = "{emulator.token}"\ntelegram_api = "{emulator.base_url}"\nadmin_ids = [{ann.id}]\n'
        'default_model = "echo/echo"\n'
    )
    (config / "config.toml").chmod(0o600)
    add_people(data / "tgllm.db", ann, bob, eve)
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
        "HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder / ".config"),
        "XDG_DATA_HOME": str(folder / ".local" / "share"),
        "LANG": "C.UTF-8",
        "TERM": "dumb",
        "NO_COLOR": "1",
        "COLUMNS": "80",
        VARIABLE: "0",
    }


def add_people(path: Path, ann: EmulatedUser, bob: EmulatedUser, eve: EmulatedUser) -> None:
    """Make a database with an owner, an approved user and a request."""
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        conn.execute(PEOPLE, (ann.id, "ann", "Ann", "owner", "active", None, None, NOW, NOW, NOW))
        conn.execute(PEOPLE, (bob.id, "bob", "Bob", "user", "active", None, None, NOW, NOW, NOW))
        conn.execute(PEOPLE, (eve.id, "eve", "Eve", "user", "pending", NOW, "I am in class 7b", None, NOW, NOW))


def commands(text: str) -> list[tuple[str, str]]:
    """The commands of a console block, each with the output that the page shows."""
    found = list(COMMAND.finditer(text))
    ends = [each.start() for each in found[1:]] + [len(text)]
    return [
        (each[1].replace("\n> ", "\n"), text[each.end() : end].strip("\n"))
        for each, end in zip(found, ends, strict=True)
    ]


def is_like(printed: str, shown: str) -> bool:
    """Whether an output is the one on the page, where ``...`` stands for any text, and alone for any lines or none."""
    pattern = "".join(map(_pattern, _trimmed(shown).splitlines()))
    return re.fullmatch(pattern, _trimmed(printed) + "\n", re.DOTALL) is not None


def _pattern(line: str) -> str:
    if line == "...":
        return r"(?:[^\n]*\n)*?"
    return ".*?".join(map(re.escape, line.split("..."))) + r"\n"


def _trimmed(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.splitlines()).strip("\n")
