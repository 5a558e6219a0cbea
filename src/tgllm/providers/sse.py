"""Parser of server-sent events (WHATWG HTML, section 9.2: server-sent events)."""

import re
from collections.abc import AsyncGenerator, AsyncIterable
from dataclasses import dataclass

from tgllm.api.errors import BadResponse

__all__ = ["ServerComment", "ServerEvent", "SseParser", "read_events"]

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"
_MAX_EVENT = 16 * 2**20


@dataclass(frozen=True, slots=True)
class ServerEvent:
    """An event."""

    data: str
    name: str = "message"


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

    def feed(self, chunk: bytes) -> list[ServerEvent | ServerComment]:
        """Return the events and comments that the bytes complete; ids and unknown fields are ignored.

        Raises:
            BadResponse: an event is larger than 16 MiB.
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
        value = value.removeprefix(b" ")
        if not field:
            return ServerComment(value.decode(errors="replace"))
        if field == b"data":
            self._data.append(value)
            self._data_size += len(value)
        elif field == b"event":
            self._name = value.decode(errors="replace")
        return None

    def _dispatch(self) -> ServerEvent | None:
        name, data = self._name or "message", b"\n".join(self._data)
        found = bool(self._data)
        self._name, self._data, self._data_size = "", [], 0
        return ServerEvent(data.decode(errors="replace"), name) if found else None


async def read_events(chunks: AsyncIterable[bytes]) -> AsyncGenerator[ServerEvent | ServerComment, None]:
    """Yield the events and comments in a stream of bytes; the caller closes ``chunks``.

    Raises:
        BadResponse: an event is larger than 16 MiB, or the response contains no event, such as a page of HTML.
    """
    parser, is_stream, is_empty = SseParser(), False, True
    async for chunk in chunks:
        is_empty = is_empty and not chunk.strip()
        for event in parser.feed(chunk):
            is_stream = True
            yield event
    for event in parser.end():
        is_stream = True
        yield event
    if not (is_stream or is_empty):
        raise BadResponse("the service sent no event stream (is base_url right, and does the service stream?)")
