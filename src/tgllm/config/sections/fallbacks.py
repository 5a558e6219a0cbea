"""Models that are asked in place of one that does not answer: ``fallbacks``, ``[roles.guest]``."""

import json
from collections.abc import Mapping
from typing import Annotated, cast, get_args

from pydantic import BeforeValidator, ValidationError

from tgllm.api.people import Role
from tgllm.config.checks import model_references
from tgllm.config.sections.base import Section, in_words

__all__ = ["RoleSetting", "read_roles"]


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
