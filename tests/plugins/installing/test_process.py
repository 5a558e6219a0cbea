"""Ctrl-C ends an installer that only looks packages up, and lets one finish that changes the environment."""

import asyncio
import os
import signal
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


async def test_a_giant_line_is_truncated() -> None:
    source = "import sys; sys.stdout.write('x' * 3_000_000 + '\\nend\\n')"

    ended = await run(Command((sys.executable, "-c", source)), 20)

    assert (ended.code, ended.lines[-1], {len(line) < 100_000 for line in ended.lines}) == (0, "end", {True})


async def test_what_a_program_leaves_running_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgllm.plugins.installing.process.REST_SECONDS", 0.1)
    source = "import subprocess, sys; print(subprocess.Popen(['sleep', '600']).pid)"

    ended = await run(Command((sys.executable, "-c", source)), 20)

    os.kill(int(ended.lines[0]), signal.SIGKILL)
    assert (ended.code, ended.is_late) == (0, False)


async def test_what_a_plugin_leaves_running_is_ended(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tgllm.plugins.installing.process.REST_SECONDS", 0.1)
    os.mkfifo(tmp_path / "pipe")
    # The pipe is at its end once the process that has it open has ended.
    pipe = str(tmp_path / "pipe")
    inner = f"exec 3>{pipe}; echo ready >&3; exec sleep 600"
    source = f"import subprocess; subprocess.Popen(['sh', '-c', {inner!r}]); open({pipe!r}).readline()"
    left = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)

    ended = await run(Command((sys.executable, "-c", source)), 20, is_foreign=True)

    assert ended.code == 0
    os.set_blocking(left, True)
    assert await asyncio.to_thread(os.read, left, 1) == b""
    os.close(left)


async def test_an_output_that_can_not_be_shown_leaves_nothing_running(tmp_path: Path) -> None:
    def fail(_line: str) -> None:
        raise BrokenPipeError

    with pytest.raises(BrokenPipeError):
        await run(installer(tmp_path, "Collecting tgllm-weather"), 60, fail)

    assert [path.name for path in tmp_path.iterdir()] == ["pipe"]  # noqa: ASYNC240  nothing else runs
