"""Errors of the Bot API, with Telegram's descriptions."""

__all__ = [
    "BotApiError",
    "ConnectionCutError",
    "bad_request",
    "broken_markup",
    "conflict",
    "forbidden",
    "migrated",
    "not_found",
    "too_many_requests",
    "unauthorized",
]


class BotApiError(Exception):
    """A response with ``"ok": false``.

    ``code`` is both the HTTP status and ``error_code``; ``retry_after`` is in whole seconds,
    ``migrate_to_chat_id`` is the supergroup that replaced a group.
    Source: Bot API, "Making requests" and ResponseParameters.
    """

    def __init__(
        self, code: int, description: str, retry_after: int | None = None, migrate_to_chat_id: int | None = None
    ) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after = retry_after
        self.migrate_to_chat_id = migrate_to_chat_id

    def to_json(self) -> dict[str, object]:
        """Return the body of the response."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        parameters = {"retry_after": self.retry_after, "migrate_to_chat_id": self.migrate_to_chat_id}
        given = {name: value for name, value in parameters.items() if value is not None}
        return {**body, "parameters": given} if given else body


class ConnectionCutError(Exception):
    """Signal to close the connection without a response."""


def bad_request(reason: str) -> BotApiError:
    """Return 400: invalid request."""
    return BotApiError(400, f"Bad Request: {reason}")


def broken_markup(reason: str) -> BotApiError:
    """Return 400: the text is invalid in its parse_mode."""
    return bad_request(f"can't parse entities: {reason}")


def unauthorized() -> BotApiError:
    """Return 401: no bot has this token."""
    return BotApiError(401, "Unauthorized")


def forbidden(reason: str) -> BotApiError:
    """Return 403: the bot is not allowed to do this, or the user has blocked it."""
    return BotApiError(403, f"Forbidden: {reason}")


def migrated(chat_id: int) -> BotApiError:
    """Return 400: the group was upgraded to the supergroup ``chat_id``."""
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    return BotApiError(400, words, migrate_to_chat_id=chat_id)


def not_found(reason: str = "method not found") -> BotApiError:
    """Return 404: no such method."""
    return BotApiError(404, f"Not Found: {reason}")


def conflict(reason: str) -> BotApiError:
    """Return 409: another client receives the updates."""
    return BotApiError(409, f"Conflict: {reason}")


def too_many_requests(seconds: int) -> BotApiError:
    """Return 429: retry after ``seconds``."""
    return BotApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
