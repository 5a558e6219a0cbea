"""Connections of the web server and of the webhook: how much of what a client sends is parsed."""

import asyncio
from http import HTTPStatus
from typing import Final, Literal

from aiohttp import web

from tgllm.observe.logs import get_logger
from tgllm.web.answers import Answer, response_of, words_of

__all__ = ["Connection"]

log = get_logger(__name__)

MOST_HEAD: Final = 32 * 1024
"""Maximum size of the head of a request, in bytes."""
_END: Final = b"\r\n\r\n"

_Part = Literal["head", "waiting", "accepted", "refused"]
"""What arrives: a head; what waits until its request is judged; what is parsed; what is thrown away."""


class Connection(web.RequestHandler):
    """Connection that parses the head of a request, and more only if the request is accepted.

    Parsing costs much more than sending, above all for a body in chunks of one byte. What follows a refused head is
    thrown away as it is.
    """

    __slots__ = ("_before", "_head_size", "_part", "_waiting")

    _part: _Part
    _head_size: int
    _before: bytes
    _waiting: list[bytes]

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Expect a head."""
        self._part, self._head_size, self._before, self._waiting = "head", 0, b"", []
        super().connection_made(transport)

    def accept(self) -> None:
        """Parse what follows the head, and all further requests on this connection."""
        if self._part != "waiting":
            return
        self._part, waiting = "accepted", self._waiting
        self._waiting = []
        # Parsing pauses the transport again if that is much.
        self._resume()
        for data in waiting:
            super().data_received(data)

    def refuse(self) -> None:
        """Throw away what follows the head."""
        if self._part == "waiting":
            self._part, self._waiting = "refused", []
            self._resume()

    def data_received(self, data: bytes) -> None:
        """Parse data, keep it or throw it away."""
        if self._part == "accepted" or not data:
            super().data_received(data)
        elif self._part == "head":
            self._read_head(data)
        elif self._part == "waiting":
            self._waiting.append(data)

    def _read_head(self, data: bytes) -> None:
        before = self._before
        found = (before + data).find(_END)
        size = len(data) if found < 0 else found + len(_END) - len(before)
        size = min(size, MOST_HEAD - self._head_size)
        head, rest = data[:size], data[size:]
        self._head_size += size
        self._before = (before + head)[1 - len(_END) :]
        if found >= 0 or rest:
            self._part = "waiting"
            self._waiting = [rest] if rest else []
            if self.transport is not None and not self.transport.is_closing():
                self.transport.pause_reading()
        super().data_received(head)

    def _resume(self) -> None:
        if self.transport is not None and not self.transport.is_closing():
            self.transport.resume_reading()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  the signature of the base class
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  the signature of the base class
    ) -> web.StreamResponse:
        """Return the answer to a request that can't be read or answered."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("web.failed", status=status, exc_info=exc)
        elif exc is not None:
            # Its frames hold the data, and the error itself: memory that only the garbage collector would free.
            exc.__traceback__ = None
        return response_of(Answer(words_of(status), status))

    def log_exception(self, *_args: object, **_values: object) -> None:
        """Ignore errors of connections, which clients cause; those of the program are logged above."""
