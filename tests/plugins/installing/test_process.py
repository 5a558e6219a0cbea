"""Ctrl-C ends an installer that only looks packages up, and lets one finish that changes the environment."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from tgllm.plugins.installing.commands import Command
from tgllm.plugins.installing.process import run

INSTALLER = """
import sys
from pathlib import Path
pipe, done = map(Path, sys.argv[1:3])
print(sys.argv[3], flush=True)
pipe.read_text()
done.write_text("done")
"""


def installer(folder: Path, line: str) -> Command:
    """A command that prints a line, waits for the pipe, and then leaves a file."""
    os.mkfifo(folder / "pipe")
    words = (sys.executable, "-c", INSTALLER, str(folder / "pipe"), str(folder / "done"), line)
    return Command(words, commits_at=("Installing",))


async def stopped(command: Command, *, pipe: Path | None) -> None:
    """Cancel a run once it has printed its line; then let it go on by the pipe, if there is one."""
    printed = asyncio.Event()
    task = asyncio.create_task(run(command, 60, lambda _line: printed.set()))
    await printed.wait()
    task.cancel()
    await asyncio.sleep(0)
    if pipe is not None:
        await asyncio.to_thread(pipe.write_text, "go on")
    with pytest.raises(asyncio.CancelledError):
        await task


async def test_a_look_up_is_interrupted(tmp_path: Path) -> None:
    await stopped(installer(tmp_path, "Collecting tgllm-weather"), pipe=None)

    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]  # noqa: ASYNC240  nothing else runs


async def test_a_change_may_finish(tmp_path: Path) -> None:
    await stopped(installer(tmp_path, "Installing collected packages: tgllm-weather"), pipe=tmp_path / "pipe")

    assert sorted(path.name for path in tmp_path.iterdir()) == ["done", "pipe"]  # noqa: ASYNC240  nothing else runs


async def test_one_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    ended = await run(installer(tmp_path, "Collecting tgllm-weather"), 0.5)

    assert (ended.is_late, ended.code) == (True, 1)


async def test_its_output_and_its_code(tmp_path: Path) -> None:
    lines: list[str] = []
    command = Command((sys.executable, "-c", "print('one'); import sys; sys.exit('two')"), {"SOME": str(tmp_path)})

    ended = await run(command, 60, lines.append)

    assert (ended.code, sorted(lines), sorted(ended.lines)) == (1, ["one", "two"], ["one", "two"])
