"""Settings of the webhook, to which Telegram sends updates instead of being asked for them."""

import re
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Final, Literal, Self, TypeAlias, cast
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, field_validator, model_validator

from tgllm.config import checks
from tgllm.config.sections.base import Section

__all__ = ["TELEGRAM_ADDRESSES", "WebhookSection", "is_loopback", "networks", "refused_by_telegram"]

Network: TypeAlias = IPv4Network | IPv6Network

TELEGRAM_ADDRESSES: Final = ("149.154.160.0/20", "91.108.4.0/22")
"""From where Telegram sends updates. Telegram: Marvin's guide to webhooks."""
OFF: Final = "off"
_TELEGRAM: Final = "telegram"
_PORTS: Final = (443, 80, 88, 8443)
"""Bot API: setWebhook, notes."""
_MOST_URL: Final = 1000
_HEADER: Final = re.compile(r"[A-Za-z0-9-]{1,64}")
_LOOPBACK: Final = ("127.0.0.0/8", "::1/128")


def _url(value: object) -> object:
    """Validate the address of the webhook; ``off`` is none."""
    if not isinstance(value, str):
        return value
    text = value.strip()
    if text.lower() == OFF:
        return None
    try:
        parts = urlsplit(text)
        right = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0 and not parts.fragment
    except ValueError:
        right = False
    if not right or not text.isascii() or not text.isprintable() or " " in text or len(text) > _MOST_URL:
        raise ValueError("must be an address such as https://bot.example.org/telegram, or off")
    return text


def _networks(value: object) -> object:
    """Parse networks from a list, or from text with commas; ``telegram`` stands for those of Telegram."""
    found = cast("tuple[str, ...]", checks.names(value))
    for name in found:
        if name != _TELEGRAM:
            try:
                ip_network(name, strict=False)
            except ValueError:
                raise ValueError(
                    f"must be addresses or networks such as 149.154.160.0/20, or telegram; {name[:40]!r} is none"
                ) from None
    return found


def _header(value: str | None) -> str | None:
    """Validate the name of a header."""
    if value is not None and not _HEADER.fullmatch(value.strip()):
        raise ValueError("must be the name of a header, such as X-Forwarded-For")
    return None if value is None else value.strip()


def networks(names: tuple[str, ...]) -> tuple[Network, ...]:
    """Return the networks that validated names stand for."""
    texts = [each for name in names for each in (TELEGRAM_ADDRESSES if name == _TELEGRAM else (name,))]
    return tuple(ip_network(text, strict=False) for text in texts)


def is_loopback(host: str) -> bool:
    """Return whether a server that listens on this address can be reached from this machine only."""
    try:
        address = ip_network(host)
    except ValueError:
        return host.lower() == "localhost"
    return any(address.version == net.version and address.subnet_of(net) for net in map(ip_network, _LOOPBACK))  # type: ignore[arg-type]


def refused_by_telegram(url: str) -> str:
    """Return why Telegram's own servers refuse the address of a webhook, as the end of a sentence; empty if not."""
    parts = urlsplit(url)
    if parts.scheme != "https":
        return "must begin with https://; plain http is for a local Bot API server"
    if parts.port is not None and parts.port not in _PORTS:
        return f"must have one of the ports {', '.join(map(str, _PORTS))}, to which Telegram sends updates"
    if is_loopback(parts.hostname or ""):
        return "must be an address that Telegram reaches, not one of this machine alone"
    return ""


class WebhookSection(Section):
    """Settings of the webhook; without ``url``, the bot asks Telegram for updates (long polling)."""

    url: Annotated[str | None, BeforeValidator(_url)] = Field(
        default=None,
        description="Public address to which Telegram sends updates, such as https://bot.example.org/telegram; without "
        "it, or off: the bot asks for them.",
    )
    host: str = Field(
        default="127.0.0.1",
        min_length=1,
        description="Address on which the webhook listens, for the proxy with the certificate.",
    )
    port: int = Field(
        default=8080, ge=0, le=65_535, description="Port of the webhook. 0: a free port, which the log names."
    )
    secret: SecretStr | None = Field(
        default=None,
        description="Secret that Telegram sends with each update: 16 to 256 letters, digits, _ and -; by default it is "
        "derived from the bot token.",
    )
    max_connections: int = Field(
        default=40, ge=1, le=100, description="Maximum number of updates that Telegram sends at the same time."
    )
    max_kb: int = Field(default=1024, ge=64, le=16_384, description="Maximum size of an update, in KiB.")
    addresses: Annotated[tuple[str, ...], BeforeValidator(_networks)] = Field(
        default=(),
        description="Networks from which updates are accepted, separated by commas; telegram: those of Telegram. "
        "By default all, since the secret is required anyway.",
    )
    proxy_header: Annotated[str | None, AfterValidator(_header)] = Field(
        default=None,
        description="Header in which the proxy names the address of the client, such as X-Forwarded-For; without it, "
        "no header is believed.",
    )
    at_stop: Literal["keep", "remove"] = Field(
        default="keep",
        description="What happens to the webhook when the bot stops: keep (Telegram sends again when the bot is back) "
        "or remove.",
    )

    @field_validator("secret")
    @classmethod
    def _secret(cls, value: SecretStr | None) -> SecretStr | None:
        """Validate the secret. Bot API: setWebhook, secret_token."""
        return None if value is None else SecretStr(checks.webhook_secret(value.get_secret_value()))

    @model_validator(mode="after")
    def _addresses_are_seen(self) -> Self:
        if self.url is not None and self.addresses and self.proxy_header is None and is_loopback(self.host):
            raise ValueError(
                "addresses needs proxy_header, such as X-Forwarded-For: without it, every update comes from the proxy"
            )
        return self
