"""Unit, range, default and example of a setting, from the settings model."""

import re
from collections.abc import Sequence
from typing import Final, Literal, get_args, get_origin

from pydantic.fields import FieldInfo

from tgllm.config.sources.keys import FIELDS

__all__ = ["allowed", "bounds", "choices", "default_text", "example", "example_value", "is_number", "unit_of"]

_BOUNDS: Final = {
    "ge": "at least",
    "gt": "more than",
    "le": "at most",
    "lt": "less than",
}
_UNIT: Final = re.compile(r"\b(seconds|minutes|hours|days|MiB|characters)\b", re.IGNORECASE)
_UNIT_OF_NAME: Final = {"seconds": "seconds", "minutes": "minutes", "days": "days", "mb": "MiB"}
_EXAMPLES: Final = {
    "bot_token": "123456:ABC-DEF",
    "telegram_files": "/var/lib/telegram-bot-api",
    "admin_ids": "123456789, 987654321",
    "admin_chat_id": "-1001234567890",
    "data_dir": "/var/lib/tgllm",
    "system_prompt": "Answer briefly.",
    "disable_plugins": "whisper, local",
    "refresh_cron": "0 4 * * *",
    "time_zone": "Europe/Berlin",
    "prices": '{"mistral/mistral-small-latest": {"input": 0.1, "output": 0.3}}',
    "fallbacks": "mistral/mistral-small-latest, local/llama",
    "roles": '{"guest": {"fallbacks": ["local/llama"]}}',
    "personas": '{"translator": {"system": "Translate into English."}}',
    "budgets.bot": '{"tokens_per_day": 100000, "usd_per_month": 5}',
    "tools.rules": '{"web_search": {"groups": "admin", "per_day": 20}}',
    "budgets.roles": '{"user": {"tokens_per_day": 100000}}',
    "budgets.group": '{"tokens_per_day": 100000, "usd_per_month": 5}',
    "budgets.fallback_price": "10",
    "turns.most_context_tokens": "32000",
    "admin.backups_kept": "7",
    "admin.password_hash": "a hash that tgllm config password makes",
    "backups.schedule": "0 3 * * *",
    "backups.folder": "/var/backups/tgllm",
    "errors.sentry_dsn": "https://0123456789abcdef@sentry.example.org/1",
    "database.url": "postgresql://tgllm:kX2vQ9mT@db.example.org/tgllm",
    "database.listen_url": "postgresql://tgllm:kX2vQ9mT@db.example.org/tgllm",
    "replicas.name": "bot-1",
    "s3.bucket": "my-bot-files",
    "s3.endpoint": "https://s3.example.org",
    "s3.prefix": "bots/helper",
    "s3.access_key": "the id of an access key",
    "s3.secret_key": "the secret of that key",
    "web.port": "9464",
    "tracing.endpoint": "http://127.0.0.1:4318",
    "webhook.url": "https://bot.example.org/telegram",
    "webhook.secret": "16_letters-or-more",
    "webhook.addresses": "149.154.160.0/20, 91.108.4.0/22",
    "webhook.proxy_header": "X-Forwarded-For",
}
"""Right values of settings without a default, or whose default explains little."""
_RATES: Final = re.compile(r"per (?:second|minute|hour)|share", re.IGNORECASE)


def unit_of(key: str, field: FieldInfo | None = None) -> str:
    """Return the unit of a number; empty for other settings and for counts.

    Args:
        key: the dotted key.
        field: of a setting of a plugin; None: a setting of the bot.
    """
    field = FIELDS[key] if field is None else field
    if not is_number(field):
        return ""
    name = key.rpartition("_")[2]
    if name in _UNIT_OF_NAME:
        return _UNIT_OF_NAME[name]
    about = field.description or ""
    found = None if _RATES.search(about) else _UNIT.search(about)
    return "" if found is None else found[0] if found[0] == "MiB" else found[0].lower()


def is_number(field: FieldInfo) -> bool:
    """Return whether a setting is one number; a switch is none."""
    kinds = (field.annotation, *get_args(field.annotation))
    return bool({int, float} & set(kinds)) and get_origin(field.annotation) not in {tuple, list, dict, set}


def allowed(field: FieldInfo) -> str:
    """Return the range of a number in words, or the values to choose from; empty if there is neither."""
    return ", ".join((*(f"{_BOUNDS[name]} {limit}" for name, limit in bounds(field)), *choices(field)))


def bounds(field: FieldInfo) -> Sequence[tuple[str, str]]:
    """Return the limits of a number, each with the name of its comparison: ge, gt, le or lt."""
    found = ((name, getattr(bound, name, None)) for bound in field.metadata for name in _BOUNDS)
    return [(name, f"{limit:g}") for name, limit in found if isinstance(limit, int | float)]


def choices(field: FieldInfo) -> Sequence[str]:
    """Return the values of a setting that takes only some; a switch takes true and false."""
    kinds = (field.annotation, *get_args(field.annotation))
    if bool in kinds:
        return ("true", "false")
    return [str(value) for kind in kinds if get_origin(kind) is Literal for value in get_args(kind)]


def default_text(field: FieldInfo) -> str:
    """Return the default as text; empty if there is none or if it depends on the machine."""
    value: object = field.default
    if field.default_factory is not None or value is None or value == ():
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:g}" if isinstance(value, float) else str(value)


def example(key: str) -> str:
    """Return a right value with its unit as the end of a sentence, such as ``such as 120 seconds``."""
    unit = unit_of(key)
    return f"such as {example_value(key)}{f' {unit}' if unit else ''}"


def example_value(key: str) -> str:
    """Return a right value as it is written in a variable: the default, or an example if there is none."""
    return _EXAMPLES.get(key) or default_text(FIELDS[key])
