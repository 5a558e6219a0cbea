"""The child as the listener starts it, with a module that stands in for faster-whisper; recordings are real."""

import json
import math
import struct
import wave
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tgllm.api import Recording
from tgllm.testing.clock import ManualClock
from tgllm_whisper.listener import Listener
from tgllm_whisper.settings import Settings

STUB = '''
"""Says what the file beside the model says, and notes what it was asked."""

import json
import os
from pathlib import Path
from types import SimpleNamespace

SCRIPT = Path(os.environ["PYTHON_WHISPER_SCRIPT"])


def script():
    return json.loads(SCRIPT.read_text())


def note(**values):
    with SCRIPT.with_suffix(".seen").open("a") as file:
        file.write(json.dumps(values) + "\\n")


def download_model(name, cache_dir=None, local_files_only=False):
    note(download=name, local_files_only=local_files_only, offline=os.environ.get("HF_HUB_OFFLINE"))
    if name == "unknown":
        raise ValueError("Invalid model size 'unknown', expected one of: tiny, base")
    folder = Path(cache_dir) / name
    if not local_files_only:
        exec(script().get("download", ""), {"folder": folder})
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "model.bin").write_bytes(b"x" * 1000)
    elif not folder.is_dir():
        raise FileNotFoundError("Cannot find an appropriate cached snapshot folder")
    return str(folder)


class WhisperModel:
    supported_languages = ["en", "de", "ru"]

    def __init__(self, folder, **options):
        note(folder=folder, variables=sorted(os.environ), **options)
        exec(script().get("load", ""), {"folder": folder})

    def transcribe(self, samples, language=None, **options):
        said = script()
        note(samples=len(samples), loudest=float(abs(samples).max()), language=language, **options)
        exec(said.get("transcribe", ""))
        info = SimpleNamespace(language=language or said.get("language", "en"),
                               language_probability=said.get("sure", 1.0))

        def segments():
            for text in said.get("says", []):
                exec(said.get("segment", ""))
                yield SimpleNamespace(text=text, start=0.0, end=1.0)

        return segments(), info
'''


@dataclass
class Stub:
    """What stands in for faster-whisper."""

    script: Path

    def does(self, **what: object) -> None:
        """Set what it says, and code that it runs at certain points."""
        self.script.write_text(json.dumps(what))

    @property
    def seen(self) -> list[dict[str, Any]]:
        path = self.script.with_suffix(".seen")
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    @property
    def asked(self) -> list[dict[str, Any]]:
        return [seen for seen in self.seen if "samples" in seen]

    @property
    def loads(self) -> int:
        return sum("compute_type" in seen for seen in self.seen)


@dataclass
class Lines:
    """Keeps what is logged."""

    lines: list[tuple[str, dict[str, object]]] = field(default_factory=list[tuple[str, dict[str, object]]])

    def _keep(self, event: str, **values: object) -> None:
        self.lines.append((event, values))

    debug = info = warning = error = _keep

    @property
    def events(self) -> list[str]:
        return [event for event, _ in self.lines]


@pytest.fixture
def stub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Stub:
    site, script = tmp_path / "site", tmp_path / "script.json"
    site.mkdir()
    (site / "faster_whisper.py").write_text(STUB)
    monkeypatch.setenv("PYTHONPATH", str(site))
    monkeypatch.setenv("PYTHON_WHISPER_SCRIPT", str(script))
    stub = Stub(script)
    stub.does(says=["Buy milk."])
    return stub


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "model.bin").write_bytes(b"x" * 1000)
    return folder


@pytest.fixture
def log() -> Lines:
    return Lines()


Listen = Callable[..., Listener]


@pytest.fixture
async def listen(stub: Stub, model: Path, tmp_path: Path, clock: ManualClock, log: Lines) -> AsyncIterator[Listen]:
    """Make a listener; it is closed again."""
    async with AsyncExitStack() as stack:

        def make(free: int | None = None, **settings: object) -> Listener:
            made = Settings.model_validate({"model": str(model), **settings})
            listener = Listener(made, tmp_path / "data", clock, log, free=lambda: free)
            stack.push_async_callback(listener.aclose)
            return listener

        yield make


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def sound(tmp_path: Path) -> Callable[..., Recording]:
    """A recording of a tone."""

    def make(seconds: float = 1.0, name: str = "a.wav", language: str | None = None, rate: int = 8000) -> Recording:
        path = tmp_path / name
        with wave.open(str(path), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            tone = [int(12000 * math.sin(place / 5)) for place in range(rate)]
            second = struct.pack(f"<{rate}h", *tone)
            for _ in range(int(seconds)):
                file.writeframes(second)
        return Recording(path, "audio/wav", path.stat().st_size, seconds, language)

    return make
