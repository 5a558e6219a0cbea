"""Settings of access requests, and of roles: ``[access]``, ``[roles.guest]``."""

import json
from collections.abc import Mapping
from typing import Annotated, cast, get_args

from pydantic import BeforeValidator, Field, ValidationError

from tgllm.api.people import Role
from tgllm.config.checks import model_references
from tgllm.config.sections.base import Section, in_words
from tgllm.config.sections.retention import MOST_DAYS

__all__ = ["AccessSection", "RoleSetting", "read_roles"]


class AccessSection(Section):
    """Limits on answers to people without access and on their requests."""

    answer_interval: float = Field(
        default=3600.0,
        ge=0,
        description="Minimum seconds between two answers of a kind to the same person without access.",
    )
    answers_per_hour: int = Field(
        default=600, ge=0, description="Maximum answers per hour to people without access, in total."
    )
    cards_per_hour: int = Field(
        default=30,
        ge=0,
        description="Maximum access requests per hour that admins see one by one; three of them within ten minutes.",
    )
    most_pending: int = Field(default=1000, ge=1, description="Maximum number of pending access requests.")
    request_days: float = Field(
        default=30.0, gt=0, le=MOST_DAYS, description="Days after which an undecided access request is deleted."
    )
    ask_again_days: float = Field(default=7.0, ge=0, description="Days after which a denied person may ask again.")


class RoleSetting(Section):
    """Settings of a role."""

    role: Role
    """The name of the table."""
    fallbacks: Annotated[tuple[str, ...] | None, BeforeValidator(model_references)] = None
    """Fallbacks of its people; None: those of the bot."""


def read_roles(value: object) -> object:
    """Read a tuple of settings from the tables by role, or from the same as JSON.

    Raises:
        ValueError: a setting is invalid; the message names the role and the key.
    """
    tables = _parsed(value) if isinstance(value, str) else value
    if not isinstance(tables, Mapping):
        raise ValueError("must be tables such as [roles.guest] with fallbacks")  # noqa: TRY004  pydantic turns a ValueError into words
    return tuple(_role(str(role), table) for role, table in cast("Mapping[object, object]", tables).items())


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError('must be JSON such as {"guest": {"fallbacks": ["local/llama"]}}') from None


def _role(role: str, table: object) -> RoleSetting:
    if role not in get_args(Role):
        raise ValueError(f"{role!r} is not a role; the roles are {', '.join(get_args(Role))}")
    if not isinstance(table, Mapping):
        raise ValueError(f"{role!r} must be a table with fallbacks")  # noqa: TRY004  pydantic turns a ValueError into words
    try:
        return RoleSetting.model_validate({**cast("Mapping[str, object]", table), "role": role})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ValueError(f"{role!r}, {field}: {in_words(first['msg'])}") from None
