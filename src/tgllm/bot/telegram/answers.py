"""Lenient reading of Bot API responses: only what the bot needs has to be there, and be right.

A proxy or another Bot API server may leave out fields, add some, or use values that aiogram does not know.
"""

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final, cast

from aiogram.exceptions import (
    ClientDecodeError,
    RestartingTelegram,
    TelegramAPIError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramEntityTooLarge,
    TelegramForbiddenError,
    TelegramMigrateToChat,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.methods.base import TelegramMethod
from aiogram.types import File, User

from tgllm.providers.error_body import is_page, page_words

__all__ = [
    "UnreadableAnswer",
    "lenient_result",
    "number_of",
    "raise_failure",
    "read_object",
    "redirect_words",
    "wrong_field",
]

_MOST_WORDS: Final = 120
_BY_STATUS: Final[Mapping[int, type[TelegramAPIError]]] = {
    400: TelegramBadRequest,
    401: TelegramUnauthorizedError,
    403: TelegramForbiddenError,
    404: TelegramNotFound,
    409: TelegramConflictError,
    413: TelegramEntityTooLarge,
}
_PLAIN_TO_TLS: Final = (b"plain HTTP request was sent to HTTPS port", b"HTTP request to an HTTPS server", b"TLS")


class UnreadableAnswer(ClientDecodeError):
    """A response that is not one of the Bot API, or lacks a field that the bot needs."""

    def __init__(self, detail: str, advice: str = "", status: int = 0, *, is_page: bool = False) -> None:
        """Create the error; the texts contain nothing secret, and ``is_page`` says that the answer is a web page."""
        super().__init__(detail, ValueError(detail), None)
        self.detail = detail
        self.advice = advice
        self.status = status
        self.is_page = is_page

    def __str__(self) -> str:
        return self.detail


def read_object(method: str, status: int, body: bytes) -> Mapping[str, Any]:
    """Return the JSON object of a response.

    Raises:
        UnreadableAnswer: the response is something else, such as a page of a gateway.
    """
    try:
        value = json.loads(body.decode("utf-8-sig", "replace"))
    except (ValueError, RecursionError):
        raise _no_json(status, body) from None
    if not isinstance(value, dict):
        raise UnreadableAnswer(
            f"the answer to {method} is no JSON object (HTTP {status})", "check whether {setting} is a Bot API server"
        )
    return cast("dict[str, Any]", value)


def _no_json(status: int, body: bytes) -> UnreadableAnswer:
    if status == HTTPStatus.BAD_REQUEST and any(words in body for words in _PLAIN_TO_TLS):
        return UnreadableAnswer("the server expects TLS", "write https:// in place of http:// in {setting}", status)
    said = page_words(body)[:_MOST_WORDS]
    quoted = f" ({said})" if said else ""
    if is_page(body):
        advice = "a sign-in page of the network, a gateway or a proxy may answer in its place; check {setting}"
        return UnreadableAnswer(f"HTTP {status} with a web page{quoted} in place of JSON", advice, status, is_page=True)
    what = f"with a text{quoted}" if said else "with an empty answer" if not body.strip() else "with broken JSON"
    advice = "check whether {setting} is a Bot API server"
    return UnreadableAnswer(f"HTTP {status} {what} in place of JSON", advice, status)


def redirect_words(location: str) -> str:
    """Return scheme and host of a redirect; its path may contain the token."""
    scheme, _, rest = location.partition("://")
    host = rest.partition("/")[0].rpartition("@")[2]
    return f"{scheme}://{host}" if rest else "another path"


def raise_failure(method: TelegramMethod[Any], status: int, answer: Mapping[str, Any]) -> None:
    """Raise the error of a response that is not a success, of any form.

    Raises:
        TelegramAPIError: as aiogram would, also without a description.
        UnreadableAnswer: the response is none of the Bot API.
    """
    if "ok" not in answer and status < HTTPStatus.INTERNAL_SERVER_ERROR:
        raise UnreadableAnswer(
            f"the answer to {method.__api_method__} has no field ok (HTTP {status})",
            "check whether {setting} is a Bot API server",
            status,
        )
    code = number_of(answer.get("error_code"))
    if status < HTTPStatus.BAD_REQUEST and code is not None:
        status = code
    if status < HTTPStatus.BAD_REQUEST and not isinstance(answer.get("ok"), bool):
        raise wrong_field(method.__api_method__, "ok", answer.get("ok"))
    said = answer.get("description")
    message = said if isinstance(said, str) else f"HTTP {status}"
    parameters: object = answer.get("parameters")
    known = cast("dict[str, Any]", parameters) if isinstance(parameters, dict) else {}
    if wait := number_of(known.get("retry_after")):
        raise TelegramRetryAfter(method=method, message=message, retry_after=wait)
    if moved_to := number_of(known.get("migrate_to_chat_id")):
        raise TelegramMigrateToChat(method=method, message=message, migrate_to_chat_id=moved_to)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        raise TelegramRetryAfter(method=method, message=message, retry_after=1)
    if kind := _BY_STATUS.get(status):
        raise kind(method=method, message=message)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        raise (RestartingTelegram if "restart" in message else TelegramServerError)(method=method, message=message)
    raise TelegramAPIError(method=method, message=message)


def lenient_result(method: TelegramMethod[Any], result: object) -> object:
    """Return the result of a call that aiogram refuses: the bot's account or a file with what is needed, or as it is.

    Raises:
        UnreadableAnswer: a field that is needed is missing or wrong.
    """
    returning: object = method.__returning__
    if returning is User:
        return _user(_fields(method, result))
    if returning is File:
        return _file(_fields(method, result))
    return result


def _fields(method: TelegramMethod[Any], result: object) -> dict[str, Any]:
    if not isinstance(result, dict):
        raise wrong_field(method.__api_method__, "result", result)
    return cast("dict[str, Any]", result)


def _user(fields: Mapping[str, Any]) -> User:
    """Return the bot's own account, of which the id is needed."""
    user_id = number_of(fields.get("id"))
    if user_id is None:
        raise wrong_field("getMe", "result.id", fields.get("id"))
    return User.model_construct(
        id=user_id,
        is_bot=True,
        first_name=_text(fields.get("first_name")) or "",
        username=_text(fields.get("username")),
        can_read_all_group_messages=fields.get("can_read_all_group_messages") is True,
    )


def _file(fields: Mapping[str, Any]) -> File:
    path = _text(fields.get("file_path"))
    if path is None:
        raise wrong_field("getFile", "result.file_path", fields.get("file_path"))
    return File.model_construct(
        file_id=_text(fields.get("file_id")) or "",
        file_unique_id=_text(fields.get("file_unique_id")) or "",
        file_size=number_of(fields.get("file_size")),
        file_path=path,
    )


def wrong_field(method: str, field: str, value: object) -> UnreadableAnswer:
    """Return the error for a field that is missing, or that has a value of a wrong type."""
    what = "is missing" if value is None else f"has the wrong type ({type(value).__name__})"
    return UnreadableAnswer(f"{field} in the answer to {method} {what}", "check whether {setting} is a Bot API server")


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def number_of(value: object) -> int | None:
    """Return an integer of a response, also one that is written as a text or with a decimal point; None for others."""
    if isinstance(value, str) and value.removeprefix("-").isdecimal() and len(value) < 20:
        return int(value)
    if isinstance(value, float) and value.is_integer():
        return int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) else None
