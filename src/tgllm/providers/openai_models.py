"""Lists of models of services with OpenAI's API, which differ in their fields and contain more than chat models."""

import re
from collections.abc import Mapping

from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_int, as_list, as_object, as_text

__all__ = ["context_window", "entries_of", "is_chat_model"]

_WINDOWS = (
    "context_length",
    "max_model_len",
    "context_window",
    "context_size",
    "max_context_length",
    "meta.n_ctx",
    "metadata.context_length",
    "top_provider.context_length",
)
"""Fields with the number of tokens of a request, in the order in which they are tried."""

_OTHER_TYPES = frozenset(
    {"audio", "embedding", "embeddings", "image", "moderation", "rerank", "reranker", "speech", "transcribe"}
    | {"transcription", "tts", "video"}
)
_OTHER_NAMES = re.compile(
    r"(?:^|[-_./:])(?:text-)?(?:embed|embedding|embeddings|rerank|reranker|tts|whisper|moderation|transcribe|dall-e|image)"
    r"(?:$|[-_./:\d])|stable-diffusion",
    re.IGNORECASE,
)
_CHAT_ENDPOINTS = re.compile(r"chat|messages|responses", re.IGNORECASE)


def entries_of(page: Json) -> list[JsonObject] | None:
    """Return the entries of a list, which is in ``data``, in ``models`` or the whole page; None if there is none."""
    if isinstance(page, Mapping):
        found = next((page[name] for name in ("data", "models") if name in page), "")
        # A service without models may send null.
        return None if found == "" else [as_object(entry) for entry in as_list(found)]
    return [as_object(entry) for entry in as_list(page)] if isinstance(page, list) else None


def context_window(entry: JsonObject) -> int | None:
    """Return the maximum number of tokens of a request, or None."""
    found = (_number(entry, name) for name in _WINDOWS)
    return next((number for number in found if number), None) or _widest(entry)


def is_chat_model(entry: JsonObject) -> bool:
    """Return whether an entry is not known to be something else, such as an embedding model."""
    kind, model = as_text(entry.get("type")).lower(), as_text(entry.get("id"))
    if kind in _OTHER_TYPES or _OTHER_NAMES.search(model):
        return False
    outputs = as_list(as_object(entry.get("architecture")).get("output_modalities")) or as_list(
        entry.get("output_modalities")
    )
    endpoints = [as_text(name) for name in as_list(entry.get("supported_endpoints"))]
    writes = not outputs or "text" in outputs
    return writes and (not endpoints or any(map(_CHAT_ENDPOINTS.search, endpoints)))


def _number(entry: JsonObject, path: str) -> int | None:
    *folders, name = path.split(".")
    for folder in folders:
        entry = as_object(entry.get(folder))
    number = as_int(entry.get(name))
    return number if number and number > 0 else None


def _widest(entry: JsonObject) -> int | None:
    """Return the largest window of the services among which a router chooses (Hugging Face)."""
    numbers = (_number(as_object(one), "context_length") for one in as_list(entry.get("providers")))
    return max((number for number in numbers if number), default=None)
