"""The program of the rendering process ends by itself, and loads only what it needs."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tgllm.bot.renderer import worker
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.rendering.render import render

PROGRAM = str(Path(worker.__file__))


def test_a_task_ends_at_its_time_also_if_the_bot_is_gone() -> None:
    code = f"import runpy\nrunpy.run_path({PROGRAM!r})['_alarm'](1)\nwhile True: pass"
    assert subprocess.run([sys.executable, "-c", code], timeout=100, check=False).returncode == -signal.SIGALRM


def test_it_ends_with_its_input() -> None:
    ended = subprocess.run([sys.executable, "-P", PROGRAM], stdin=subprocess.DEVNULL, timeout=100, check=False)
    assert ended.returncode == 0


def test_it_loads_no_aiogram_and_no_plugin() -> None:
    code = (
        f"import runpy, sys\nrunpy.run_path({PROGRAM!r})['_without_aiogram']()\n"
        "import tgllm.bot.renderer.tasks\nimport json\nprint(json.dumps(sorted(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, timeout=100, check=True)
    loaded = set(json.loads(ran.stdout))
    assert "tgllm.bot.rendering.render" in loaded
    assert not loaded & {"aiogram", "aiohttp", "pluggy", "tgllm.plugins", "tgllm.db.database"}


async def test_modules_of_the_current_folder_are_not_loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("json", "signal", "tgllm", "pyromark"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('loaded')")
    monkeypatch.chdir(tmp_path)
    renderer, text = Renderer(60.0), "A **bold** word.\n\n" * 2000
    assert await renderer.render(text) == render(text)
    await renderer.aclose()
