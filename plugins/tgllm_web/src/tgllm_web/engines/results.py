"""Results of a search, in the same form for all services."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from tgllm.api.types import Json, JsonObject
from tgllm.providers.json_values import as_object, as_text
from tgllm_web.text import one_line

__all__ = ["Engine", "Fields", "Found", "Query", "TimeRange", "found_in"]

TimeRange = Literal["day", "week", "month", "year"]
_LONGEST_TITLE = 200
_LONGEST_EXCERPT = 600
_LONGEST_URL = 2_000


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for."""

    text: str
    count: int
    """Number of results, at most 20."""
    language: str | None = None
    """Two-letter code."""
    time_range: TimeRange | None = None
    """How old the pages may be."""


@dataclass(frozen=True, slots=True)
class Found:
    """One result, as plain text."""

    url: str
    title: str
    excerpt: str
    date: str = ""


@dataclass(frozen=True, slots=True)
class Fields:
    """Names of the fields of a service's results."""

    url: str
    title: str
    excerpt: str
    date: str = ""


class Engine(Protocol):
    """A service that searches."""

    async def search(self, query: Query) -> Sequence[Found]:
        """Return the best results, the best first; raise ToolFailed with the reason if the service fails."""
        ...

    async def aclose(self) -> None:
        """Release its connections."""
        ...


def found_in(results: Iterable[Json], fields: Fields, count: int) -> Sequence[Found]:
    """Return the first results that have the URL of a page, each page once."""
    found: dict[str, Found] = {}
    for result in results:
        one = _found(as_object(result), fields)
        if len(found) < count and one.url.startswith(("http://", "https://")) and len(one.url) <= _LONGEST_URL:
            found.setdefault(one.url, one)
    return tuple(found.values())


def _found(result: JsonObject, fields: Fields) -> Found:
    return Found(
        # A space would end the URL for the model, and what follows it would be text of the page's choice.
        url=next(iter(as_text(result.get(fields.url)).split()), ""),
        title=one_line(as_text(result.get(fields.title)), _LONGEST_TITLE),
        excerpt=one_line(as_text(result.get(fields.excerpt)), _LONGEST_EXCERPT),
        date=one_line(as_text(result.get(fields.date)), 40) if fields.date else "",
    )
