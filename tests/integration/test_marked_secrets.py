"""The whole bot with marked secrets: every output, table, file and message is searched for them."""

import asyncio
import json
import signal
import sqlite3
from collections.abc import AsyncIterator, Callable, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from urllib.request import urlopen

import pytest

from plugin_support import write_distribution
from program_support import PATIENCE, Launch, Program
from secret_support import find_secret_everywhere
from sentry_support import KEY, SentryServer, sentry_server
from tgllm.config.password_hash import Cost, hash_password
from tgllm.testing.emulator import EmulatedMessage, EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeDipseek, FakeError

pytestmark = pytest.mark.timeout(300)

PASSWORD = "marked-admin-password-71"
HASH = str(hash_password(PASSWORD, Cost(log_n=12, r=8, p=1)))
PROXY = "marked-proxy-password-72"
TOKEN = "987654321:AAmarked-token-of-the-bot-0123456789"
OTHER_KEY = "marked-mistral-key-0123456789-73"
FILE_URL = "https://api.telegram.org/file/bot{token}/documents/file_1.pdf"
WORDS = "marked words of a person seventyfour"

PLUGIN = """
import asyncio, os
from tgllm import hookimpl
from tgllm.api import ChatCommand, JobSpec, PluginInfo

SECRETS = [os.environ[name] for name in (
    "TGLLM_BOT_TOKEN", "DEEPSEEK_API_KEY", "MISTRAL_API_KEY", "SENTRY_DSN", "HTTPS_PROXY", "TGLLM_ADMIN__PASSWORD_HASH"
)]
FILE = "https://api.telegram.org/file/bot" + SECRETS[0] + "/documents/file_1.pdf"

class Nested(Exception):
    def __str__(self):
        return "nested " + " ".join([*SECRETS, FILE])

async def crash(call):
    try:
        raise Nested()
    except Nested as error:
        raise RuntimeError(f"refused: {SECRETS} {FILE} while reading {call.args}") from error

async def stray(call):
    asyncio.create_task(crash(call))
    await asyncio.sleep(0)
    call.context.log.warning("stray.began", secrets=SECRETS, url=FILE)
    call.context.log.debug("stray.debug", secrets=SECRETS, url=FILE)
    return "begun"

@hookimpl
def tgllm_plugin_info():
    return PluginInfo(id="leaky", title="Leaky", api="1.0")

@hookimpl
def tgllm_commands():
    return [ChatCommand("crash", "Crash", crash), ChatCommand("stray", "Stray", stray)]

@hookimpl
def tgllm_on_error(turn, error):
    raise LookupError(f"{error} {turn.text} {SECRETS} {FILE}")
"""


@dataclass
class Outside:
    """The bot's surroundings, and what it has shown there."""

    sentry: SentryServer
    fake: FakeDipseek
    environment: Mapping[str, str]
    printed: list[str] = field(default_factory=list)


@pytest.fixture
async def emu() -> AsyncIterator[Emulator]:
    async with Emulator(token=TOKEN) as emulator:
        yield emulator


@pytest.fixture
def sentry() -> Generator[SentryServer]:
    with sentry_server() as received:
        yield received


@pytest.fixture
async def outside(emu: Emulator, ann: EmulatedUser, sentry: SentryServer, tmp_path: Path) -> AsyncIterator[Outside]:
    site = tmp_path / "site"
    site.mkdir()
    write_distribution(site, "tgllm-leaky", {"tgllm": {"leaky": "tgllm_leaky"}}, {"tgllm_leaky": PLUGIN})
    async with FakeDipseek(key="sk-marked-dipseek-key-0123456789") as fake:
        yield Outside(
            sentry,
            fake,
            {
                "TGLLM_ADMIN_IDS": str(ann.id),
                "TGLLM_ADMIN__PASSWORD_HASH": HASH,
                "DEEPSEEK_API_KEY": fake.key,
                "MISTRAL_API_KEY": OTHER_KEY,
                "TGLLM_PLUGINS__DIPSEEK__BASE_URL": fake.base_url,
                "TGLLM_PLUGINS__MISTRAL__BASE_URL": f"{fake.base_url}/nowhere",
                "TGLLM_DEFAULT_MODEL": "dipseek/deepseek-flash",
                "HTTPS_PROXY": f"http://ann:{PROXY}@127.0.0.1:9",
                "NO_PROXY": "127.0.0.1,localhost",
                "SENTRY_DSN": sentry.dsn,
                "PYTHONPATH": str(site),
                "TGLLM_WEB__PORT": "0",
                "TGLLM_WEB__METRICS": "true",
            },
        )


@pytest.fixture
def secrets(emu: Emulator, outside: Outside) -> dict[str, str]:
    return {
        "token": emu.token,
        "end of the token": emu.token.partition(":")[2],
        "key": outside.fake.key,
        "other key": OTHER_KEY,
        "password": PASSWORD,
        "hash": HASH,
        "proxy password": PROXY,
        "dsn": KEY,
        "file url": FILE_URL.format(token=emu.token),
    }


Wait = Callable[[str], object]


async def answered(emu: Emulator, ann: EmulatedUser, text: str, words: str = "") -> EmulatedMessage:
    """Say something, and wait for an answer with these words."""
    said = await ann.say(text)
    return await emu.wait_for_message(
        ann.private_chat(),
        lambda message: message.from_bot and words in message.text and not message.text.startswith("⚠️"),
        after=said,
        timeout=PATIENCE,
    )


async def drive(emu: Emulator, ann: EmulatedUser, outside: Outside, bot: Program) -> str:
    """Let the bot meet turns, files and failures of all kinds; return its metrics."""
    fake, errors = outside.fake, outside.fake.errors
    await bot.printed("bot.ready")
    await answered(emu, ann, WORDS, WORDS)
    await answered(emu, ann, f"/crash {WORDS}", "tell them this code")
    await answered(emu, ann, f"/stray {WORDS}", "begun")
    await ann.upload(f"{WORDS} in a file".encode(), name="marked.txt", mime="text/plain", caption=WORDS)
    await emu.wait_for(lambda: len(fake.requests) >= 2, timeout=PATIENCE)
    troubles = (
        errors.wrong_key(fake.key),
        errors.internal(),
        errors.invalid(f"what is {WORDS}? key {fake.key}, token {emu.token}, proxy http://ann:{PROXY}@127.0.0.1"),
        FakeError.html(),
    )
    for number, trouble in enumerate(troubles, 1):
        fake.fault("", trouble, times=None)
        await ann.say(f"Again: {WORDS}")
        await bot.printed('"turn.failed"', number)
        fake.faults.clear()
    await ann.say("/admin backup")
    await emu.wait_for_message(ann.private_chat(), lambda message: "password" in message.text.lower(), timeout=PATIENCE)
    await ann.say(PASSWORD)
    await emu.wait_for_message(ann.private_chat(), lambda message: "tgllm-" in message.text, timeout=PATIENCE)
    code = (await answered(emu, ann, "/admin errors", "error_id=")).text.partition("error_id=")[2].split()[0]
    await answered(emu, ann, f"/admin errors {code}", code)
    await answered(emu, ann, "/export")
    port = next(json.loads(line)["port"] for line in bot.lines if '"web.ready"' in line)
    return await asyncio.to_thread(lambda: urlopen(f"http://127.0.0.1:{port}/metrics", timeout=30).read().decode())


def tables(path: Path) -> str:
    """All rows of all tables as text."""
    with closing(sqlite3.connect(path)) as conn:
        names = [row[0] for row in conn.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        return "\n".join(repr(row) for name in names for row in conn.execute(f'SELECT * FROM "{name}"'))


async def shown(launch: Launch, outside: Outside, *command: str) -> str:
    return (await (await launch(*command, **outside.environment)).end())[1]


@pytest.mark.parametrize("level", ["info", "debug"])
async def test_no_secret_is_found_anywhere_and_no_message_in_the_log(
    emu: Emulator,
    ann: EmulatedUser,
    launch: Launch,
    outside: Outside,
    secrets: Mapping[str, str],
    tmp_path: Path,
    level: str,
) -> None:
    bot = await launch("run", **outside.environment, TGLLM_LOG__LEVEL=level, TGLLM_ERRORS__NOTIFY="true")
    metrics = await drive(emu, ann, outside, bot)
    bot.send(signal.SIGTERM)
    code, log = await bot.end()
    assert code == 0, log
    shell = [
        await shown(launch, outside, *command)
        for command in (
            ("config", "show"),
            ("doctor", "--json"),
            ("errors", "list", "--json"),
            ("users", "export", str(ann.id)),
            ("plugins", "list", "--json"),
        )
    ]
    calls = repr([call.params for call in emu.journal])
    sent = b"".join(outside.sentry.bodies).decode()
    found = {
        name: places
        for name, secret in secrets.items()
        if (
            places := find_secret_everywhere(
                secret,
                tmp_path / "data",
                texts=[
                    log,
                    metrics,
                    calls,
                    tables(tmp_path / "data" / "tgllm.db"),
                    *shell,
                    "" if secret == KEY else sent,
                ],
            )
        )
    }

    assert found == {}
    # What was searched has what it should have.
    assert "[hidden]" in log
    assert "command.failed" in log
    assert "task.failed" in log
    assert "RuntimeError" in sent
    assert "tgllm_" in metrics
    assert len(shell[2]) > 100
    assert WORDS not in sent
    if level == "info":
        assert WORDS not in log
        assert "seventyfour" not in log
