"""Values of the options of ``tgllm init``."""

from collections.abc import Sequence
from dataclasses import dataclass

__all__ = ["InitFlags"]


@dataclass(frozen=True, slots=True, kw_only=True)
class InitFlags:
    """What the command line says; None for what it does not say."""

    token_file: str | None
    admins: Sequence[str]
    provider: str | None
    key_file: str | None
    base_url: str | None
    model: str | None
    telegram_api: str | None
    webhook: str | None
    systemd: bool | None
    wait: int
    """Seconds to wait for the admin's code."""
    check: bool
    """Whether Telegram and the provider are asked."""
    force: bool
    yes: bool
