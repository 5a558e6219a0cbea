"""Calls of transcribers: choice by type, time limit, and what a faulty plugin costs."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from plugin_support import LoadHost
from tgllm import hookimpl
from tgllm.api import FileUnreadable, PluginInfo, Recording, Transcriber, Transcript, Unavailable
from tgllm.plugins.host import PluginHost
from tgllm.services.files.transcription import Transcription, is_recording
from tgllm.testing.scripted import GivenPlugin

Transcribe = Callable[[Recording], Awaitable[Any]]
Make = Callable[..., Awaitable[tuple[Transcription, PluginHost]]]
VOICE = Recording(Path("voice.ogg"), "audio/ogg", 7)


class Listener:
    def __init__(self, plugin_id: str, transcribe: Transcribe, kinds: Sequence[str] = ("audio/*",)) -> None:
        self._id = plugin_id
        self._offer = Transcriber(plugin_id, frozenset(kinds), transcribe)

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo(id=self._id, title=self._id, api="1.0")

    @hookimpl
    def tgllm_transcribers(self) -> Sequence[Transcriber]:
        return [self._offer]


@pytest.fixture
async def make(load_host: LoadHost) -> AsyncIterator[Make]:
    async with AsyncExitStack() as stack:

        async def made(
            *listeners: Listener, seconds: float = 60, chars: int = 1000
        ) -> tuple[Transcription, PluginHost]:
            host = await load_host(*[GivenPlugin.of(listener._id, listener) for listener in listeners])
            transcription = Transcription(host, seconds, chars)
            stack.push_async_callback(transcription.aclose)
            return transcription, host

        yield made


def saying(text: str) -> Transcribe:
    async def transcribe(recording: Recording) -> Transcript:
        return Transcript(text, language="en")

    return transcribe


def raising(error: BaseException) -> Transcribe:
    async def transcribe(recording: Recording) -> Transcript:
        raise error

    return transcribe


@pytest.mark.parametrize(
    ("kinds", "mime", "chosen"),
    [
        (("audio/*",), "audio/ogg", "b"),
        (("audio/ogg",), "audio/ogg", "b"),
        (("*/*",), "video/mp4", "b"),
        (("video/mp4",), "audio/ogg", None),
        (("audio/mp4",), "audio/ogg", None),
    ],
)
async def test_the_first_that_takes_the_type_is_chosen(
    make: Make, kinds: Sequence[str], mime: str, chosen: str | None
) -> None:
    transcription, _ = await make(
        Listener("a", saying("a"), ("text/plain",)),
        Listener("b", saying("b"), kinds),
        Listener("c", saying("c"), kinds),
    )

    owned = transcription.choose(mime)

    assert (owned and owned.transcriber.id) == chosen


async def test_a_transcript(make: Make) -> None:
    transcription, _ = await make(Listener("a", saying("  Buy milk. \n")))

    assert await transcription.transcribe(VOICE, "voice.ogg") == Transcript("Buy milk.", language="en")


async def test_silence_is_an_empty_text(make: Make) -> None:
    transcription, _ = await make(Listener("a", saying(" \n")))

    assert (await transcription.transcribe(VOICE, "voice.ogg")).text == ""


async def test_a_long_text_is_cut(make: Make) -> None:
    transcription, _ = await make(Listener("a", saying("abcdef")), chars=4)

    made = await transcription.transcribe(VOICE, "voice.ogg")

    assert (made.text, made.truncated) == ("abcd", True)


async def test_without_a_transcriber_it_names_the_command(make: Make) -> None:
    transcription, _ = await make()

    with pytest.raises(FileUnreadable) as caught:
        await transcription.transcribe(VOICE, "voice.ogg")

    assert caught.value.code == "file_no_transcriber"
    assert caught.value.params["command"] == "pip install tgllm-whisper"


@pytest.mark.parametrize("error", [FileUnreadable(code="file_broken"), Unavailable("the service is down")])
async def test_errors_of_the_contract_pass(make: Make, error: Exception) -> None:
    transcription, host = await make(Listener("a", raising(error)), Listener("b", saying("b")))

    with pytest.raises(type(error)) as caught:
        await transcription.transcribe(VOICE, "voice.ogg")

    assert caught.value.code == error.code  # type: ignore[attr-defined]  both errors have a code
    assert len(host.transcribers) == 2
    if isinstance(error, FileUnreadable):
        assert caught.value.params["name"] == "voice.ogg"  # type: ignore[attr-defined]  this error has parameters


async def returning(value: object) -> Any:
    return value


@pytest.mark.parametrize(
    ("transcribe", "reason"),
    [
        (raising(KeyError("x")), "transcribe of transcriber a raised KeyError: 'x'"),
        (raising(SystemExit(3)), "transcribe of transcriber a raised SystemExit: 3"),
        (lambda _: returning("text"), "transcribe of transcriber a returned a str instead of a Transcript"),
        (
            lambda _: returning(Transcript(7)),  # type: ignore[arg-type]  a plugin may return anything
            "transcribe of transcriber a returned a transcript whose text is an int instead of a text",
        ),
    ],
)
async def test_a_breach_quarantines_and_the_next_one_is_asked(make: Make, transcribe: Transcribe, reason: str) -> None:
    transcription, host = await make(Listener("a", transcribe), Listener("b", saying("b")))

    assert (await transcription.transcribe(VOICE, "voice.ogg")).text == "b"
    assert [record.reason for record in host.records if record.id == "a"] == [reason]


async def test_a_breach_of_the_only_one_is_told(make: Make) -> None:
    transcription, host = await make(Listener("a", raising(KeyError("x"))))

    with pytest.raises(FileUnreadable) as caught:
        await transcription.transcribe(VOICE, "voice.ogg")

    assert (caught.value.code, host.transcribers) == ("file_crashed", ())


async def test_a_slow_one_is_cancelled_and_stays(make: Make) -> None:
    cancelled = asyncio.Event()

    async def hang(recording: Recording) -> Transcript:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()
        raise AssertionError

    transcription, host = await make(Listener("a", hang), seconds=0.01)

    with pytest.raises(FileUnreadable) as caught:
        await transcription.transcribe(VOICE, "voice.ogg")

    assert (caught.value.code, caught.value.params["name"]) == ("file_slow", "voice.ogg")
    assert cancelled.is_set()
    assert len(host.transcribers) == 1


async def test_a_stop_is_passed_on(make: Make) -> None:
    begun, ended = asyncio.Event(), asyncio.Event()

    async def hang(recording: Recording) -> Transcript:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()
        raise AssertionError

    transcription, _ = await make(Listener("a", hang))
    task = asyncio.create_task(transcription.transcribe(VOICE, "voice.ogg"))
    await begun.wait()
    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert ended.is_set()


@pytest.mark.parametrize(
    ("mime", "expected"), [("audio/ogg", True), ("video/mp4", True), ("image/png", False), ("application/ogg", False)]
)
def test_what_is_a_recording(mime: str, expected: bool) -> None:
    assert is_recording(mime) is expected
