"""Recordings through a real child, in which a module stands in for faster-whisper."""

import asyncio
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import FileUnreadable, ProviderError, Recording, Transcript, Unavailable
from tgllm.testing.clock import ManualClock
from tgllm_whisper import listener as module
from tgllm_whisper.listener import Listener

Listen = Callable[..., Listener]
Sound = Callable[..., Recording]


async def test_a_recording_becomes_text(listen: Listen, stub: Any, sound: Sound) -> None:
    stub.does(says=[" Buy milk.", " And bread. ", "  "], language="de")

    assert await listen().transcribe(sound()) == Transcript("Buy milk. And bread.", "de", truncated=False)


async def test_the_model_hears_it_as_it_is_measured_to_be_best(listen: Listen, stub: Any, sound: Sound) -> None:
    await listen(threads=3).transcribe(sound(2))

    (asked,) = stub.asked
    assert asked["samples"] == pytest.approx(32_000, abs=200)
    assert 0.3 < asked["loudest"] < 0.4
    assert (asked["vad_filter"], asked["condition_on_previous_text"]) == (True, False)
    assert (asked["temperature"], asked["best_of"]) == ([0.0, 0.4], 1)
    (loaded,) = [seen for seen in stub.seen if "compute_type" in seen]
    assert (loaded["device"], loaded["compute_type"], loaded["cpu_threads"]) == ("cpu", "int8", 3)
    assert loaded["local_files_only"] is True


async def test_the_model_is_loaded_once(listen: Listen, stub: Any, sound: Sound) -> None:
    listener = listen()

    for _ in range(3):
        await listener.transcribe(sound())

    assert stub.loads == 1


async def test_recordings_at_the_same_time_wait_for_each_other(listen: Listen, stub: Any, sound: Sound) -> None:
    listener = listen()
    recordings = [sound(seconds, f"{seconds}.wav") for seconds in (1, 2, 3)]

    await asyncio.gather(*map(listener.transcribe, recordings))

    assert stub.loads == 1
    assert [round(asked["samples"] / 16_000) for asked in stub.asked] == [1, 2, 3]


async def test_silence_is_an_empty_text(listen: Listen, stub: Any, sound: Sound) -> None:
    stub.does(says=[])

    assert await listen().transcribe(sound()) == Transcript("", None)


@pytest.mark.parametrize(
    ("sure", "hint", "setting", "used"),
    [
        (0.9, "de", None, [None]),
        (0.3, "de", None, [None, "de"]),
        (0.3, "en", None, [None]),
        (0.3, "xx", None, [None]),
        (0.3, None, None, [None]),
        (0.3, "de", "ru", ["ru"]),
    ],
)
async def test_the_hint_is_used_if_the_model_is_unsure(
    listen: Listen, stub: Any, sound: Sound, sure: float, hint: str | None, setting: str | None, used: list[str | None]
) -> None:
    stub.does(says=["Milch"], language="en", sure=sure)

    made = await listen(language=setting).transcribe(sound(language=hint))

    assert [asked["language"] for asked in stub.asked] == used
    assert made.language == (used[-1] or "en")


async def test_a_long_recording_is_heard_in_pieces_of_one_language(listen: Listen, stub: Any, sound: Sound) -> None:
    stub.does(says=["Again."], language="de")

    made = await listen().transcribe(sound(700, rate=1000))

    assert made == Transcript("Again. Again. Again.", "de", truncated=False)
    assert [asked["language"] for asked in stub.asked] == [None, "de", "de"]
    assert sum(asked["samples"] for asked in stub.asked) == pytest.approx(700 * 16_000, rel=0.001)
    assert max(asked["samples"] for asked in stub.asked) <= 301 * 16_000


async def test_what_is_too_long_is_left_out(listen: Listen, stub: Any, sound: Sound) -> None:
    made = await listen(max_minutes=0.05).transcribe(sound(10))

    assert made.truncated
    assert [asked["samples"] for asked in stub.asked] == [48_000]


async def test_a_transcript_that_takes_too_long_ends_with_what_there_is(
    listen: Listen, stub: Any, sound: Sound
) -> None:
    stub.does(says=["One.", "Two.", "Three."], segment="import time; time.sleep(0.01)")

    made = await listen(work_seconds=0.001).transcribe(sound())

    assert made == Transcript("One.", "en", truncated=True)


@pytest.mark.parametrize("content", [b"no recording at all", os.urandom(4000), b"OggS" + bytes(2000), b"RIFF"])
async def test_a_broken_file_is_told_and_the_next_one_works(
    listen: Listen, stub: Any, sound: Sound, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "broken.ogg").write_bytes(content)
    listener = listen()

    with pytest.raises(FileUnreadable) as caught:
        await listener.transcribe(Recording(tmp_path / "broken.ogg", "audio/ogg", len(content)))

    assert caught.value.code in {"file_broken", "file_empty"}
    assert (await listener.transcribe(sound())).text == "Buy milk."
    assert stub.loads == 1


async def test_a_playlist_opens_no_other_file(listen: Listen, sound: Sound, tmp_path: Path) -> None:
    other = sound(name="private.wav")
    lists = {
        "hls": f"#EXTM3U\n#EXT-X-TARGETDURATION:10\n#EXTINF:10,\n{other.path}\n#EXT-X-ENDLIST\n",
        "concat": f"ffconcat version 1.0\nfile {other.path}\n",
    }
    listener = listen()
    for name, content in lists.items():
        path = tmp_path / f"{name}.m4a"
        path.write_text(content)
        with pytest.raises(FileUnreadable) as caught:
            await listener.transcribe(Recording(path, "audio/mp4", len(content)))
        assert caught.value.code == "file_broken"


async def test_an_empty_file_starts_no_child(listen: Listen, stub: Any, tmp_path: Path) -> None:
    (tmp_path / "empty.ogg").touch()

    with pytest.raises(FileUnreadable) as caught:
        await listen().transcribe(Recording(tmp_path / "empty.ogg", "audio/ogg", 0))

    assert (caught.value.code, stub.seen) == ("file_empty", [])


async def test_a_recording_without_samples_is_empty(listen: Listen, sound: Sound) -> None:
    with pytest.raises(FileUnreadable) as caught:
        await listen().transcribe(sound(0))

    assert caught.value.code == "file_empty"


async def test_a_recording_that_ends_in_the_middle_is_heard_up_to_there(
    listen: Listen, stub: Any, sound: Sound
) -> None:
    whole = sound(10)
    whole.path.write_bytes(whole.path.read_bytes()[:80_000])

    assert (await listen().transcribe(whole)).text == "Buy milk."
    assert stub.asked[0]["samples"] == pytest.approx(5 * 16_000, rel=0.01)


@pytest.mark.parametrize(
    ("code", "kind", "words"),
    [
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", ProviderError, "memory runs out"),
        ("import os; os.abort()", Unavailable, "SIGABRT"),
        ("import os; os._exit(3)", Unavailable, "exit code 3"),
    ],
)
async def test_a_crash_is_told_and_the_next_one_works(
    listen: Listen, stub: Any, sound: Sound, log: Any, code: str, kind: type[ProviderError], words: str
) -> None:
    listener = listen()
    stub.does(transcribe=code)

    with pytest.raises(kind, match=words):
        await listener.transcribe(sound())

    stub.does(says=["Here again."])
    assert (await listener.transcribe(sound())).text == "Here again."
    assert "whisper.ended" in log.events


async def test_an_exception_of_the_library_is_told_and_the_child_stays(listen: Listen, stub: Any, sound: Sound) -> None:
    listener = listen()
    stub.does(transcribe="raise RuntimeError('cuda')")
    with pytest.raises(Unavailable, match="RuntimeError: cuda"):
        await listener.transcribe(sound())

    stub.does(says=["Fine."])
    assert (await listener.transcribe(sound())).text == "Fine."
    assert stub.loads == 1


async def test_a_child_that_died_while_idle_is_replaced(listen: Listen, stub: Any, sound: Sound) -> None:
    listener = listen()
    await listener.transcribe(sound())
    pid = listener.pid
    assert pid
    # The listener learns of it only when it asks.
    os.kill(pid, signal.SIGKILL)

    assert (await listener.transcribe(sound())).text == "Buy milk."
    assert listener.pid != pid


async def test_a_stop_ends_the_computation(listen: Listen, stub: Any, sound: Sound) -> None:
    listener = listen()
    stub.does(transcribe="import time; time.sleep(600)")
    task = asyncio.create_task(listener.transcribe(sound()))
    await until(lambda: stub.asked)
    pid = listener.pid
    assert pid
    task.cancel()
    await asyncio.wait({task})

    assert task.cancelled()
    assert not is_alive(pid)
    stub.does(says=["Next."])
    assert (await listener.transcribe(sound())).text == "Next."


async def test_a_stop_of_one_that_waits_leaves_the_other_alone(
    listen: Listen, stub: Any, sound: Sound, tmp_path: Path
) -> None:
    gate = tmp_path / "gate"
    stub.does(says=["First."], transcribe=f"import time, pathlib\nwhile not pathlib.Path({str(gate)!r}).exists(): pass")
    listener = listen()
    first = asyncio.create_task(listener.transcribe(sound()))
    await until(lambda: stub.asked)
    second = asyncio.create_task(listener.transcribe(sound()))
    await asyncio.sleep(0)
    second.cancel()
    await asyncio.wait({second})
    gate.touch()

    assert (await first).text == "First."


async def test_an_idle_model_is_unloaded(listen: Listen, stub: Any, sound: Sound, clock: ManualClock) -> None:
    listener = listen(idle_seconds=60)
    await listener.transcribe(sound())
    pid = listener.pid
    assert pid

    await clock.advance(59)
    assert is_alive(pid)
    await clock.advance(2)
    await until(lambda: not is_alive(pid))

    assert (await listener.transcribe(sound())).text == "Buy milk."
    assert stub.loads == 2


async def test_a_recording_starts_the_idle_time_anew(
    listen: Listen, stub: Any, sound: Sound, clock: ManualClock
) -> None:
    listener = listen(idle_seconds=60)
    for _ in range(3):
        await listener.transcribe(sound())
        await clock.advance(50)

    assert stub.loads == 1


async def test_closing_ends_the_child(listen: Listen, sound: Sound) -> None:
    listener = listen()
    await listener.transcribe(sound())
    pid = listener.pid
    assert pid

    await listener.aclose()
    await listener.aclose()

    assert not is_alive(pid)
    with pytest.raises(ProviderError):
        await listener.transcribe(sound())


async def test_a_model_that_needs_more_than_is_free_is_refused(listen: Listen, stub: Any, sound: Sound) -> None:
    with pytest.raises(ProviderError, match=r"needs about 300 MB of memory, and 200 MB are free"):
        await listen(free=200 * 2**20).transcribe(sound())

    assert stub.loads == 0
    assert (await listen(free=200 * 2**20, check_memory=False).transcribe(sound())).text == "Buy milk."


@pytest.mark.parametrize(
    ("code", "words"),
    [("raise RuntimeError('Unsupported model binary version')", "binary version"), ("raise MemoryError('x')", "x")],
)
async def test_a_model_that_cannot_be_loaded_is_told(
    listen: Listen, stub: Any, sound: Sound, code: str, words: str
) -> None:
    stub.does(load=code)

    with pytest.raises(ProviderError, match=words) as caught:
        await listen().transcribe(sound())

    assert caught.value.code == "whisper.bad_model"


async def test_a_folder_that_is_not_there_is_told(listen: Listen, sound: Sound, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match="there is no folder"):
        await listen(model=str(tmp_path / "nothing")).transcribe(sound())


async def test_a_folder_without_a_model_is_told(listen: Listen, sound: Sound, tmp_path: Path) -> None:
    with pytest.raises(ProviderError, match=r"model\.bin is missing"):
        await listen(model=str(tmp_path)).transcribe(sound())


async def test_a_load_that_does_not_end_is_told(listen: Listen, stub: Any, sound: Sound) -> None:
    stub.does(load="import time; time.sleep(600)")

    with pytest.raises(Unavailable, match="load_seconds"):
        await listen(load_seconds=0.5).transcribe(sound())


class TestDownload:
    async def test_a_name_is_downloaded_once(self, listen: Listen, stub: Any, sound: Sound, log: Any) -> None:
        listener = listen(model="tiny", idle_seconds=5)
        await listener.transcribe(sound())
        await listener.aclose()
        await listen(model="tiny").transcribe(sound())

        assert [seen["local_files_only"] for seen in stub.seen if "download" in seen] == [True, False, True]
        assert log.events.count("whisper.download") == 1

    async def test_an_interrupted_one_goes_on(self, listen: Listen, stub: Any, sound: Sound, tmp_path: Path) -> None:
        (tmp_path / "data" / "models" / "tiny").mkdir(parents=True)

        await listen(model="tiny").transcribe(sound())

        assert [seen["local_files_only"] for seen in stub.seen if "download" in seen] == [True, False]

    async def test_an_unknown_name_is_told_with_the_known_ones(self, listen: Listen, sound: Sound) -> None:
        with pytest.raises(ProviderError, match="expected one of: tiny, base"):
            await listen(model="unknown").transcribe(sound())

    async def test_without_network_it_says_what_to_do(self, listen: Listen, stub: Any, sound: Sound) -> None:
        stub.does(download="raise ConnectionError('Name or service not known')")

        with pytest.raises(Unavailable, match=r"Name or service not known.*MODEL to a folder") as caught:
            await listen(model="tiny").transcribe(sound())

        assert caught.value.code == "whisper.not_downloaded"

    async def test_a_long_one_goes_on_without_the_recording(
        self, listen: Listen, stub: Any, sound: Sound, clock: ManualClock, tmp_path: Path
    ) -> None:
        gate = tmp_path / "gate"
        code = f"""
import pathlib
folder.mkdir(parents=True)
(folder / "part").write_bytes(bytes(3 * 2**20))
while not pathlib.Path({str(gate)!r}).exists(): pass
"""
        stub.does(download=code, says=["There."])
        listener = listen(model="tiny")
        waiting = asyncio.create_task(listener.transcribe(sound()))
        await until(lambda: clock.sleepers)
        part = tmp_path / "data" / "models" / "tiny" / "part"
        await until(lambda: part.exists() and part.stat().st_size == 3 * 2**20)
        await clock.advance(module.DOWNLOAD_WAIT + 1)

        with pytest.raises(Unavailable, match="3 MB so far") as caught:
            await waiting
        gate.touch()

        assert caught.value.code == "whisper.downloading"
        assert (await listener.transcribe(sound())).text == "There."
        assert stub.loads == 1

    async def test_tests_download_nothing(self, listen: Listen, stub: Any, sound: Sound) -> None:
        await listen(model="tiny").transcribe(sound())

        assert {seen["offline"] for seen in stub.seen if "download" in seen} == {"1"}


async def test_the_child_gets_no_keys(listen: Listen, stub: Any, sound: Sound, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TGLLM_BOT_TOKEN", "GEMINI_API_KEY", "HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"):
        monkeypatch.setenv(name, "secret")

    await listen().transcribe(sound())

    (loaded,) = [seen for seen in stub.seen if "compute_type" in seen]
    assert not [name for name in loaded["variables"] if "KEY" in name or "TOKEN" in name]
    assert "HF_HUB_DISABLE_TELEMETRY" in loaded["variables"]


async def test_much_output_of_the_library_does_not_block_it(listen: Listen, stub: Any, sound: Sound) -> None:
    stub.does(transcribe="import sys; print('x' * 3_000_000); sys.stderr.write('y' * 3_000_000)", says=["Fine."])

    assert (await listen().transcribe(sound())).text == "Fine."


async def test_a_very_long_transcript_arrives(listen: Listen, stub: Any, sound: Sound) -> None:
    stub.does(says=["word " * 100_000])

    assert len((await listen().transcribe(sound())).text) == 499_999


async def test_ctrl_c_in_the_terminal_is_left_to_the_bot(listen: Listen, sound: Sound) -> None:
    listener = listen()
    await listener.transcribe(sound())
    assert listener.pid
    assert os.getsid(listener.pid) != os.getsid(0)
    os.kill(listener.pid, signal.SIGINT)

    assert (await listener.transcribe(sound())).text == "Buy milk."


async def test_a_bot_that_is_killed_leaves_no_orphan(stub: Any, model: Path, sound: Sound, tmp_path: Path) -> None:
    stub.does(transcribe="import time; time.sleep(600)")
    recording = sound()
    program = f"""
import asyncio
from pathlib import Path
from tgllm.api import Recording, SystemClock
from tgllm.observe.logs import get_logger
from tgllm_whisper.listener import Listener
from tgllm_whisper.settings import Settings

async def main():
    listener = Listener(Settings(model={str(model)!r}), Path({str(tmp_path)!r}), SystemClock(), get_logger("x"))
    task = asyncio.create_task(listener.transcribe(Recording(Path({str(recording.path)!r}), "audio/wav", 9)))
    while not listener.pid:
        await asyncio.sleep(0.01)
    print(listener.pid, flush=True)
    await task

asyncio.run(main())
"""
    bot = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    try:
        assert bot.stdout is not None
        while not (line := await bot.stdout.readline()).strip().isdigit():
            assert line
        await until(lambda: stub.asked)
    finally:
        bot.kill()
        await bot.wait()

    await until(lambda: not is_alive(int(line)))


async def until(look: Callable[[], Any]) -> Any:
    """The first true value that a function returns."""
    async with asyncio.timeout(60):
        while not (found := look()):  # noqa: ASYNC110  another process sets no event
            await asyncio.sleep(0.02)
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    # A process that has ended, and that its new parent has not noticed yet.
    status = Path(f"/proc/{pid}/stat")
    return not (status.exists() and status.read_text().rpartition(")")[2].split()[0] == "Z")
