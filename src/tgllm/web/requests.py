"""Connections of the web server and of the webhook: how their requests are read."""

from http import HTTPStatus

from aiohttp import web

from tgllm.observe.logs import get_logger
from tgllm.web.answers import Answer, response_of, words_of

__all__ = ["Connection"]

log = get_logger(__name__)


class Connection(web.RequestHandler):
    """Connection whose errors say nothing of the program to the client."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002  the signature of the base class
        status: int = HTTPStatus.INTERNAL_SERVER_ERROR,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002  the same
    ) -> web.StreamResponse:
        """Return the answer to a request that can't be read or answered."""
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            log.error("web.failed", status=status, exc_info=exc)
        return response_of(Answer(words_of(status), status))

    def log_exception(self, *_args: object, **_values: object) -> None:
        """Ignore errors of connections, which clients cause; those of the program are logged above."""
