"""Errors of transcription."""

from signal import Signals

from tgllm.api.errors import FileUnreadable, NotConfigured, ProviderError, TgllmError, Unavailable

__all__ = [
    "bad_model",
    "crashed",
    "downloading",
    "failed",
    "killed",
    "no_memory",
    "no_whisper",
    "not_downloaded",
    "not_loaded_in_time",
    "unreadable",
]

_MEGABYTE = 2**20
_MAX_REASON = 200
_SETTING = "TGLLM_PLUGINS__WHISPER__MODEL"


def no_whisper() -> NotConfigured:
    """Return the error for a missing faster-whisper."""
    return NotConfigured("faster-whisper is not installed: pip install faster-whisper", code="whisper.no_whisper")


def bad_model(model: str, reason: str) -> ProviderError:
    """Return the error for a model that can't be loaded."""
    reason = _short(reason)
    message = f"the speech model {model} can't be loaded: {reason}; set {_SETTING} to a name or folder"
    return ProviderError(message, code="whisper.bad_model", model=model, reason=reason)


def not_downloaded(model: str, reason: str) -> ProviderError:
    """Return the error for a download that failed; the next recording tries again."""
    message = (
        f"the speech model {model} could not be downloaded: {_short(reason)}; check the network, or set {_SETTING} to "
        "a folder with the model"
    )
    return Unavailable(message, code="whisper.not_downloaded", model=model)


def downloading(model: str, megabytes: int) -> Unavailable:
    """Return the error for a recording that would wait long for the download."""
    message = f"the speech model {model} is being downloaded, {megabytes} MB so far"
    return Unavailable(message, code="whisper.downloading", model=model, megabytes=megabytes)


def not_loaded_in_time(model: str, seconds: float, setting: str) -> Unavailable:
    """Return the error for a load or download that took too long."""
    message = f"the speech model {model} was not ready within {seconds:g} s ({setting})"
    return Unavailable(message, code="whisper.not_ready", model=model)


def no_memory(model: str, need: int, free: int) -> ProviderError:
    """Return the error for a model that needs more bytes than are free."""
    need, free = need // _MEGABYTE, free // _MEGABYTE
    message = f"{model} needs about {need} MB of memory, and {free} MB are free: choose a smaller model"
    return ProviderError(message, code="whisper.no_memory", model=model, need=need, free=free)


def killed(model: str) -> ProviderError:
    """Return the error for a child that was killed, which the OOM killer does."""
    message = f"the process of {model} was killed, as happens when memory runs out: choose a smaller model"
    return ProviderError(message, code="whisper.killed", model=model)


def crashed(model: str, returncode: int) -> Unavailable:
    """Return the error for a child that ended in another way."""
    how = f"by {_signal(-returncode)}" if returncode < 0 else f"with exit code {returncode}"
    return Unavailable(f"the process of {model} ended {how}", code="whisper.crashed", model=model)


def failed(model: str, reason: str) -> Unavailable:
    """Return the error for a transcription that raised an unexpected exception."""
    return Unavailable(f"{model} failed: {_short(reason)}", code="whisper.crashed", model=model)


def unreadable(kind: str) -> TgllmError:
    """Return the error for a recording that can't be decoded; the bot adds its name."""
    if kind == "empty":
        return FileUnreadable("the recording is empty", code="file_empty")
    if kind == "no_sound":
        return FileUnreadable("the file has no sound", code="whisper.no_sound")
    return FileUnreadable("the recording can't be decoded", code="file_broken")


def _short(reason: str) -> str:
    return " ".join(reason.split())[:_MAX_REASON]


def _signal(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
