"""Parser of server-sent events (WHATWG HTML, section 9.2: server-sent events).

It also accepts what some gateways send instead: docs/reference/provider-errors.md lists the deviations.
"""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass

from tgllm.api.errors import BadResponse

__all__ = ["NotAStream", "ServerComment", "ServerEvent", "SseParser", "read_events"]

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
# A picture is in one event, and takes a third more than its bytes.
_MAX_EVENT = 64 * 2**20
_MAX_BEGINNING = 4 * 2**10
_FIELDS = frozenset({b"data", b"event", b"id", b"retry", b"error"})
_JSON_STARTS = (b"{", b"[")


class NotAStream(BadResponse):
    """The response contains no event and no JSON, such as a page of HTML, or ends with such a page."""

    def __init__(self, beginning: bytes, *, after_events: bool = False) -> None:
        """Create the error; ``beginning`` is the start of the page, which may come ``after_events``."""
        super().__init__("the service sent no event stream (is base_url right, and does the service stream?)")
        self.beginning = beginning
        """At most 4 KiB."""
        self.after_events = after_events


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event."""

    data: str
    name: str = "message"
    bare: bool = False
    """Whether the data came without ``data:``, such as a JSON document in place of a stream."""


@dataclass(frozen=True, slots=True)
class ServerComment:
    """A comment line, which services send as a keep-alive."""

    text: str = ""


class SseParser:
    """Incremental parser; bytes may be split anywhere, even inside a character or a line end."""

    def __init__(self) -> None:
        """Create a parser of one stream."""
        self._rest: list[bytes] = []
        """The pieces of an incomplete line, joined only once, since a long line may arrive in many small pieces."""
        self._rest_size = 0
        self._after_return = False
        self._first = True
        self._name = ""
        self._data: list[bytes] = []
        self._data_size = 0
        self._bare = False
        """Whether the lines of the current event are JSON without ``data:``."""
        self._is_page = False
        """Whether there was a line that belongs neither to an event nor to JSON."""
        self.page = bytearray()
        """The beginning of a page of HTML, at most 4 KiB."""

    def feed(self, chunk: bytes) -> list[ServerEvent | ServerComment]:
        """Return the events and comments that the bytes complete; ids and unknown fields are ignored.

        Raises:
            BadResponse: an event is larger than 64 MiB.
        """
        if self._after_return and chunk:
            # The second byte of a CR LF whose first byte ended the previous chunk.
            chunk = chunk.removeprefix(b"\n")
            self._after_return = False
        *lines, rest = _LINE_END.split(chunk)
        if lines and not rest:
            self._after_return = chunk.endswith(b"\r")
        if lines:
            lines[0] = b"".join((*self._rest, lines[0]))
            self._rest, self._rest_size = [], 0
        self._rest.append(rest)
        self._rest_size += len(rest)
        found = [event for line in lines if (event := self._take(line))]
        if self._rest_size + self._data_size > _MAX_EVENT:
            raise BadResponse("the service sent an event that is too large")
        return found

    def end(self) -> list[ServerEvent | ServerComment]:
        """Return the last event, if only the blank line after it is missing."""
        last, self._rest = b"".join(self._rest), []
        return [found for line in (last, b"") if (found := self._take(line))]

    def _take(self, line: bytes) -> ServerEvent | ServerComment | None:
        if self._first:
            line, self._first = line.removeprefix(_BOM), False
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        if not field and not self._bare:
            return ServerComment(value.removeprefix(b" ").decode(errors="replace"))
        if field not in _FIELDS:
            return self._take_bare(line)
        self._bare = False
        if field in {b"data", b"error"}:
            self._add(value.removeprefix(b" "))
        if field == b"event":
            self._name = value.removeprefix(b" ").decode(errors="replace")
        elif field == b"error":
            # Versions of llama.cpp send an error as a field of its own.
            self._name = "error"
        return None

    def _take_bare(self, line: bytes) -> ServerEvent | None:
        """Take a line that is no field; the specification ignores it, and gateways send JSON in such lines."""
        text = line.strip()
        if not text:
            return None
        if self._bare or self._continues(text):
            self._add(line)
        elif self._data or self._is_page or not text.startswith(_JSON_STARTS):
            self._is_page = True
            if (self.page or text.startswith(b"<")) and len(self.page) < _MAX_BEGINNING:
                self.page += text[:_MAX_BEGINNING] + b"\n"
        else:
            self._bare = True
            self._add(line)
            # A document in one line is an event of its own, so that JSON lines are not held back.
            return self._dispatch() if text[:1] + text[-1:] in {b"{}", b"[]"} else None
        return None

    def _continues(self, text: bytes) -> bool:
        """Return whether a line continues JSON of which only the first line has ``data:``."""
        if not self._data or not self._data[0].startswith(_JSON_STARTS):
            return False
        return self._data[-1].rstrip().endswith((*_JSON_STARTS, b",")) or text.startswith((b"}", b"]"))

    def _add(self, data: bytes) -> None:
        self._data.append(data)
        self._data_size += len(data)

    def _dispatch(self) -> ServerEvent | None:
        name, data, bare = self._name or "message", b"\n".join(self._data), self._bare
        found = bool(self._data)
        self._name, self._data, self._data_size, self._bare = "", [], 0, False
        self._is_page = self._is_page and not found
        return ServerEvent(data.decode(errors="replace"), name, bare) if found else None


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[ServerEvent | ServerComment, None]:
    """Yield the events and comments in a stream of bytes; the caller closes ``chunks``.

    JSON without ``data:``, such as a whole answer in place of a stream, is yielded as an event too.

    Raises:
        NotAStream: the response contains no event, such as a page of HTML, or ends with such a page.
        BadResponse: an event is larger than 64 MiB.
    """
    parser, is_stream, beginning = SseParser(), False, bytearray()
    async for chunk in chunks:
        if not is_stream and len(beginning) < _MAX_BEGINNING:
            beginning += chunk[:_MAX_BEGINNING]
        for event in parser.feed(chunk):
            is_stream = True
            yield event
    for event in parser.end():
        is_stream = True
        yield event
    if not is_stream and beginning.strip():
        raise NotAStream(bytes(beginning[:_MAX_BEGINNING]))
    if is_stream and parser.page:
        raise NotAStream(bytes(parser.page[:_MAX_BEGINNING]), after_events=True)
