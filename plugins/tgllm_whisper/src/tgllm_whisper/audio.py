"""Decoding of recordings by PyAV; imported in the child only."""

from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["RATE", "Broken", "Empty", "NoSound", "Samples", "pieces"]

RATE = 16_000
"""Samples per second that Whisper takes."""
_PIECE_SECONDS = 300
_SEARCHED_SECONDS = 20
"""End of a piece in which the quietest moment is searched, so that no word is cut."""
_QUIET_SECONDS = 0.1

_FORMATS = "aac,ac3,aiff,amr,asf,au,avi,caf,flac,flv,matroska,webm,mov,mp4,m4a,3gp,3g2,mj2,mp3,mpeg,mpegts,ogg,wav,w64"
"""Containers that hold their own sound. Playlists are left out: they name other files and addresses, to be opened."""

Samples = Any
"""Array of 32-bit floats; numpy is imported when it is needed."""


class Broken(Exception):
    """The file can't be decoded."""


class Empty(Exception):
    """The file has no samples."""


class NoSound(Exception):
    """The file has no audio stream, as a silent video."""


def pieces(path: Path, max_seconds: float) -> Iterator[tuple[Samples, bool]]:
    """Yield the sound in pieces of some minutes, each with whether the recording has more than is yielded in all.

    Raises:
        Broken, Empty, NoSound: nothing can be decoded.
    """
    numpy: Any = import_module("numpy")
    pending: list[Samples] = []
    count, left, cut = 0, int(max_seconds * RATE), False
    for block in _decoded(path):
        # None: damaged in the middle. What was decoded is used.
        cut = block is None or len(block) > left
        if block is not None:
            samples = block[:left]
            left -= len(samples)
            pending.append(samples)
            count += len(samples)
        if cut:
            break
        if count >= _PIECE_SECONDS * RATE:
            whole = numpy.concatenate(pending)
            place = _quietest(whole)
            yield _floats(whole[:place]), False
            pending, count = [whole[place:]], len(whole) - place
    if count:
        yield _floats(numpy.concatenate(pending)), cut


def _decoded(path: Path) -> Iterator[Samples | None]:
    """Yield blocks of 16-bit samples; None at the end if the rest is damaged."""
    av: Any = import_module("av")
    errors: Any = import_module("av.error")
    any_samples = False
    try:
        # An open file and a list of formats: nothing but this file is opened, whatever it contains.
        with path.open("rb") as file, av.open(file, options={"format_whitelist": _FORMATS}) as container:
            stream = next(iter(container.streams.audio), None)
            if stream is None:
                raise NoSound
            resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
            for frame in container.decode(stream):
                for resampled in resampler.resample(frame):
                    any_samples = True
                    yield resampled.to_ndarray().reshape(-1)
            for resampled in resampler.resample(None):
                any_samples = True
                yield resampled.to_ndarray().reshape(-1)
    except (errors.FFmpegError, ValueError, IndexError) as error:
        if not any_samples:
            raise Broken(str(error)) from error
        yield None
    if not any_samples:
        raise Empty


def _quietest(samples: Samples) -> int:
    """Return the middle of the quietest moment at the end of the samples."""
    numpy: Any = import_module("numpy")
    window = int(_QUIET_SECONDS * RATE)
    start = len(samples) - len(samples[-_SEARCHED_SECONDS * RATE :]) // window * window
    loudness = numpy.abs(samples[start:].astype(numpy.int32)).reshape(-1, window).sum(axis=1)
    return int(start + int(loudness.argmin()) * window + window // 2)


def _floats(samples: Samples) -> Samples:
    numpy: Any = import_module("numpy")
    return samples.astype(numpy.float32) / 32768.0
