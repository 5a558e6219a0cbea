"""tgllm-whisper with a real model, small as it is, and real speech."""

import asyncio
import os
import re
import signal
import sys
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import FileUnreadable, Recording, SystemClock, Transcript
from tgllm.observe.logs import get_logger
from tgllm.testing.emulator import Emulator
from tgllm_whisper.listener import Listener
from tgllm_whisper.settings import Settings

SECONDS = 120

pytestmark = pytest.mark.real_model


@pytest.fixture
async def listen(whisper: Path, tmp_path: Path) -> AsyncIterator[Callable[..., Listener]]:
    async with AsyncExitStack() as stack:

        def make(**settings: object) -> Listener:
            made = Settings.model_validate({"model": str(whisper), **settings})
            listener = Listener(made, tmp_path, SystemClock(), get_logger("whisper"))
            stack.push_async_callback(listener.aclose)
            return listener

        yield make


def recording(path: Path, mime: str = "audio/wav") -> Recording:
    return Recording(path, mime, path.stat().st_size, language="en")


def is_right(made: Transcript) -> bool:
    """Whether the words are there that even the smallest model gets."""
    words = made.text.lower()
    return "milk" in words and "sister" in words and re.search(r"\b(seven|7)\b", words) is not None


@pytest.mark.parametrize("mime", ["audio/ogg", "audio/mpeg", "audio/mp4", "audio/flac", "video/mp4", "video/webm"])
async def test_speech_becomes_text(
    listen: Callable[..., Listener],
    speak: Callable[..., Path],
    encode: Callable[[Path, str], Path],
    mime: str,
) -> None:
    made = await listen().transcribe(recording(encode(speak(), mime), mime))

    assert is_right(made), made
    assert (made.language, made.truncated) == ("en", False)


async def test_silence_is_no_text(listen: Callable[..., Listener], tmp_path: Path) -> None:
    """Without the detection of speech, the model hears "You" in it."""
    with wave.open(str(tmp_path / "silence.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(16_000)
        file.writeframes(bytes(2 * 10 * 16_000))

    assert (await listen().transcribe(recording(tmp_path / "silence.wav"))).text == ""


async def test_a_video_without_sound_is_told(
    listen: Callable[..., Listener], silent_video: Path, speak: Callable[..., Path]
) -> None:
    listener = listen()

    with pytest.raises(FileUnreadable) as caught:
        await listener.transcribe(recording(silent_video, "video/mp4"))

    assert caught.value.code == "whisper.no_sound"
    assert is_right(await listener.transcribe(recording(speak())))


async def test_half_of_a_voice_message_is_transcribed_up_to_there(
    listen: Callable[..., Listener], speak: Callable[..., Path], encode: Callable[[Path, str], Path]
) -> None:
    whole = encode(speak(), "audio/ogg")
    whole.write_bytes(whole.read_bytes()[: whole.stat().st_size * 6 // 10])

    assert "milk" in (await listen().transcribe(recording(whole, "audio/ogg"))).text.lower()


PHRASE = "Buy milk, and call my sister at seven o'clock tomorrow."


@pytest.mark.parametrize("times", [2, 17])
async def test_how_long_it_takes(
    listen: Callable[..., Listener], speak: Callable[..., Path], capsys: Any, times: int
) -> None:
    """Prints figures; the repeated phrase is what the usual settings are slow with."""
    path, clock = speak(" ".join([PHRASE] * times)), SystemClock()
    with wave.open(str(path)) as file:
        seconds = file.getnframes() / file.getframerate()
    listener = listen()

    began = clock.monotonic()
    made = await listener.transcribe(recording(path))
    first = clock.monotonic() - began
    again = clock.monotonic()
    await listener.transcribe(recording(path))
    second = clock.monotonic() - again

    # Repeated, it is no sentence that the smallest model gets right as a whole.
    assert made.text.lower().count("sister") >= times - 1, made
    peak = peak_mebibytes(listener.pid)
    with capsys.disabled():
        sys.stdout.write(f"\n{seconds:.1f} s of speech: {first:.1f} s with loading, then {second:.1f} s, {peak} MiB\n")


def peak_mebibytes(pid: int | None) -> int:
    """The most memory that a process has had. Source: proc(5), VmHWM, in units of 1024 bytes."""
    status = Path(f"/proc/{pid}/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return next((int(line.split()[1]) // 1024 for line in lines if line.startswith("VmHWM:")), 0)


async def test_a_voice_message_through_the_bot_that_is_killed_without_an_orphan(
    emu: Emulator,
    launch: Callable[..., Awaitable[Any]],
    whisper: Path,
    speak: Callable[..., Path],
    encode: Callable[[Path, str], Path],
) -> None:
    ann = emu.add_user(first_name="Ann", language_code="en")
    content = await asyncio.to_thread(encode(speak(), "audio/ogg").read_bytes)
    bot = await launch("run", TGLLM_ADMIN_IDS=str(ann.id), TGLLM_PLUGINS__WHISPER__MODEL=str(whisper))

    sent = await ann.upload(content, kind="voice", mime="audio/ogg", name="file_1.oga")
    answer = await emu.wait_for_message(ann.private_chat(), timeout=SECONDS, after=sent)
    (child,) = await asyncio.to_thread(children_of, bot.pid)
    os.kill(child, signal.SIGSEGV)
    again = await ann.upload(content + b"\x00", kind="voice", mime="audio/ogg", name="file_2.oga")
    last = await emu.wait_for_message(ann.private_chat(), timeout=SECONDS, after=again)
    children = await asyncio.to_thread(children_of, bot.pid)
    bot.send(signal.SIGKILL)
    await bot.end()

    # The model of the echo provider repeats the question.
    quote, _, echoed = answer.text.partition("\n\n")
    assert quote.removeprefix("🎤 ") in echoed
    assert is_right(Transcript(quote))
    assert is_right(Transcript(last.text))
    assert children
    async with asyncio.timeout(SECONDS):
        while any(Path(f"/proc/{pid}").exists() for pid in children):  # noqa: ASYNC110, ASYNC240  no child of this one
            await asyncio.sleep(0.05)


def children_of(pid: int) -> list[int]:
    """The children of the bot in which Whisper runs."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(child) for child in children if b"tgllm_whisper" in Path(f"/proc/{child}/cmdline").read_bytes()]
