"""Validators of single values. Each raises ValueError with the expected format; errors never contain secrets."""

import re
from collections.abc import Iterable
from datetime import UTC, date, tzinfo
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

from tgllm.api.errors import ModelNotFound
from tgllm.api.model_ref import ModelRef

__all__ = [
    "admin_ids",
    "bot_token",
    "chat_id",
    "database_url",
    "day",
    "folder",
    "language",
    "model_reference",
    "model_references",
    "names",
    "stripped",
    "telegram_api",
    "time_zone",
    "webhook_secret",
    "zone",
]

# Bot API, "Authorizing your bot": the bot's id, a colon, a secret. Test servers give shorter secrets than Telegram.
_TOKEN = re.compile(r"\d+:[\w-]+", re.ASCII)
_WEBHOOK_SECRET = re.compile(r"[A-Za-z0-9_-]{16,256}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}([-_][A-Za-z0-9]+)*")
MOST_ID = 2**52
"""Bot API, User and Chat: an id has at most 52 significant bits."""
_SEPARATORS = re.compile(r"[\s,;]+")


def _items(value: object) -> Iterable[object]:
    if isinstance(value, str):
        return [item for item in _SEPARATORS.split(value) if item]
    if isinstance(value, list | tuple):
        return cast("Iterable[object]", value)
    return [value]


def bot_token(value: object) -> object:
    """Validate a bot token."""
    if not isinstance(value, str):
        return value
    if not _TOKEN.fullmatch(value.strip()):
        raise ValueError("must be a bot token as @BotFather shows it: digits, a colon, letters (123456:ABC...)")
    return value.strip()


def database_url(value: object) -> object:
    """Validate the URL of a PostgreSQL database; an empty text means none."""
    if not isinstance(value, str):
        return value
    if not (url := value.strip()):
        return None
    try:
        parts = urlsplit(url)
        # A port that is no number is found only when it is read.
        right = parts.scheme in {"postgresql", "postgres"} and parts.path.strip("/") and (parts.port or True)
    except ValueError:
        right = False
    if not right:
        raise ValueError("must be the URL of a PostgreSQL database, such as postgresql://user:password@host/name")
    return url


def telegram_api(value: object) -> object:
    """Validate the base URL of a Bot API server, and remove a trailing slash."""
    if not isinstance(value, str):
        return value
    try:
        parts = urlsplit(value.strip())
        right = parts.scheme in {"http", "https"} and parts.hostname and not parts.query and not parts.fragment
    except ValueError:
        right = False
    if not right:
        raise ValueError("must be an address such as https://api.telegram.org or http://127.0.0.1:8081")
    return value.strip().rstrip("/")


def webhook_secret(value: str) -> str:
    """Validate the secret of the webhook. Telegram allows shorter ones, which can be guessed."""
    if not _WEBHOOK_SECRET.fullmatch(value.strip()):
        raise ValueError("must be 16 to 256 of the letters A-Z and a-z, digits, _ and -")
    return value.strip()


def _user_id(item: object) -> int:
    text = str(item).strip()
    if isinstance(item, bool) or not re.fullmatch(r"[+-]?\d+", text, re.ASCII):
        raise ValueError(f"must be Telegram user ids, which are numbers such as 123456789; {text[:40]!r} is not one")
    if text.startswith("-") or not 0 < int(text[:20]) < MOST_ID:
        raise ValueError(f"must be user ids, which are positive numbers; {text[:40]} is not one")
    return int(text)


def chat_id(value: int | None) -> int | None:
    """Validate the id of a person, a group or a channel."""
    if value is not None and not 0 < abs(value) < MOST_ID:
        raise ValueError("must be the id of a chat, a number such as -1001234567890")
    return value


def admin_ids(value: object) -> object:
    """Parse user ids from a list, or from text with commas or spaces, without duplicates."""
    return tuple(dict.fromkeys(_user_id(item) for item in _items(value)))


def names(value: object) -> object:
    """Parse names from a list, or from text with commas or spaces, without duplicates."""
    return tuple(dict.fromkeys(_name(item) for item in _items(value)))


def _name(item: object) -> str:
    if not isinstance(item, str):
        raise ValueError("must be names, in a list or with commas between them")  # noqa: TRY004  pydantic reports a ValueError as a message
    return item


def folder(value: object) -> object:
    """Make the path of a folder absolute, and expand ``~``."""
    text = str(value) if isinstance(value, str | Path) else ""
    if not text.strip() or "\0" in text:
        raise ValueError("must be the path of a folder")
    try:
        return Path(text).expanduser().absolute()
    except RuntimeError:
        raise ValueError("must be the path of a folder; the user after its ~ does not exist") from None


def model_reference(value: object) -> object:
    """Validate a model reference, ``provider/model``."""
    if not isinstance(value, str):
        return value
    try:
        return str(ModelRef.parse(value))
    except ModelNotFound:
        raise ValueError("must be written provider/model, such as echo/echo") from None


def model_references(value: object) -> object:
    """Parse model references from a list, or from text with commas or spaces, without duplicates."""
    return value if value is None else tuple(dict.fromkeys(_model(item) for item in _items(value)))


def _model(item: object) -> str:
    try:
        return str(ModelRef.parse(item if isinstance(item, str) else ""))
    except ModelNotFound:
        expected = 'must be models written provider/model, such as ["mistral/mistral-small-latest", "local/llama"]'
        raise ValueError(f"{expected}; {str(item)[:60]!r} is not one") from None


def language(value: object) -> object:
    """Validate a language tag such as ``ru`` or ``pt-BR``."""
    if isinstance(value, str) and not _LANGUAGE.fullmatch(value.strip()):
        raise ValueError("must be a language tag such as en or ru")
    return value.strip() if isinstance(value, str) else value


def day(value: object) -> object:
    """Convert a day to text such as ``2026-11-01``; in TOML it may be unquoted."""
    if not isinstance(value, str | date) or value == "":
        return value
    try:
        return date.fromisoformat(str(value)).isoformat()
    except ValueError:
        raise ValueError("must be a day such as 2026-11-01") from None


def stripped(value: object) -> object:
    """Strip white space around a text."""
    return value.strip() if isinstance(value, str) else value


def zone(name: str) -> tzinfo:
    """Return the time zone of a name.

    Raises:
        ValueError: there is no such time zone.
    """
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo, ZoneInfoNotFoundError  # noqa: PLC0415  few bots have a zone of their own

    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise ValueError("must be a time zone such as Europe/Berlin or UTC") from None


def time_zone(value: object) -> object:
    """Validate the name of a time zone of the IANA database."""
    if isinstance(value, str):
        zone(value.strip())
    return stripped(value)
