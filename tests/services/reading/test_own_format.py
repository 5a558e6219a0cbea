"""The plugins of the guide work as they stand on the page: installed, found by the host, called for a file."""

import asyncio
import importlib
import subprocess
import sys
import tomllib
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from docs_support import blocks, read_page
from plugin_support import write_distribution
from tgllm.api import FileUnreadable, Recording, Unavailable
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins import FoundPlugin, PluginHost, discover
from tgllm.plugins.loading.contexts import HostServices
from tgllm.services.files.handlers import matching
from tgllm.services.files.transcription import Transcription
from tgllm.services.files.types import true_type
from tgllm.testing.clock import ManualClock

PAGE = read_page("howto/read-your-own-format.md")
HANDLER, TESTS, TRANSCRIBER = blocks("howto/read-your-own-format.md")
PACKAGE, SETTINGS = blocks("howto/read-your-own-format.md", "toml")
WALK = TESTS.split('WALK = """')[1].split('"""')[0]


@pytest.fixture
async def install(tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Callable]:
    """Installs a plugin, as pip would, and returns a host that has found it."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    async with AsyncExitStack() as stack:

        async def run(name: str, module: str, source: str, settings: Any = None) -> PluginHost:
            entry = {"tgllm": {module.removeprefix("tgllm_"): module}}
            write_distribution(folder, name, entry, {module: source})
            importlib.invalidate_caches()
            found: list[FoundPlugin] = [each for each in discover() if each.package == name]
            services = HostServices(None, tmp_path, clock, Catalogue(), get_logger)
            options = {} if settings is None else {"settings": settings}
            host = await PluginHost.load(found, services, **options)
            stack.push_async_callback(host.aclose)
            stack.callback(sys.modules.pop, module, None)
            assert [each.reason for each in host.records if not each.builtin and each.state != "active"] == []
            return host

        yield run


async def test_a_file_of_the_format_is_read_in_a_child(install: Any, reading: Any, tmp_path: Path) -> None:
    package = tomllib.loads(PACKAGE)["project"]
    assert package["entry-points"]["tgllm"] == {"gpx": "tgllm_gpx"}
    host = await install(package["name"], "tgllm_gpx", HANDLER)
    path = tmp_path / "5f1c"
    path.write_text(WALK)

    kind = await asyncio.to_thread(true_type, path, "application/octet-stream", "Walk.GPX")
    handler = matching(host.file_handlers, kind, "Walk.GPX")[0]
    extracted = await reading.pool.read(handler, path, reading.limits, "Walk.GPX")

    assert handler.plugin_id == "gpx"
    assert extracted.text.splitlines() == [
        "[track 1]",
        "To the lake",
        "points: 2",
        "length: 11.1 km",
        "height: 40 to 85 m",
        "time: 2026-05-01T09:00:00Z to 2026-05-01T11:10:00Z",
    ]
    assert (extracted.pages, extracted.truncated) == (1, False)


@pytest.mark.parametrize(("content", "code"), [("<gpx>", "file_broken"), ("", "file_broken"), ("<gpx/>", "file_empty")])
async def test_another_is_refused(install: Any, reading: Any, tmp_path: Path, content: str, code: str) -> None:
    host = await install("tgllm-gpx", "tgllm_gpx", HANDLER)
    handler = next(each for each in host.file_handlers if each.plugin_id == "gpx")
    path = tmp_path / "5f1c"
    path.write_text(content)
    with pytest.raises(FileUnreadable) as raised:
        await reading.pool.read(handler, path, reading.limits, "Walk.GPX")
    assert raised.value.code == code


@pytest.mark.timeout(300)
def test_the_tests_of_the_page_pass(tmp_path: Path) -> None:
    (tmp_path / "tgllm_gpx.py").write_text(HANDLER)
    (tmp_path / "test_gpx.py").write_text(TESTS)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tmp_path)]
    ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=280, check=False)
    assert "4 passed" in ran.stdout, ran.stdout


class Given:
    """Settings of the plugin, as the operator writes them."""

    def __init__(self, *command: str) -> None:
        self._command = command

    def for_plugin(self, plugin_id: str, _env_names: Any, /) -> dict[str, object]:
        return {"command": self._command} if plugin_id == "listen" else {}


@pytest.fixture
async def hear(install: Any, tmp_path: Path) -> Callable[..., Any]:
    async def run(*command: str, seconds: float = 60.0) -> str:
        host = await install("tgllm-listen", "tgllm_listen", TRANSCRIBER, Given(*command))
        path = tmp_path / "voice"
        path.write_bytes(b"buy milk")
        recording = Recording(path, "audio/ogg", 8)
        return (await Transcription(host, seconds, 1000).transcribe(recording, "voice.ogg")).text

    return run


async def test_a_recording_is_transcribed_by_the_program(hear: Any) -> None:
    assert tomllib.loads(SETTINGS)["plugins"]["listen"]["command"]
    assert await hear("cat") == "buy milk"


@pytest.mark.parametrize(
    ("command", "kind"),
    [(("false",), FileUnreadable), (("/no/such/program",), Unavailable)],
    ids=["refuses", "missing"],
)
async def test_a_program_that_fails_is_told(hear: Any, command: tuple[str, ...], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        await hear(*command)


async def test_a_program_that_never_ends_is_ended(hear: Any, place: Any) -> None:
    program = (
        "import socket, signal\ns = socket.create_connection(('127.0.0.1', PORT))\ns.sendall(b'0\\n')\nsignal.pause()"
    )
    read = asyncio.create_task(hear(sys.executable, "-c", program.replace("PORT", place.port)))
    meeting = await place.meetings.met.get()

    read.cancel()
    with pytest.raises(asyncio.CancelledError):
        await read

    await meeting.ended()


def test_the_page_names_what_there_is() -> None:
    codes = {"file_broken", "file_password", "file_empty", "file_no_text", "file_too_large_to_read"}
    for language in ("en", "ru"):
        assert all(Catalogue(language).has(f"error.{code}") for code in codes)
    assert all(f"`{code}`" in PAGE for code in codes)
