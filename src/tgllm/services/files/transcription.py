"""Transcripts of recordings, by the transcribers of plugins."""

import re
from dataclasses import replace

from tgllm.api import FileUnreadable, Recording, TgllmError, Transcript
from tgllm.observe.installation import install_command
from tgllm.plugins.calls.outcome import Breach, Outcome, Raised, TimedOut, contract_error, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.checks.values import called, check_value
from tgllm.plugins.host import PluginHost
from tgllm.plugins.owned import OwnedTranscriber
from tgllm.services.common.text import mend_surrogates
from tgllm.services.files.handlers import lowered

__all__ = ["Transcription", "install_transcriber", "is_recording", "no_transcriber"]

GRACE_SECONDS = 2.0
"""Timeout for the clean-up of a cancelled transcription."""
_LANGUAGE = re.compile(r"[a-z]{2,3}")


def install_transcriber() -> str:
    """Return the command that installs a transcriber."""
    return install_command("tgllm-whisper")


def is_recording(mime: str) -> bool:
    """Return whether a file of this type may contain speech."""
    return mime.partition("/")[0] in {"audio", "video"}


def no_transcriber(name: str) -> FileUnreadable:
    """Return the error for a recording that no plugin can transcribe."""
    return FileUnreadable(
        f"no installed plugin transcribes recordings: {install_transcriber()}",
        code="file_no_transcriber",
        name=name,
        command=install_transcriber(),
    )


class Transcription:
    """Caller of the transcribers of plugins; a plugin that violates the contract is quarantined."""

    def __init__(self, host: PluginHost, seconds: float, max_chars: int) -> None:
        """Set the time limit of one recording, and the length at which its text is cut."""
        self._host = host
        self._seconds = seconds
        self._max_chars = max_chars
        self._runner = HookRunner(seconds, GRACE_SECONDS)

    def choose(self, mime: str) -> OwnedTranscriber | None:
        """Return the first transcriber that takes this type; None if there is none."""
        takers = {mime, f"{mime.partition('/')[0]}/*", "*/*"}
        transcribers = self._host.transcribers
        return next((owned for owned in transcribers if takers & lowered(owned.transcriber.mime_types)), None)

    async def transcribe(self, recording: Recording, name: str) -> Transcript:
        """Return the text of a recording; it is empty if there is no speech.

        If a plugin violates the contract, the next transcriber for the type is used.

        Args:
            recording: the recording.
            name: its name in error messages.

        Raises:
            FileUnreadable: there is no transcriber for it, it can't be read, or it took too long.
            ProviderError: the service of a transcriber failed.
        """
        while (owned := self.choose(recording.mime_type)) is not None:
            outcome = await self._runner.call(owned.transcriber.transcribe, recording)
            if isinstance(outcome, Raised) and (error := contract_error(outcome.error)):
                raise _named(error, name)
            if isinstance(outcome, TimedOut):
                raise self._too_slow(name)
            try:
                return self._checked(owned, outcome)
            except Breach as breach:
                self._host.quarantine(owned.plugin_id, str(breach), breach)
                failed = FileUnreadable(str(breach), code="file_crashed", name=name)
                if self.choose(recording.mime_type) is None:
                    raise failed from breach
        raise no_transcriber(name)

    async def aclose(self) -> None:
        """Cancel again the transcriptions that ignored their cancellation."""
        await self._runner.aclose()

    def _too_slow(self, name: str) -> FileUnreadable:
        message = f"transcribing took more than {self._seconds:g} s (files.transcribe_timeout)"
        return FileUnreadable(message, code="file_slow", name=name, seconds=self._seconds)

    def _checked(self, owned: OwnedTranscriber, outcome: Outcome[object]) -> Transcript:
        """Return the transcript, cut to the maximum length.

        Raises:
            Breach: the call failed, or its result is no transcript.
        """
        what = f"transcribe of transcriber {owned.transcriber.id}"
        made = check_value(what, value_of(outcome, what), Transcript)
        if not isinstance(made.text, str):  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
            raise Breach(f"{what} returned a transcript whose text is {called(made.text)} instead of a text")
        text = mend_surrogates(made.text).strip()
        language = made.language if isinstance(made.language, str) and _LANGUAGE.fullmatch(made.language) else None
        truncated = bool(made.truncated) or len(text) > self._max_chars
        return replace(made, text=text[: self._max_chars], language=language, truncated=truncated)


def _named(error: TgllmError, name: str) -> TgllmError:
    """Return the error with the name of the file, which the texts of ``FileUnreadable`` contain."""
    if not isinstance(error, FileUnreadable) or error.params.get("name"):
        return error
    params = {**error.params, "name": name}
    named = FileUnreadable(str(error), code=error.code, **params)
    named.__cause__ = error
    return named
