"""Settings of error reports."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr

from tgllm.config.sections.base import Section

__all__ = ["ErrorsSection"]


def _sentry_dsn(value: object) -> object:
    """Validate the form of a DSN. It contains a key, so errors never repeat it."""
    if not isinstance(value, str) or not value.strip():
        return None if isinstance(value, str) else value
    if not _is_dsn(value.strip()):
        raise ValueError("must be a DSN of Sentry, such as https://<key>@<host>/<project number>")
    return value.strip()


def _is_dsn(text: str) -> bool:
    try:
        parts = urlsplit(text)
        is_address = parts.scheme in {"http", "https"} and parts.hostname and parts.port != 0
    except ValueError:
        return False
    return bool(is_address and parts.username and parts.path.rpartition("/")[2].isdecimal())


class ErrorsSection(Section):
    """Notices of unexpected errors, and Sentry."""

    notify: bool = Field(default=True, description="Whether the admins get a message about unexpected errors.")
    interval_minutes: float = Field(
        default=60.0,
        gt=0,
        le=10_080,
        description="Minimum minutes between two messages about the same kind of error, and between two summaries.",
    )
    sentry_dsn: Annotated[SecretStr | None, BeforeValidator(_sentry_dsn)] = Field(
        default=None,
        description="DSN of a Sentry project that receives unexpected errors; needs tgllm[sentry]. "
        "Also read from SENTRY_DSN.",
    )
    environment: str = Field(
        default="production",
        min_length=1,
        max_length=64,
        pattern=r"^[^\s/]+$",
        description="Name of the environment in Sentry. Also read from SENTRY_ENVIRONMENT.",
    )
