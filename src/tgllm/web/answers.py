"""Answers of the web server and of the webhook."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

from aiohttp import web

__all__ = ["Answer", "response_of", "words_of"]


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer to a request."""

    body: str | bytes
    status: int = HTTPStatus.OK
    content_type: str = "text/plain; charset=utf-8"
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def response_of(answer: Answer, *, is_last: bool = True) -> web.Response:
    """Return the response, after which the connection is closed if it is the last one."""
    body = answer.body.encode() if isinstance(answer.body, str) else answer.body
    own = {
        "Content-Type": answer.content_type,
        "Cache-Control": "no-store",
        "X-Content-Type-Options": "nosniff",
        # Without it, aiohttp sends its version and that of Python.
        "Server": "tgllm",
    }
    response = web.Response(body=body, status=answer.status, headers={**own, **answer.headers})
    if is_last:
        response.force_close()
    return response


def words_of(status: int) -> str:
    """Return the body of a response that says no more than its status."""
    return f"{status} {HTTPStatus(status).phrase}\n"
