"""The errors of the Bot API, in Telegram's own words."""

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
    """An answer with ``"ok": false``.

    ``code`` is both the HTTP status and ``error_code``; ``retry_after`` is in whole seconds,
    ``migrate_to_chat_id`` what a group has become.
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
        """The body of the answer."""
        body: dict[str, object] = {
            "ok": False,
            "error_code": self.code,
            "description": self.description,
        }
        parameters = {"retry_after": self.retry_after, "migrate_to_chat_id": self.migrate_to_chat_id}
        given = {name: value for name, value in parameters.items() if value is not None}
        return {**body, "parameters": given} if given else body


class ConnectionCutError(Exception):
    """The connection is to be closed without an answer."""


def bad_request(reason: str) -> BotApiError:
    """400: the request is wrong in itself."""
    return BotApiError(400, f"Bad Request: {reason}")


def broken_markup(reason: str) -> BotApiError:
    """400: the text is not what its parse_mode says."""
    return bad_request(f"can't parse entities: {reason}")


def unauthorized() -> BotApiError:
    """401: no bot has this token."""
    return BotApiError(401, "Unauthorized")


def forbidden(reason: str) -> BotApiError:
    """403: the bot may not do this, or the user does not want it."""
    return BotApiError(403, f"Forbidden: {reason}")


def migrated(chat_id: int) -> BotApiError:
    """400: the group has become the supergroup ``chat_id``."""
    words = "Bad Request: group chat was upgraded to a supergroup chat"
    return BotApiError(400, words, migrate_to_chat_id=chat_id)


def not_found(reason: str = "method not found") -> BotApiError:
    """404: no such method."""
    return BotApiError(404, f"Not Found: {reason}")


def conflict(reason: str) -> BotApiError:
    """409: somebody else takes the updates."""
    return BotApiError(409, f"Conflict: {reason}")


def too_many_requests(seconds: int) -> BotApiError:
    """429: come back in ``seconds``."""
    return BotApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
