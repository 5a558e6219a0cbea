"""Errors of models on this machine."""

import re
from collections.abc import Iterable
from signal import Signals

from tgllm.api.errors import ModelNotFound, NotConfigured, ProviderError, Unavailable

__all__ = ["bad_file", "crashed", "killed", "no_llama", "no_memory", "no_models", "not_loaded"]

_MEGABYTE = 2**20
_MAX_REASON = 200
_REASON = re.compile(r"error loading model: (?P<reason>[^\n]+)")
_NO_MEMORY = re.compile(r"failed to allocate|unable to allocate|bad_alloc|out of memory", re.IGNORECASE)


def no_llama() -> NotConfigured:
    """Return the error for a missing xllamacpp."""
    return NotConfigured(
        "xllamacpp, which runs the models, is not installed: pip install xllamacpp (it has wheels for Linux with glibc "
        "and for macOS on x86-64 and ARM, and for Windows on x86-64)",
        code="local.no_llama",
    )


def no_models(place: object) -> NotConfigured:
    """Return the error for a place without models."""
    return NotConfigured(
        f"There is no model: put a GGUF file into {place}, or set TGLLM_PLUGINS__LOCAL__MODELS to a file or folder",
        code="local.no_models",
    )


def bad_file(model: str, reason: str) -> ModelNotFound:
    """Return the error for a file that is no usable GGUF file."""
    return ModelNotFound(
        f"the file of {model} can't be used: {reason}", code="local.bad_file", model=model, reason=reason
    )


def no_memory(model: str, need: int, free: int) -> ProviderError:
    """Return the error for a model that needs more bytes than are free; it is not retried."""
    need, free = need // _MEGABYTE, free // _MEGABYTE
    return ProviderError(
        f"{model} needs about {need} MB of memory, and {free} MB are free: choose a smaller model, or lower "
        "context_tokens or parallel",
        code="local.no_memory",
        model=model,
        need=need,
        free=free,
    )


def killed(model: str) -> ProviderError:
    """Return the error for a child that the OOM killer has ended; it is not retried."""
    return ProviderError(
        f"the process of {model} was killed, as happens when memory runs out: choose a smaller model, or lower "
        "context_tokens or parallel",
        code="local.killed",
        model=model,
    )


def crashed(model: str, returncode: int) -> Unavailable:
    """Return the error for a child that has ended in another way."""
    how = f"by {_signal(-returncode)}" if returncode < 0 else f"with exit code {returncode}"
    return Unavailable(f"the process of {model} ended {how}")


def not_loaded(model: str, answered: str, log: Iterable[str]) -> ProviderError:
    """Return the error for a load that failed, by llama.cpp's log."""
    said = "\n".join(log)
    found = [match["reason"] for match in _REASON.finditer(said)]
    if _NO_MEMORY.search(said) or _NO_MEMORY.search(answered):
        return killed(model)
    if found:
        # The reason begins with the name of a function, and may contain a path.
        return bad_file(model, found[-1].rpartition("llama_model_loader: ")[2][:_MAX_REASON])
    reason = answered[:_MAX_REASON]
    return ProviderError(f"{model} could not be loaded: {reason}", code="local.not_loaded", model=model, reason=reason)


def _signal(number: int) -> str:
    try:
        return Signals(number).name
    except ValueError:
        return f"signal {number}"
