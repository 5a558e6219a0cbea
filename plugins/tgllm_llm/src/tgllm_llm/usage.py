"""Usage and the reason of an answer's end, as the plugins of llm leave them in a response."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from tgllm.api.types import FinishReason, Usage

__all__ = ["finish_reason", "is_cut", "usage_of"]

_REASONING: Final = frozenset({"reasoningtokens", "thinkingtokens", "thoughtstokencount"})
_CACHED: Final = frozenset({"cachedtokens", "cachedcontenttokencount", "promptcachehittokens"})
_READ: Final = "cachereadinputtokens"
_WRITTEN: Final = "cachecreationinputtokens"
"""Anthropic's words, whose input tokens are those that are in no cache."""
_ENDS: Final = frozenset({"finishreason", "stopreason", "donereason"})
_REASONS: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "endturn": "stop",
    "stopsequence": "stop",
    "complete": "stop",
    "length": "length",
    "maxtokens": "length",
    "maxoutputtokens": "length",
    "modelcontextwindowexceeded": "length",
    "contentfilter": "filtered",
    "safety": "filtered",
    "refusal": "filtered",
    "recitation": "filtered",
    "blocklist": "filtered",
    "prohibitedcontent": "filtered",
    "spii": "filtered",
}
_DEEPEST: Final = 6


def usage_of(usage: Any) -> Usage:  # noqa: ANN401  an llm.Usage
    """Return the tokens that a plugin has counted; of some plugins that is nothing."""
    found: dict[str, int] = {}
    for name, value in _values(usage.details, _DEEPEST):
        if isinstance(value, int) and not isinstance(value, bool):
            found.setdefault(name, value)
    read, written = found.get(_READ, 0), found.get(_WRITTEN, 0)
    cached = next((found[name] for name in _CACHED if name in found), read or None)
    reasoning = next((found[name] for name in _REASONING if name in found), None)
    of_input = None if usage.input is None else usage.input + read + written
    return Usage(of_input, usage.output, reasoning, cached, written or None)


def finish_reason(response_json: object) -> FinishReason | None:
    """Return why an answer has ended, by the service's own response; None if the plugin has kept none."""
    for name, value in _values(response_json, _DEEPEST):
        if name in _ENDS and isinstance(value, str) and value:
            return _REASONS.get(_plain(value), "other")
    return None


def is_cut(response_json: object) -> bool:
    """Return whether a stream in OpenAI's format has ended without the reason of its end, so that something is missing.

    llm's own models of OpenAI, and its plugins that derive from them, don't look.
    """
    if not isinstance(response_json, Mapping):
        return False
    read = cast("Mapping[str, object]", response_json)
    return read.get("object") == "chat.completion.chunk" and finish_reason(read) is None


def _values(found: object, depth: int) -> Iterator[tuple[str, object]]:
    """Yield all values of nested objects by their names, in lower case and without signs between words."""
    if not depth:
        return
    if isinstance(found, Mapping):
        for name, value in cast("Mapping[object, object]", found).items():
            yield _plain(str(name)), value
            yield from _values(value, depth - 1)
    elif isinstance(found, list):
        for value in cast("list[object]", found):
            yield from _values(value, depth - 1)


def _plain(name: str) -> str:
    return name.replace("_", "").replace("-", "").lower()
