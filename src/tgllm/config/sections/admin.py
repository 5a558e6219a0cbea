"""Settings of admin actions in Telegram."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr

from tgllm.config.password_hash import PasswordHash
from tgllm.config.sections.base import Section

__all__ = ["AdminSection"]


def _password_hash(value: object) -> object:
    """Validate the hash. An invalid value may be the password itself, so errors never repeat it."""
    if not isinstance(value, str):
        return value
    try:
        return str(PasswordHash.parse(value))
    except ValueError:
        raise ValueError(
            "must be a hash of the password, never the password itself; run tgllm config password to make one"
        ) from None


class AdminSection(Section):
    """The admin password and broadcasts."""

    password_hash: Annotated[SecretStr | None, BeforeValidator(_password_hash)] = Field(
        default=None, description="Hash of the admin password, written by tgllm config password."
    )
    session_minutes: float = Field(default=10.0, gt=0, description="Minutes for which a correct password stays valid.")
    question_seconds: float = Field(
        default=60.0, gt=0, le=600, description="Seconds within which the password has to be sent."
    )
    lockout_minutes: float = Field(
        default=5.0, gt=0, description="Minutes of lockout after three wrong passwords; doubles each time."
    )
    broadcast_rate: float = Field(
        default=10.0,
        gt=0,
        le=20,
        description="Messages of a broadcast per second; the rest of the sending rate is left for answers.",
    )
    backups_kept: int | None = Field(
        default=None, ge=1, description="Earlier name of backups.keep, which it sets where that one is not given."
    )
