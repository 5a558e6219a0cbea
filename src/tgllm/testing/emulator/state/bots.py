"""Bot accounts: token, update queue, webhook and profile."""

import secrets
from dataclasses import dataclass, field
from typing import Any

from tgllm.testing.emulator.state.records import Account
from tgllm.testing.emulator.state.updates import UpdateQueue

__all__ = ["EmulatedBot", "WebhookSettings", "new_token"]


def new_token(bot_id: int = 42) -> str:
    """Return a random token for a bot with this id."""
    return f"{bot_id}:{secrets.token_urlsafe(24)}"


@dataclass(frozen=True, slots=True)
class WebhookSettings:
    """Destination of pushed updates. Source: Bot API, setWebhook."""

    url: str
    secret_token: str | None = None
    max_connections: int = 40


@dataclass(slots=True, eq=False, repr=False, kw_only=True)
class EmulatedBot(Account):
    """A bot. Keys of ``commands`` are scope (as JSON) and language code; of ``texts``, field and language code."""

    token: str = field(repr=False)
    queue: UpdateQueue = field(repr=False)
    reads_all_group_messages: bool = True
    has_topics: bool = True
    webhook: WebhookSettings | None = None
    webhook_error: tuple[int, str] | None = None
    commands: dict[tuple[str, str], list[dict[str, Any]]] = field(
        default_factory=dict[tuple[str, str], list[dict[str, Any]]]
    )
    texts: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    properties: dict[str, Any] = field(default_factory=dict[str, Any])
