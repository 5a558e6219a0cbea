"""The program of a reading process ends by itself, and loads only what it needs."""

import asyncio
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tgllm.plugins.builtin.files.plugin import tgllm_file_handlers
from tgllm.services.reading import limits
from tgllm.services.reading.process import COMMAND

HANDLERS = tgllm_file_handlers(None)  # type: ignore[arg-type]  they need nothing of it

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="signals of Linux")

BOT = """
import asyncio, sys
from pathlib import Path
import reading_handlers
from tgllm.api.clock import SystemClock
from tgllm.api.files import ExtractionLimits, FileHandler
from tgllm.plugins.owned import OwnedFileHandler
from tgllm.services.reading.pool import ReaderPool

async def main():
    pool = ReaderPool(SystemClock(), print, print)
    extract = getattr(reading_handlers, sys.argv[1])
    owned = OwnedFileHandler(FileHandler("tested", frozenset({"text/plain"}), extract), "nasty", None)
    await pool.read(owned, Path(sys.argv[2]), ExtractionLimits(1000, 1000.0, 2**30), "a.txt")

asyncio.run(main())
"""


def test_it_ends_with_its_input(tmp_path: Path) -> None:
    ended = subprocess.run(COMMAND, stdin=subprocess.DEVNULL, cwd=tmp_path, timeout=100, check=False)
    assert ended.returncode == 0


@linux_only
@pytest.mark.parametrize("extract", ["meets_and_spins", "meets", "forks_meets_and_spins"])
async def test_nothing_is_left_of_a_bot_that_is_killed(tmp_path: Path, place: Any, extract: str) -> None:
    path = tmp_path / "port"
    path.write_text(place.port)
    variables = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    bot = await asyncio.create_subprocess_exec(sys.executable, "-c", BOT, extract, str(path), env=variables)
    meeting = await place.meetings.met.get()

    bot.kill()
    await bot.wait()

    await meeting.ended()


@linux_only
def test_a_task_ends_at_its_time_also_if_the_bot_is_gone() -> None:
    # It waits, since the limit of the processor's time would end one that computes.
    code = "import signal\nfrom tgllm.services.reading import limits\nlimits.begin(0.1, 2**30)\nsignal.pause()"
    assert subprocess.run([sys.executable, "-c", code], timeout=100, check=False).returncode == -signal.SIGALRM


@linux_only
def test_the_time_of_the_processor_is_limited_without_an_alarm() -> None:
    code = "import os, signal\nos.cpu_count = lambda: 1\nfrom tgllm.services.reading import limits\n"
    code += "limits.begin(0.1, 2**30)\nsignal.alarm(0)\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", code], timeout=100, check=False).returncode == -signal.SIGXCPU


@linux_only
def test_memory_is_limited_during_a_task_only() -> None:
    code = """
from tgllm.services.reading import limits
limits.begin(60, 2**29)
try:
    bytearray(2**30)
except MemoryError:
    print("limited")
limits.end()
print(len(bytearray(2**30)))
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    assert ran.stdout.split() == ["limited", str(2**30)]


@linux_only
def test_it_can_get_no_privileges_and_goes_last() -> None:
    code = """
from pathlib import Path
from tgllm.services.reading import limits
limits.limit_process()
import os, resource
print([line.split()[1] for line in Path("/proc/self/status").read_text().splitlines() if "NoNewPrivs" in line])
print(os.nice(0), resource.getrlimit(resource.RLIMIT_CORE)[0], Path("/proc/self/oom_score_adj").read_text())
"""
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=100, check=True)
    niceness = min(19, os.nice(0) + 10)
    assert ran.stdout.split() == ["['1']", str(niceness), "0", "1000"]


def test_a_system_without_limits_reads_without(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "resource", None)
    monkeypatch.setitem(sys.modules, "ctypes", None)
    monkeypatch.setattr(sys, "platform", "win32")
    monkeypatch.delattr(signal, "alarm", raising=False)
    monkeypatch.delattr(os, "nice", raising=False)
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    monkeypatch.setattr(limits, "_THREADS", Path("/no/such/folder"))
    handlers = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    mask = os.umask(0)
    try:
        limits.die_with_the_bot()
        limits.limit_process()
        limits.begin(1.0, 2**20)
        limits.end()
    finally:
        os.umask(mask)
        signal.signal(signal.SIGINT, handlers[0])
        signal.signal(signal.SIGTERM, handlers[1])
    assert not limits.end_descendants()


@pytest.mark.parametrize("handler", sorted({each.extract.__module__ for each in HANDLERS}))
def test_a_built_in_handler_brings_neither_the_bot_nor_other_readers(handler: str) -> None:
    code = f"import {handler}, json, sys\nprint(json.dumps(sorted(sys.modules)))"
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, timeout=100, check=True)
    loaded = {name.partition(".")[0] for name in json.loads(ran.stdout)}
    rooms = {".".join(name.split(".")[:2]) for name in json.loads(ran.stdout) if name.startswith("tgllm.")}
    assert not loaded & {"aiogram", "aiosqlite", "asyncio", "httpx", "pydantic", "sqlite3", "structlog"}
    assert not loaded & {"PIL", "docx", "lxml", "pypdfium2", "python_calamine", "selectolax"}
    assert rooms <= {"tgllm.api", "tgllm.plugins"}
