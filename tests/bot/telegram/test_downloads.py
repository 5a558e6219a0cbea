"""Downloads from the Bot API: resumed, repeated, refused in words, and never with the token in sight."""

import asyncio
import io
import logging
import traceback
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiogram import Bot
from aiohttp import web
from aiohttp.test_utils import RawTestServer

from bot_support import HastyClock
from tgllm.api import FileUnreadable
from tgllm.bot.telegram import downloads as module
from tgllm.bot.telegram.client import make_bot
from tgllm.bot.telegram.downloads import Downloads
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.limits.rates import Rates
from tgllm.observe.logs import configure_logging
from tgllm.services.files.attachment import Attachment
from tgllm.testing.emulator import DownloadFault, EmulatedMessage, EmulatedUser, Emulator, Fault, StoredFile

CONTENT = bytes(range(256)) * 2000
TOKEN = "42:MARKEDTOKENmarkedtokenMARKEDTOKENmar"


@dataclass
class Target:
    """What was received."""

    content: bytearray = field(default_factory=bytearray)
    restarts: int = 0
    error: Exception | None = None

    @property
    def size(self) -> int:
        return len(self.content)

    async def write(self, chunk: bytes) -> None:
        if self.error is not None:
            raise self.error
        self.content += chunk

    async def restart(self) -> None:
        self.restarts += 1
        self.content.clear()


class LateClock(HastyClock):
    """After the first look, an hour passes with each."""

    def __init__(self) -> None:
        self._hours = -1

    def monotonic(self) -> float:
        self._hours += 1
        return 3600.0 * self._hours


@pytest.fixture
async def emu() -> AsyncIterator[Emulator]:
    async with Emulator(token=TOKEN) as emulator:
        yield emulator


@pytest.fixture
async def bot(emu: Emulator) -> AsyncIterator[Bot]:
    async with make_bot(TOKEN, emu.base_url, Limiter(Rates(0, 0, 0), HastyClock()), request_seconds=10) as bot:
        yield bot


@pytest.fixture
def source(bot: Bot) -> Downloads:
    return Downloads(bot, HastyClock())


async def sent(ann: EmulatedUser, content: bytes = CONTENT, name: str = "report.pdf") -> Attachment:
    return attachment_of(await ann.upload(content, name=name))


def attachment_of(message: EmulatedMessage) -> Attachment:
    file = message.file
    assert file is not None
    return Attachment(source=file.file_id, key=file.unique_id, kind="document", size=file.size, name=file.name)


async def code_of(source: Downloads, attachment: Attachment, target: Target | None = None) -> FileUnreadable:
    with pytest.raises(FileUnreadable) as caught:
        await source.download(attachment, target or Target())
    return caught.value


async def test_the_bytes_are_those_that_were_sent(emu: Emulator, ann: EmulatedUser, source: Downloads) -> None:
    target = Target()
    await source.download(await sent(ann), target)
    assert bytes(target.content) == CONTENT
    assert (len(emu.journal.of("getFile")), len(emu.downloads), target.restarts) == (1, 1, 0)


async def test_a_file_without_bytes_is_received(ann: EmulatedUser, source: Downloads) -> None:
    target = Target()
    await source.download(await sent(ann, b""), target)
    assert target.size == 0


async def test_a_broken_download_is_resumed_where_it_broke_with_a_new_path(
    emu: Emulator, ann: EmulatedUser, source: Downloads
) -> None:
    target = Target()
    emu.downloads.add_fault(DownloadFault.cut(200_000))
    emu.downloads.add_fault(DownloadFault.cut(100_000))
    await source.download(await sent(ann), target)
    assert bytes(target.content) == CONTENT
    assert target.restarts == 0
    starts = [each.start for each in emu.downloads]
    assert starts[0] == 0
    assert 0 < starts[1] < starts[2] < len(CONTENT)
    assert [each.status for each in emu.downloads] == [200, 206, 206]
    assert len(emu.journal.of("getFile")) == 3


@pytest.mark.parametrize("fault", [DownloadFault.ignore_range, DownloadFault.shift_range])
async def test_without_the_right_range_it_begins_anew(
    emu: Emulator, ann: EmulatedUser, source: Downloads, fault: Callable[[], DownloadFault]
) -> None:
    target = Target()
    emu.downloads.add_fault(DownloadFault.cut(200_000))
    emu.downloads.add_fault(fault())
    await source.download(await sent(ann), target)
    assert bytes(target.content) == CONTENT
    assert target.restarts == 1


async def test_what_ends_early_without_a_length_is_no_whole_file(
    emu: Emulator, ann: EmulatedUser, source: Downloads
) -> None:
    target = Target()
    emu.downloads.add_fault(DownloadFault.end(1000))
    await source.download(await sent(ann), target)
    assert bytes(target.content) == CONTENT
    assert [each.start for each in emu.downloads] == [0, 1000]


async def test_silence_between_chunks_breaks_a_download(
    emu: Emulator, ann: EmulatedUser, source: Downloads, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.2)
    target = Target()
    held = emu.downloads.add_fault(DownloadFault.hold(1000))
    await source.download(await sent(ann), target)
    assert held.reached.is_set()
    assert bytes(target.content) == CONTENT


async def test_a_download_that_takes_too_long_in_all_is_given_up(emu: Emulator, ann: EmulatedUser, bot: Bot) -> None:
    error = await code_of(Downloads(bot, LateClock()), await sent(ann))
    assert error.code == "file_not_received"
    assert len(emu.downloads) == 1


@pytest.mark.parametrize(
    ("status", "code", "is_passing"),
    [(404, "file_gone", True), (404, "file_gone", False), (502, "file_not_received", False), (502, "", True)],
)
async def test_an_error_of_the_file_server_is_tried_again_with_a_new_path(
    emu: Emulator, ann: EmulatedUser, source: Downloads, status: int, code: str, is_passing: bool
) -> None:
    emu.downloads.add_fault(DownloadFault.fail(status, times=1 if is_passing else None))
    attachment, target = await sent(ann), Target()
    if is_passing:
        await source.download(attachment, target)
        assert bytes(target.content) == CONTENT
    else:
        assert (await code_of(source, attachment)).code == code
    assert len(emu.journal.of("getFile")) == len(emu.downloads) == (2 if is_passing else module.MOST_TRIES)


@pytest.mark.parametrize("of_files", [False, True])
async def test_too_many_requests_are_waited_out(emu: Emulator, ann: EmulatedUser, bot: Bot, of_files: bool) -> None:
    slept: list[float] = []

    class Listening(HastyClock):
        async def sleep(self, seconds: float) -> None:
            slept.append(seconds)

    clock, target = Listening(), Target()
    if of_files:
        emu.downloads.add_fault(DownloadFault.fail(429, retry_after=17))
    else:
        emu.faults.add(Fault.retry_after("getFile", 17))
    await Downloads(bot, clock).download(await sent(ann), target)
    assert slept == [17]
    assert bytes(target.content) == CONTENT


async def test_too_large_for_telegram_is_said_with_the_limit(
    emu: Emulator, ann: EmulatedUser, source: Downloads
) -> None:
    error = await code_of(source, await sent(ann, b"x" * (20 * 1024 * 1024 + 1)))
    assert (error.code, error.params["limit"], error.params["name"]) == ("file_too_large", "20 MB", "report.pdf")
    assert len(emu.journal.of("getFile")) == 1
    assert not emu.downloads


@pytest.mark.parametrize(
    ("description", "code", "calls"),
    [
        ("Bad Request: wrong file_id or the file is temporarily unavailable", "file_not_received", module.MOST_TRIES),
        ("Bad Request: invalid file_id", "file_gone", 1),
        ("Bad Request: wrong remote file identifier specified: can't unserialize it", "file_gone", 1),
        ("Bad Request: wrong file identifier/HTTP URL specified", "file_gone", 1),
        ("Bad Request: something new", "file_not_received", module.MOST_TRIES),
    ],
)
async def test_what_get_file_refuses(
    emu: Emulator, ann: EmulatedUser, source: Downloads, description: str, code: str, calls: int
) -> None:
    emu.faults.add(Fault.api_error("getFile", 400, description, times=None))
    assert (await code_of(source, await sent(ann))).code == code
    assert len(emu.journal.of("getFile")) == calls


async def test_a_file_that_is_unavailable_for_a_moment_is_received(
    emu: Emulator, ann: EmulatedUser, source: Downloads
) -> None:
    words = "Bad Request: wrong file_id or the file is temporarily unavailable"
    emu.faults.add(Fault.api_error("getFile", 400, words, times=2))
    target = Target()
    await source.download(await sent(ann), target)
    assert bytes(target.content) == CONTENT


async def test_what_the_target_refuses_ends_the_download(emu: Emulator, ann: EmulatedUser, source: Downloads) -> None:
    target = Target(error=FileUnreadable(code="file_disk_full"))
    assert (await code_of(source, await sent(ann), target)).code == "file_disk_full"
    assert len(emu.downloads) == 1


async def test_a_cancelled_download_ends_at_once(emu: Emulator, ann: EmulatedUser, source: Downloads) -> None:
    held = emu.downloads.add_fault(DownloadFault.hold(1000))
    task = asyncio.create_task(source.download(await sent(ann), Target()))
    await held.reached.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    emu.downloads.clear_faults()


async def test_the_proxy_of_the_environment_carries_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request.raw_path)
        if "getFile" in request.raw_path:
            return web.json_response(
                {"ok": True, "result": {"file_id": "a", "file_unique_id": "b", "file_path": "documents/a b.pdf"}}
            )
        return web.Response(body=b"content")

    async with RawTestServer(handler, host="127.0.0.1") as server:
        monkeypatch.setenv("http_proxy", str(server.make_url("/")))
        limiter, target = Limiter(Rates(0, 0, 0), HastyClock()), Target()
        async with make_bot(TOKEN, "http://telegram.invalid", limiter, request_seconds=5) as bot:
            await Downloads(bot, HastyClock()).download(Attachment(source="a", key="b", kind="document"), target)
    assert bytes(target.content) == b"content"
    assert seen[1] == f"http://telegram.invalid/file/bot{TOKEN}/documents/a%20b.pdf"


@pytest.mark.parametrize("to", ["http://127.0.0.1:1/elsewhere", "/file/elsewhere"])
async def test_a_redirect_is_not_followed(to: str) -> None:
    seen: list[str] = []

    async def handler(request: web.BaseRequest) -> web.Response:
        seen.append(request.path)
        if "getFile" in request.path:
            return web.json_response(
                {"ok": True, "result": {"file_id": "a", "file_unique_id": "b", "file_path": "documents/a"}}
            )
        return web.Response(status=302, headers={"Location": to})

    async with RawTestServer(handler, host="127.0.0.1") as server:
        base = str(server.make_url("")).rstrip("/")
        async with make_bot(TOKEN, base, Limiter(Rates(0, 0, 0), HastyClock()), request_seconds=5) as bot:
            error = await code_of(Downloads(bot, HastyClock()), Attachment(source="a", key="b", kind="photo"))
    assert error.code == "file_not_received"
    assert not [path for path in seen if path.endswith("elsewhere")]


# --- a local server ---------------------------------------------------------------------------


@pytest.fixture
def folder(emu: Emulator, tmp_path: Path) -> Path:
    emu.world.files.folder = tmp_path / "files"
    emu.world.files.folder.mkdir()
    return emu.world.files.folder


async def test_a_local_server_delivers_files_of_any_size_from_its_folder(
    emu: Emulator, ann: EmulatedUser, bot: Bot, folder: Path
) -> None:
    source, target, large = Downloads(bot, HastyClock(), folder), Target(), b"x" * (20 * 1024 * 1024 + 1)
    assert source.most_bytes == 2000 * 1024 * 1024
    await source.download(await sent(ann, large), target)
    assert target.content == large
    assert not emu.downloads


async def test_the_folder_may_be_mounted_elsewhere(
    emu: Emulator, ann: EmulatedUser, bot: Bot, folder: Path, tmp_path: Path
) -> None:
    attachment, target = await sent(ann), Target()
    await Downloads(bot, HastyClock(), folder).download(attachment, Target())
    mounted = await asyncio.to_thread(folder.rename, tmp_path / "mounted")
    emu.world.files.local_path = in_container
    await Downloads(bot, HastyClock(), mounted).download(attachment, target)
    assert bytes(target.content) == CONTENT


@pytest.mark.parametrize("how", ["beside", "dots", "link", "link_to_folder", "folder", "device"])
async def test_nothing_outside_of_the_folder_is_read(
    emu: Emulator, ann: EmulatedUser, bot: Bot, folder: Path, tmp_path: Path, how: str
) -> None:
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")
    (folder / "link").symlink_to(secret)
    (folder / "linked").symlink_to(tmp_path)
    path = {
        "beside": secret,
        "dots": folder / ".." / "secret.txt",
        "link": folder / "link",
        "link_to_folder": folder / "linked" / "secret.txt",
        "folder": folder,
        "device": Path("/dev/zero"),
    }[how]
    emu.world.files.local_path = lambda file, token: str(path)
    target = Target()
    error = await code_of(Downloads(bot, HastyClock(), folder), await sent(ann), target)
    assert error.code in {"file_gone", "file_not_received"}
    assert target.size == 0


def in_container(file: StoredFile, token: str) -> str:
    return f"/var/lib/telegram-bot-api/{token}/{file.path}"


# --- the token ------------------------------------------------------------------------------


def _words_of(error: BaseException | None) -> str:
    """All that can be read of an error and of what led to it."""
    words: list[str] = []
    while error is not None:
        words += ["".join(traceback.format_exception(error)), repr(error), repr(error.args), repr(vars(error))]
        error = error.__cause__ or error.__context__
    return "\n".join(words)


LIBRARIES = ("aiohttp", "aiohttp.client", "aiohttp.internal", "asyncio", "aiogram")
DOWNLOAD_FAULTS: dict[str, Callable[[], DownloadFault]] = {
    "cut": lambda: DownloadFault.cut(0, times=None),
    "404": lambda: DownloadFault.fail(404, times=None),
    "429": lambda: DownloadFault.fail(429, retry_after=1, times=None),
    "502": lambda: DownloadFault.fail(502, times=None),
    "silent": lambda: DownloadFault.hold(times=None),
}
CALL_FAULTS: dict[str, Callable[[], Fault]] = {
    "getFile refused": lambda: Fault.api_error("getFile", 400, "Bad Request: invalid file_id", times=None),
    "getFile cut": lambda: Fault.cut_before("getFile", times=None),
    "getFile unauthorized": lambda: Fault.unauthorized("getFile", times=None),
    "getFile html": lambda: Fault.bad_gateway("getFile", times=None),
}


@pytest.fixture
def everything_logged(restored_logging: None) -> Iterator[io.StringIO]:
    """What the program and the libraries write, with debugging."""
    log = io.StringIO()
    configure_logging("json", "debug", log)
    raw = logging.StreamHandler(log)
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG)
        logging.getLogger(name).addHandler(raw)
    yield log
    for name in LIBRARIES:
        logging.getLogger(name).removeHandler(raw)
        logging.getLogger(name).setLevel(logging.NOTSET)


@pytest.mark.parametrize(
    "kind", [*DOWNLOAD_FAULTS, *CALL_FAULTS, "target refuses", "local elsewhere", "local gone", "no server"]
)
async def test_the_token_is_in_no_log_and_no_error(
    emu: Emulator,
    ann: EmulatedUser,
    bot: Bot,
    tmp_path: Path,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    everything_logged: io.StringIO,
) -> None:
    monkeypatch.setattr(module, "SILENCE_SECONDS", 0.2)
    attachment, folder, target = await sent(ann), None, Target()
    if kind in DOWNLOAD_FAULTS:
        emu.downloads.add_fault(DOWNLOAD_FAULTS[kind]())
    elif kind in CALL_FAULTS:
        emu.faults.add(CALL_FAULTS[kind]())
    elif kind == "target refuses":
        target.error = FileUnreadable(code="file_disk_full")
    elif kind == "no server":
        await emu.stop()
    else:
        folder = emu.world.files.folder = tmp_path
        if kind == "local elsewhere":
            emu.world.files.local_path = elsewhere
        monkeypatch.setattr("tgllm.bot.telegram.local_files._open", _gone)
    asyncio.get_running_loop().set_debug(True)
    try:
        error = await code_of(Downloads(bot, HastyClock(), folder), attachment, target)
    finally:
        asyncio.get_running_loop().set_debug(False)
        emu.downloads.clear_faults()
    assert "MARKEDTOKEN" not in _words_of(error)
    assert "MARKEDTOKEN" not in everything_logged.getvalue()
    assert "file.download_failed" in everything_logged.getvalue() or kind == "target refuses"


def elsewhere(file: StoredFile, token: str) -> str:
    return f"/nowhere/{token}/{file.path}"


def _gone(path: Path) -> None:
    raise FileNotFoundError(2, "No such file", str(path))
