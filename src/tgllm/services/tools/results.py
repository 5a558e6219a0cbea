"""Results of calls: cleaned, truncated, and marked as data for the model."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, cast

from tgllm.api import JsonObject, Source, ToolOutput, ToolResultPart
from tgllm.db.tables.tools.calls import Ended, StoredCall
from tgllm.i18n import Catalogue
from tgllm.services.common.text import mend_surrogates

__all__ = ["cut", "ended_by", "files_of", "result_part", "sources_of"]

MOST_SOURCES: Final = 20
"""Most sources of one call."""
_MOST_CLEANED: Final = 1_000_000
"""Most characters of a result that are cleaned, unless the model may read more."""
_LONGEST_URL: Final = 2_000
_LONGEST_TITLE: Final = 200
_UNPRINTABLE: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""Control characters other than tab and line breaks."""


def cut(text: str, most: int, texts: Catalogue) -> str:
    """Return a text as a model may read it: without control characters, and truncated to ``most`` characters."""
    # Bounded before it is cleaned, which would hold the bot up for seconds if a tool returns 100 MB.
    kept = text[: max(most, _MOST_CLEANED)]
    clean = mend_surrogates(_UNPRINTABLE.sub("", kept))
    total = len(clean) + len(text) - len(kept)
    if total <= most:
        return clean
    shown = clean[:most]
    return shown + "\n" + texts("prompt.tool_cut", shown=len(shown), total=total)


def ended_by(output: ToolOutput, most: int, texts: Catalogue, files: Sequence[JsonObject] = ()) -> Ended:
    """Return what is stored of an output; ``files`` are its files as they are kept."""
    extras: dict[str, Any] = {}
    sources = _sources(output.sources)
    if sources:
        extras["sources"] = sources
    if files:
        extras["files"] = list(files)
    state = "failed" if output.is_error else "done"
    return Ended(state=state, result=cut(output.text, most, texts), extras=extras)


def _sources(sources: object) -> list[JsonObject]:
    """Return the sources that can be shown; a plugin may give values of any type."""
    found: list[JsonObject] = []
    for source in cast("Sequence[object]", sources) if isinstance(sources, list | tuple) else ():
        if not isinstance(source, Source) or not isinstance(cast("object", source.url), str):
            continue
        if not source.url.startswith(("https://", "http://")) or len(source.url) > _LONGEST_URL:
            continue
        title = source.title if isinstance(cast("object", source.title), str) else ""
        found.append({"url": mend_surrogates(source.url), "title": mend_surrogates(title)[:_LONGEST_TITLE]})
    return found[:MOST_SOURCES]


def sources_of(calls: Iterable[StoredCall]) -> tuple[Source, ...]:
    """Return the sources of calls, without repetitions, in order."""
    found: dict[str, Source] = {}
    for call in calls:
        for source in _listed(call, "sources"):
            found.setdefault(str(source.get("url")), Source(str(source.get("url")), str(source.get("title", ""))))
    return tuple(found.values())


def files_of(calls: Iterable[StoredCall]) -> Sequence[Mapping[str, Any]]:
    """Return the kept files of calls, in order."""
    return [file for call in calls for file in _listed(call, "files")]


def _listed(call: StoredCall, name: str) -> Sequence[Mapping[str, Any]]:
    found = call.extras.get(name)
    return cast("Sequence[Mapping[str, Any]]", found) if isinstance(found, list) else ()


def result_part(call: StoredCall, part_id: str, texts: Catalogue) -> ToolResultPart:
    """Return the result of a call for a request.

    What a tool has returned stands between two lines that it can't contain, with a note that it is data.
    """
    text = call.result or ""
    if call.state in {"done", "failed"} and text:
        mark = hashlib.sha256(f"{call.turn_id}:{call.round}:{call.place}:{text}".encode()).hexdigest()[:12]
        text = f"{texts('prompt.tool_data', name=call.tool)}\n<data {mark}>\n{text}\n</data {mark}>"
    return ToolResultPart(part_id, call.tool, text, is_error=call.state != "done")
