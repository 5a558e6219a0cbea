"""The image, built and run: what it holds, and how it starts, stops and goes on.

For deploy-with-docker.md and deploy-on-unraid-or-casaos.md.
"""

import errno
import json
import os
import re
import subprocess
import sys
import uuid
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from docs_support import read_page
from program_support import PATIENCE, Program
from tgllm.providers.network import VARIABLE
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.fake_providers import FakeMistral

pytestmark = [pytest.mark.image, pytest.mark.timeout(600)]

USER = "10001:10001"
PAGE = "howto/deploy-with-docker.md"
COMPILERS = {"as", "c++", "cc", "clang", "cmake", "g++", "gcc", "go", "ld", "make", "rustc", "tcc"}
CACHES = ("root/.cache", "data", "tmp", "build", "wheels", "opt/tools", "wheelhouse", "var/lib/apt/lists/partial")
PIP_FILES = ("pip.conf", ".netrc", ".pypirc", "uv.toml", "direct_url.json")
WHO_AM_I = """
import json, os
try:
    open("/opt/written", "w")
except OSError as error:
    number = error.errno
print(json.dumps({"uid": os.getuid(), "gid": os.getgid(), "pid": os.getpid(), "errno": number}))
"""


@pytest.fixture
def engine(image: Any) -> Any:
    return image.engine


@pytest.fixture
def config(engine: Any) -> dict[str, Any]:
    return engine.config()


@pytest.fixture
def volume(engine: Any) -> str:
    return engine.make_volume()


@pytest.fixture
def variables(emu: Emulator, ann: EmulatedUser) -> dict[str, str]:
    return {
        "TGLLM_BOT_TOKEN": emu.token,
        "TGLLM_TELEGRAM_API": emu.base_url,
        "TGLLM_ADMIN_IDS": str(ann.id),
        "TGLLM_SENDING__PACED": "false",
        VARIABLE: os.environ[VARIABLE],
    }


@pytest.fixture
async def mistral() -> AsyncIterator[FakeMistral]:
    async with FakeMistral() as fake:
        yield fake


def files(root: Path) -> Iterator[Path]:
    """The ordinary files of the image, except for those of the kernel and of its processes."""
    for folder, names, inside in os.walk(root):
        if Path(folder) == root:
            names[:] = sorted({*names} - {"proc", "sys", "dev"})
        yield from (
            path for path in (Path(folder, name) for name in inside) if path.is_file() and not path.is_symlink()
        )


async def finished(program: Program) -> str:
    code, printed = await program.end()
    assert code == 0, printed
    return printed


# What it holds.


def test_it_runs_as_a_user_without_rights(config: dict[str, Any]) -> None:
    assert config["User"] == USER
    assert config["Entrypoint"] == ["tgllm"]
    assert config["Cmd"] == ["run"]
    assert config["StopSignal"] == "SIGTERM"
    assert config["Volumes"] == {"/data": {}}
    assert config["Healthcheck"]["Test"] == ["CMD", "tgllm", "ping"]
    assert "TGLLM_DATA_DIR=/data" in config["Env"]


def test_it_says_what_it_is(config: dict[str, Any]) -> None:
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in config["Labels"].items()}

    assert labels["title"] == "tgllm"
    assert labels["licenses"] == "MIT"
    assert labels["description"]


def test_it_holds_no_compiler_and_no_pip(engine: Any) -> None:
    folders = [engine.root() / name for name in ("bin", "usr/bin", "usr/local/bin", "opt/venv/bin")]
    programs = {re.sub(r"-\d+$", "", path.name) for folder in folders if folder.is_dir() for path in folder.iterdir()}

    assert "sh" in programs
    assert programs & COMPILERS == set()
    assert not [path for path in programs if re.search(r"-linux-gnu-(gcc|g\+\+|ld|as)", path)]
    assert [path.name for path in (engine.root() / "opt/venv/bin").glob("pip*")] == []


def test_it_holds_no_cache(engine: Any) -> None:
    root: Path = engine.root()
    left = [path for name in CACHES if (root / name).is_dir() for path in (root / name).rglob("*")]

    assert left == []
    assert list(root.glob("var/cache/apt/archives/*.deb")) == []
    assert list(root.glob("var/lib/apt/lists/*_*")) == []


def test_it_holds_no_secret_and_no_file_of_the_operator(image: Any) -> None:
    engine, secret = image.engine, image.secret.encode()

    assert secret in (image.recipe.context / ".env").read_bytes()
    assert [path for path in files(engine.root()) if secret in path.read_bytes()] == []
    assert image.secret not in engine.description()
    assert not [path for path in files(engine.root() / "opt") if path.name.startswith(".env") or "/.git/" in str(path)]


def hosts_of_indexes() -> set[str]:
    """The package indexes and mirrors of this machine, except for the public ones that each system names."""
    shown = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=True
    ).stdout
    texts = [shown, *(value for name, value in os.environ.items() if "INDEX" in name or name.endswith("_proxy"))]
    texts += [path.read_text() for path in Path("/etc/apt").glob("sources.list*/*")]
    hosts = set(re.findall(r"https?://(?:[^/\s'@]*@)?([^/\s':]+)", "\n".join(texts)))
    return {host for host in hosts if not host.endswith(("pypi.org", "debian.org", "ubuntu.com"))}


def test_it_holds_no_address_of_a_package_index(engine: Any, config: dict[str, Any]) -> None:
    found = list(files(engine.root()))
    addresses = [host.encode() for host in hosts_of_indexes()]

    assert [path for path in found if path.name in PIP_FILES] == []
    assert [name for name in config["Env"] if name.startswith(("PIP_", "UV_"))] == []
    if addresses:
        pattern = re.compile(b"|".join(map(re.escape, addresses)))
        assert [path for path in found if pattern.search(path.read_bytes())] == []
        assert pattern.search(engine.description().encode()) is None


def test_its_bytecode_is_compiled(engine: Any) -> None:
    root: Path = engine.root()
    sources = list(root.glob("opt/venv/lib/python3*/site-packages/tgllm/**/*.py"))
    (asyncio_folder,) = (
        path for name in ("usr/lib", "usr/local/lib") for path in root.glob(f"{name}/python3.*/asyncio")
    )
    sources += asyncio_folder.glob("*.py")

    assert len(sources) > 400
    assert [path for path in sources if not list(path.parent.glob(f"__pycache__/{path.stem}.cpython-*.pyc"))] == []


def test_its_size_is_within_the_budget_that_the_page_names(engine: Any) -> None:
    found = re.search(r"budget of (\d+) MB", read_page(PAGE))

    assert found is not None
    assert engine.added_bytes() <= int(found[1]) * 1_000_000


# How it runs.


@pytest.mark.parametrize("entrypoint", [(), ("python", "-m", "tgllm")], ids=["entrypoint", "module"])
async def test_it_answers_a_ping(engine: Any, volume: str, entrypoint: tuple[str, ...]) -> None:
    printed = await finished(await engine.start(volume, "--ping", entrypoint=entrypoint))

    assert "Bot ready" in printed


async def test_its_process_has_no_rights_and_can_write_nothing(engine: Any, volume: str) -> None:
    printed = await finished(await engine.start(volume, "-c", WHO_AM_I, entrypoint=("python",)))

    assert json.loads(printed) == {"uid": 10001, "gid": 10001, "pid": 1, "errno": errno.EROFS}


async def test_all_providers_all_readers_and_the_wanted_plugin_are_in_it(engine: Any, volume: str) -> None:
    listed = json.loads(await finished(await engine.start(volume, "plugins", "list", "--json")))
    plugins = {plugin["plugin"]: plugin for plugin in listed}

    own = {"basic_memory", "basic_tools", "basics"}
    assert {"anthropic", "dipseek", "echo", "files", "gemini", "mistral", "openai", "parrot"} == {*plugins} - own
    assert {plugin["state"] for plugin in listed} == {"active"}
    assert plugins["parrot"]["version"] == "1.2"


async def test_a_bot_goes_on_after_a_restart_on_the_same_volume(
    engine: Any, volume: str, emu: Emulator, ann: EmulatedUser, mistral: FakeMistral, variables: dict[str, str]
) -> None:
    variables |= {
        "MISTRAL_API_KEY": mistral.key,
        "TGLLM_PLUGINS__MISTRAL__BASE_URL": mistral.base_url,
        "TGLLM_DEFAULT_MODEL": "mistral/mistral-medium-3-5",
    }
    word = uuid.uuid4().hex
    for question, answer in ((f"Remember {word}", "I will."), ("And now?", "Still there.")):
        bot = await engine.start(volume, **variables)
        await bot.printed("bot.ready")
        mistral.answer([answer])
        asked = await ann.say(question)
        await emu.wait_for_message(
            ann.private_chat(), lambda message, text=answer: message.text == text, after=asked, timeout=PATIENCE
        )
        engine.terminate(bot)
        last = (await finished(bot)).splitlines()[-1]
        assert "bot.stopped" in last

    assert word in json.dumps(mistral.requests[-1].body)


async def test_a_file_is_read_in_it(
    engine: Any, volume: str, emu: Emulator, ann: EmulatedUser, variables: dict[str, str]
) -> None:
    bot = await engine.start(volume, **variables)
    await bot.printed("bot.ready")
    asked = await ann.upload(b"name,price\nbread,7\n", name="prices.csv", mime="text/csv", caption="How much?")
    answer = await emu.wait_for_message(
        ann.private_chat(), lambda message: message.from_bot and "bread" in message.text, after=asked, timeout=PATIENCE
    )
    engine.terminate(bot)

    assert "7" in answer.text
    await finished(bot)


async def test_a_command_that_waits_ends_with_sigterm(engine: Any, volume: str, variables: dict[str, str]) -> None:
    # The kernel gives the first process no default action for signals.
    program = await engine.start(volume, "-c", WAITING, entrypoint=("python",))
    await program.printed("waiting")
    engine.terminate(program)
    code, printed = await program.end()

    assert code == 143, printed


WAITING = """
import signal
import sys
import threading
import tgllm.cli.main as cli

def main(*_):
    print("waiting", flush=True)
    threading.Event().wait()

cli.main = main
cli.run()
"""
