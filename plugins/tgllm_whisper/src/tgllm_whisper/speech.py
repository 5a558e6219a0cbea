"""Transcription of one recording by a loaded model; runs in the child."""

from pathlib import Path
from typing import Any

from tgllm.api.clock import Clock
from tgllm_whisper import audio

__all__ = ["transcribe"]

_UNSURE = 0.5
"""Probability of a detected language below which the hint is used."""
_TEMPERATURES = (0.0, 0.4)
"""Fewer fallbacks than usual: a noisy recording would be decoded six times."""


def transcribe(model: Any, job: dict[str, Any], clock: Clock) -> dict[str, Any]:  # noqa: ANN401  it has no types here
    """Return the answer to a job: the text, its language and whether it was cut.

    Raises:
        audio.Broken, audio.Empty, audio.NoSound: there is nothing to transcribe.
    """
    deadline = clock.monotonic() + job["work_seconds"]
    language = _known(model, job["language"])
    spoken: list[str] = []
    truncated = False
    for samples, cut in audio.pieces(Path(job["path"]), job["max_seconds"]):
        truncated = cut
        segments, found = _segments(model, samples, language, job)
        for segment in segments:
            if text := segment.text.strip():
                spoken.append(text)
                language = found
            if clock.monotonic() > deadline:
                return _answer(spoken, language, truncated=True)
    return _answer(spoken, language, truncated=truncated)


def _segments(model: Any, samples: audio.Samples, language: str | None, job: dict[str, Any]) -> tuple[Any, str]:  # noqa: ANN401  the library has no types here
    """Return the segments, which are made while they are read, and their language."""
    options = {
        "beam_size": job["beam_size"],
        # Otherwise silence becomes words that were never said, and a mistake is repeated to the end.
        "vad_filter": True,
        "condition_on_previous_text": False,
        "temperature": list(_TEMPERATURES),
        # Samples of a fallback: more of them double the time of noisy recordings.
        "best_of": 1,
    }
    segments, info = model.transcribe(samples, language=language, **options)
    hint = _known(model, job["hint"])
    if language is None and hint and hint != info.language and info.language_probability < _UNSURE:
        segments, info = model.transcribe(samples, language=hint, **options)
    return segments, info.language


def _known(model: Any, language: str | None) -> str | None:  # noqa: ANN401  the library has no types here
    return language if language in model.supported_languages else None


def _answer(spoken: list[str], language: str | None, *, truncated: bool) -> dict[str, Any]:
    return {"text": " ".join(spoken), "language": language if spoken else None, "truncated": truncated}
