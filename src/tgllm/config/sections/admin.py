"""The settings for what admins do from inside Telegram."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from tgllm.config.password_hash import PasswordHash
from tgllm.config.sections.base import Section

__all__ = ["AdminSection"]


def _password_hash(value: object) -> object:
    """A hash that can be checked; what stands there instead may be the password itself, so it is never repeated."""
    if not isinstance(value, str):
        return value
    try:
        return str(PasswordHash.parse(value))
    except ValueError:
        raise ValueError(
            "must be a hash of the password, never the password itself; run tgllm config password to make one"
        ) from None


class AdminSection(Section):
    """What admins do from inside Telegram."""

    password_hash: Annotated[SecretStr | None, BeforeValidator(_password_hash)] = Field(
        default=None, description="Hash of the password for dangerous actions, as tgllm config password writes it."
    )
    session_minutes: float = Field(default=10.0, gt=0, description="Minutes for which a right password holds.")
    question_seconds: float = Field(
        default=60.0, gt=0, le=600, description="Seconds that the question for the password can be answered."
    )
    lockout_minutes: float = Field(
        default=5.0, gt=0, description="Minutes without further tries after three wrong ones; doubles each time."
    )
    broadcast_rate: float = Field(
        default=10.0,
        gt=0,
        le=20,
        description="Messages of a broadcast per second; what else may be sent is left to answers.",
    )
    backups_kept: int = Field(default=7, ge=1, description="Backups kept; older ones are removed when one is made.")
