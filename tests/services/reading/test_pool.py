"""A file handler that misbehaves costs its file, and nothing else."""

import asyncio
import os
import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

import reading_handlers
from tgllm.api.errors import FileUnreadable, Stopped
from tgllm.api.files import Extracted, PagePicture
from tgllm.testing.clock import ManualClock

if sys.platform != "linux":
    pytest.skip("limits and signals of Linux", allow_module_level=True)

QUICK = 1.0
"""Seconds for a handler that never ends."""


async def code_of(reading: Any, extract: Callable[..., Any], **options: Any) -> tuple[str, dict[str, object]]:
    with pytest.raises(FileUnreadable) as raised:
        await reading.read(extract, **options)
    return raised.value.code, dict(raised.value.params)


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  the state of a process sets no event
        await asyncio.sleep(0.005)


def limited(reading: Any, **limits: Any) -> dict[str, Any]:
    return {"limits": replace(reading.limits, **limits)}


class TestWhatIsRead:
    async def test_the_text_of_a_file(self, reading: Any) -> None:
        assert await reading.read(reading_handlers.whole, "Hällo") == Extracted("Hällo")

    async def test_everything_that_a_handler_returns(self, reading: Any) -> None:
        extracted = await reading.read(reading_handlers.everything, **limited(reading, max_pictures=2))

        pictures = (PagePicture(2, b"\xff\xd8two"), PagePicture(3, b"three", "image/png"))
        assert extracted == Extracted("[page 1]\none ?", True, 3, pictures, 2, "cp1251")

    async def test_no_pictures_for_a_model_that_sees_none(self, reading: Any) -> None:
        assert (await reading.read(reading_handlers.everything)).pictures == ()

    async def test_what_exceeds_the_limits_is_cut(self, reading: Any) -> None:
        options = limited(reading, max_chars=1000, max_pictures=50)

        extracted = await reading.read(reading_handlers.returns_much, **options)

        assert extracted.text == "я" * 1000
        assert [each.page for each in extracted.pictures] == [*range(1, 33)]
        assert extracted.truncated

    async def test_a_handler_gets_the_ending_and_the_limits_and_no_keys(
        self, reading: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for name in ("TGLLM_BOT_TOKEN", "GEMINI_API_KEY", "AWS_SECRET_ACCESS_KEY", "SOME_PATH"):
            monkeypatch.setenv(name, "secret")

        extracted = await reading.read(reading_handlers.told, name="Track.GPX")

        suffix, left, limits, variables, is_there, _ = eval(extracted.text, {"ExtractionLimits": type(reading.limits)})
        assert (suffix, left, limits, is_there) == (".gpx", ["file.gpx"], reading.limits, True)
        assert set(variables) <= {"HOME", "LANG", "PATH", "PYTHONPATH", "PYTHONHOME", "TEMP", "TMP", "TMPDIR"} | {
            name for name in os.environ if name.startswith(("LC_", "LD_LIBRARY"))
        }

    @pytest.mark.parametrize("name", ["", "..", "a/../../etc", "a.b c", "x.ünï", "a." + "x" * 40, "a.\n"])
    async def test_a_strange_name_is_no_path(self, reading: Any, name: str) -> None:
        suffix, left, *_ = (await reading.read(reading_handlers.told, name=name)).text[1:].split(", ")
        assert (suffix, left) == ("''", "['file']")

    @pytest.mark.parametrize(
        ("name", "ending"),
        [
            ("Makefile", ".mk"),
            ("Dockerfile", ".dockerfile"),
            (".env", ".ini"),
            (".gitignore", ".gitignore"),
            ("src/Gemfile", ".rb"),
        ],
    )
    async def test_a_name_without_an_ending_has_that_of_its_language(
        self, reading: Any, name: str, ending: str
    ) -> None:
        suffix, *_ = (await reading.read(reading_handlers.told, name=name)).text[1:].split(", ")
        assert suffix == repr(ending)

    async def test_neither_the_bot_nor_the_database_is_loaded(self, reading: Any) -> None:
        loaded = set((await reading.read(reading_handlers.loaded)).text.splitlines())

        assert "tgllm.services.reading.worker" not in loaded  # it is __main__
        assert "tgllm.services.reading.tasks" in loaded
        assert not loaded & {"aiogram", "aiosqlite", "asyncio", "httpx", "pydantic", "sqlite3", "structlog"}
        assert not {name for name in loaded if name.startswith(("tgllm.bot", "tgllm.db", "tgllm.plugins"))}


class TestMisbehaviour:
    @pytest.mark.parametrize(
        ("extract", "code"),
        [
            ("raises", "file_crashed"),
            ("raises_hostile", "file_crashed"),
            ("exits", "file_crashed"),
            ("interrupts", "file_crashed"),
            ("recurses", "file_crashed"),
            ("vanishes", "file_crashed"),
            ("segfaults", "file_crashed"),
            ("aborts", "file_crashed"),
            ("writes_everywhere", "file_crashed"),
            ("announces_gigabytes", "file_crashed"),
            ("closes_everything", "file_crashed"),
            ("closes_and_sleeps", "file_crashed"),
            ("writes_much", "file_crashed"),
            ("imports_missing", "file_crashed"),
            ("aborts_without_memory", "file_memory"),
            ("is_killed", "file_memory"),
            ("eats", "file_memory"),
            ("returns_gigabytes", "file_memory"),
            ("alarms", "file_slow"),
            ("refuses_strangely", "file_unreadable"),
            ("refuses_without_limit", "file_too_large_to_read"),
        ],
    )
    async def test_the_person_is_told_and_the_next_file_is_read(self, reading: Any, extract: str, code: str) -> None:
        assert (await reading.read(reading_handlers.whole, "before")).text == "before"

        found, params = await code_of(reading, getattr(reading_handlers, extract))

        assert (found, params.pop("name")) == (code, "a report.txt")
        # The code of what is reported.
        params.pop("error_id", None)
        assert params == ({"seconds": 60.0} if code == "file_slow" else {})
        assert (await reading.read(reading_handlers.whole, "after")).text == "after"
        assert reading.quarantined == []

    @pytest.mark.parametrize("extract", ["spins", "sleeps", "spins_in_c", "resists"])
    async def test_one_that_never_ends_is_ended(self, reading: Any, extract: str) -> None:
        await reading.read(reading_handlers.whole)

        code, params = await code_of(reading, getattr(reading_handlers, extract), **limited(reading, seconds=QUICK))

        assert (code, params) == ("file_slow", {"name": "a report.txt", "seconds": QUICK})
        assert (await reading.read(reading_handlers.whole, "after")).text == "after"

    @pytest.mark.parametrize("extract", ["returns_none", "returns_text"])
    async def test_one_that_breaks_the_contract_is_quarantined(self, reading: Any, extract: str) -> None:
        code, _ = await code_of(reading, getattr(reading_handlers, extract))

        kind = "NoneType" if extract == "returns_none" else "str"
        assert code == "file_crashed"
        assert reading.quarantined == [
            ("nasty", f"extract of file handler tested returned {kind} instead of Extracted")
        ]

    @pytest.mark.parametrize("extract", ["returns_wrong_fields", "returns_wrong_text", "returns_wrong_pictures"])
    async def test_wrong_fields_break_the_contract_too(self, reading: Any, extract: str) -> None:
        assert (await code_of(reading, getattr(reading_handlers, extract)))[0] == "file_crashed"
        assert len(reading.quarantined) == 1

    async def test_the_error_of_a_handler_arrives_without_its_message(self, reading: Any) -> None:
        with pytest.raises(FileUnreadable) as raised:
            await reading.read(reading_handlers.refuses, "a sentence of the file")

        assert raised.value.code == "file_password"
        assert raised.value.params == {"name": "a report.txt", "pages": 3, "detail": "x" * 200}
        assert "sentence" not in str(raised.value)
        assert len(reading.pool.pids) == 1

    async def test_what_a_handler_prints_is_no_answer(self, reading: Any) -> None:
        assert (await reading.read(reading_handlers.prints)).text == "printed, read ''"

    async def test_the_copy_of_a_process_that_forks_sends_nothing(self, reading: Any) -> None:
        assert (await reading.read(reading_handlers.returns_twice)).text == "parent"
        assert (await reading.read(reading_handlers.whole, "after")).text == "after"

    async def test_a_failure_is_logged_without_the_file(self, reading: Any) -> None:
        with capture_logs() as lines:
            await code_of(reading, reading_handlers.raises, content="a sentence of the file", name="secret.txt")

        (line,) = lines
        assert line.items() >= {"plugin": "nasty", "handler": "tested", "reason": "raised ZeroDivisionError"}.items()
        assert line["event"] == "reading.crashed"
        assert re.fullmatch(r"reading_handlers\.py:\d+", line["at"])
        assert not [value for value in line.values() if "sentence" in str(value) or "secret" in str(value)]


class TestProcesses:
    async def test_none_is_started_before_the_first_file(self, reading: Any) -> None:
        assert not reading.pool.pids

    async def test_the_next_file_is_read_by_the_same(self, reading: Any) -> None:
        pids = [(await reading.read(reading_handlers.told)).text.split()[-1] for _ in range(3)]
        assert len(set(pids)) == 1

    async def test_two_files_are_read_at_the_same_time_and_a_third_waits(self, reading: Any, place: Any) -> None:
        reads = [asyncio.create_task(reading.read(reading_handlers.meets, place.port)) for _ in range(3)]
        first, second = await place.meetings.met.get(), await place.meetings.met.get()
        assert first.pid != second.pid
        assert reading.pool.waiting == 1
        first.go_on("first")
        third = await place.meetings.met.get()
        assert third.pid == first.pid
        second.go_on("second")
        third.go_on("third")
        assert sorted([each.text for each in await asyncio.gather(*reads)]) == ["first", "second", "third"]

    @pytest.mark.parametrize("extract", ["segfaults", "raises", "eats", "returns_none", "writes_everywhere"])
    async def test_a_failure_does_not_touch_the_other_file(self, reading: Any, place: Any, extract: str) -> None:
        other = asyncio.create_task(reading.read(reading_handlers.meets, place.port))
        meeting = await place.meetings.met.get()

        await code_of(reading, getattr(reading_handlers, extract))

        meeting.go_on("still here")
        assert (await other).text == "still here"

    async def test_people_are_served_in_turn(self, make_reading: Any, place: Any) -> None:
        reading = make_reading(processes=1)
        order: list[str] = []

        async def read(owner: str) -> None:
            await reading.read(reading_handlers.meets, place.port, owner=owner)
            order.append(owner)

        reads = [asyncio.create_task(read(owner)) for owner in ("ann", "ann", "ann", "bob", "ann", "cat")]
        for _ in reads:
            (await place.meetings.met.get()).go_on("x")
        await asyncio.gather(*reads)
        assert order == ["ann", "ann", "bob", "cat", "ann", "ann"]

    async def test_a_cancelled_read_ends_its_process(self, reading: Any, place: Any) -> None:
        read = asyncio.create_task(reading.read(reading_handlers.meets_and_spins, place.port))
        meeting = await place.meetings.met.get()

        read.cancel()
        with pytest.raises(asyncio.CancelledError):
            await read

        await meeting.ended()
        assert (await reading.read(reading_handlers.whole, "after")).text == "after"

    async def test_a_cancelled_read_that_waits_is_never_begun(self, make_reading: Any, place: Any) -> None:
        reading = make_reading(processes=1)
        first = asyncio.create_task(reading.read(reading_handlers.meets, place.port))
        meeting = await place.meetings.met.get()
        second = asyncio.create_task(reading.read(reading_handlers.meets, place.port))
        await until(lambda: reading.pool.waiting)

        second.cancel()
        with pytest.raises(asyncio.CancelledError):
            await second

        assert reading.pool.waiting == 0
        meeting.go_on("first")
        await first
        assert (await reading.read(reading_handlers.whole, "after")).text == "after"
        assert place.meetings.met.empty()

    async def test_closing_ends_what_runs_and_what_waits(self, make_reading: Any, place: Any) -> None:
        reading = make_reading(processes=1)
        reads = [asyncio.create_task(reading.read(reading_handlers.meets_and_spins, place.port)) for _ in range(3)]
        meeting = await place.meetings.met.get()

        await reading.pool.aclose()

        assert not reading.pool.pids
        await meeting.ended()
        results = await asyncio.gather(*reads, return_exceptions=True)
        assert [type(each) for each in results] == [Stopped] * 3
        with pytest.raises(Stopped):
            await reading.read(reading_handlers.whole)

    async def test_an_idle_one_is_ended(self, make_reading: Any, clock: ManualClock) -> None:
        reading = make_reading(idle_seconds=300.0)
        await reading.read(reading_handlers.whole)
        await clock.advance(299.0)
        await reading.read(reading_handlers.whole)
        (pid,) = reading.pool.pids
        await clock.advance(299.0)
        assert reading.pool.pids == {pid}
        await clock.advance(1.0)
        await until(lambda: not reading.pool.pids)
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)
        assert clock.sleepers == 0

    async def test_one_is_replaced_after_many_files(self, make_reading: Any) -> None:
        reading = make_reading(tasks=2)
        pids = [(await reading.read(reading_handlers.told)).text.split()[-1] for _ in range(5)]
        assert [pids.index(pid) for pid in pids] == [0, 0, 2, 2, 4]

    @pytest.mark.parametrize("extract", ["keeps_memory", "leaves_a_thread", "returns_twice", "raises", "leaves_files"])
    async def test_one_that_is_no_longer_clean_is_replaced(self, reading: Any, extract: str) -> None:
        before = (await reading.read(reading_handlers.told)).text.split()[-1]
        try:
            await reading.read(getattr(reading_handlers, extract))
        except FileUnreadable:
            assert extract == "raises"
        after = await reading.read(reading_handlers.told)
        assert "['file.txt']" in after.text
        assert (after.text.split()[-1] == before) == (extract == "leaves_files")

    async def test_one_that_died_while_idle_is_replaced(self, reading: Any) -> None:
        await reading.read(reading_handlers.whole)
        (pid,) = reading.pool.pids
        os.kill(pid, 9)
        (process,) = reading.pool._processes._all
        await until(lambda: process.has_ended)
        assert (await reading.read(reading_handlers.whole, "after")).text == "after"

    @pytest.mark.parametrize("extract", ["forks_and_meets", "leaves_a_program"])
    async def test_processes_that_a_handler_leaves_are_ended(self, reading: Any, place: Any, extract: str) -> None:
        read = asyncio.create_task(reading.read(getattr(reading_handlers, extract), place.port))
        meetings = [await place.meetings.met.get() for _ in range(2 if extract == "leaves_a_program" else 1)]
        for meeting in meetings:
            meeting.go_on("go")
        assert (await read).text in {"parent", "started"}
        for meeting in meetings:
            await meeting.ended()

    async def test_a_folder_for_each_is_removed(self, reading: Any, tmp_path: Path, monkeypatch: Any) -> None:
        folder = tmp_path / "temporary"
        folder.mkdir()
        monkeypatch.setattr("tempfile.tempdir", str(folder))
        await reading.read(reading_handlers.leaves_files)
        assert len([*folder.iterdir()]) == 1
        await reading.pool.aclose()
        assert [*folder.iterdir()] == []

    async def test_what_a_killed_bot_has_left_is_removed(self, make_reading: Any, tmp_path: Path) -> None:
        folder = tmp_path / "data" / "reading"
        (folder / "tgllm-reading-old").mkdir(parents=True)
        (folder / "tgllm-reading-old" / "part").write_text("a sentence of a file")
        reading = make_reading(folder=folder)
        await asyncio.gather(*(reading.read(reading_handlers.whole) for _ in range(3)))
        assert "tgllm-reading-old" not in {each.name for each in folder.iterdir()}
        await reading.pool.aclose()
        assert not folder.exists()

    async def test_one_that_is_being_started_does_not_outlive_the_pool(self, make_reading: Any) -> None:
        for steps in range(1, 40, 3):
            reading = make_reading()
            read = asyncio.create_task(reading.read(reading_handlers.whole))
            for _ in range(steps):
                await asyncio.sleep(0)
            await reading.pool.aclose()
            assert not reading.pool.pids
            assert asyncio.all_tasks() <= {read, asyncio.current_task()}
            with pytest.raises(Stopped):
                await read

    async def test_one_that_cannot_be_started_is_told(self, reading: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr("tgllm.services.reading.process.COMMAND", ("/no/such/program",))
        assert (await code_of(reading, reading_handlers.whole))[0] == "file_crashed"
        assert not reading.pool.pids

    @pytest.mark.parametrize("program", ["pass", "import time; time.sleep(1000)"])
    async def test_one_that_never_gets_ready_is_told(self, make_reading: Any, monkeypatch: Any, program: str) -> None:
        reading = make_reading(start_seconds=QUICK if "sleep" in program else 60.0)
        monkeypatch.setattr("tgllm.services.reading.process.COMMAND", (sys.executable, "-c", program))
        assert (await code_of(reading, reading_handlers.whole))[0] == "file_crashed"


class TestMissingPackages:
    async def test_a_missing_module_is_named_with_its_command(self, reading: Any) -> None:
        options = {"needs": ("json", "no_such_module.part"), "package": "tgllm[files]"}

        code, params = await code_of(reading, reading_handlers.whole, **options)

        assert (code, params["command"]) == ("file_needs", "pip install 'tgllm[files]'")
        assert [each.modules for each in reading.missing] == [("no_such_module.part",)]
        assert not reading.pool.pids

    async def test_one_that_only_the_child_finds_missing(self, reading: Any, monkeypatch: Any) -> None:
        monkeypatch.setattr("tgllm.services.reading.pool.missing_modules", lambda _needs: ())

        code, params = await code_of(reading, reading_handlers.imports_missing, needs=("no_such_module",))

        assert (code, params["command"]) == ("file_needs", "pip install no_such_module")
        assert [each.modules for each in reading.missing] == [("no_such_module",)]

    async def test_no_module_is_imported_to_find_it(self, reading: Any) -> None:
        assert (await reading.read(reading_handlers.whole, needs=("this",))).text == "Hello"
        assert "this" not in sys.modules
