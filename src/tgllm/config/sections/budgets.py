"""Budgets in the settings: ``[budgets.bot]``, ``[budgets.group]``, ``[budgets.roles.user]``."""

import json
from collections.abc import Iterator, Mapping
from typing import Annotated, Literal, cast, get_args

from pydantic import BeforeValidator, Field, ValidationError

from tgllm.api.budgets import Measure, Period
from tgllm.api.people import Role
from tgllm.config.sections.base import Section, in_words

__all__ = ["BudgetsSection", "GroupsSection", "LimitsSetting", "RoleLimits", "read_limits", "read_role_limits"]

MICROS = 1_000_000
"""Amounts of money are millionths of a US dollar."""
MOST_DOLLARS = 1_000_000.0
MOST_COUNT = 10**12
"""Requests or tokens; sums of larger values would not fit the database."""


class LimitsSetting(Section):
    """Limits per day and month; None: no limit."""

    requests_per_day: int | None = Field(default=None, ge=1, le=MOST_COUNT)
    requests_per_month: int | None = Field(default=None, ge=1, le=MOST_COUNT)
    tokens_per_day: int | None = Field(default=None, ge=1, le=MOST_COUNT)
    """Input and output together."""
    tokens_per_month: int | None = Field(default=None, ge=1, le=MOST_COUNT)
    usd_per_day: float | None = Field(default=None, ge=1 / MICROS, le=MOST_DOLLARS)
    """US dollars."""
    usd_per_month: float | None = Field(default=None, ge=1 / MICROS, le=MOST_DOLLARS)

    def limits(self) -> Iterator[tuple[Measure, Period, int]]:
        """Yield the limits that are set, in requests, tokens, or millionths of a US dollar."""
        for name in type(self).model_fields:
            value: int | float | None = getattr(self, name)
            unit, _, period = name.partition("_per_")
            if value is not None:
                measure: Measure = "cost" if unit == "usd" else cast("Measure", unit)
                yield measure, cast("Period", period), round(value * (MICROS if unit == "usd" else 1))


class RoleLimits(Section):
    """Limits of each person of a role."""

    role: Role
    """The name of the table."""
    limits: LimitsSetting


def read_limits(value: object) -> object:
    """Read limits from a table, or from the same as JSON.

    Raises:
        ValueError: a limit is invalid; the message names the key.
    """
    return value if value is None or isinstance(value, LimitsSetting) else _limits(_parsed(value), "")


def read_role_limits(value: object) -> object:
    """Read a tuple of limits from the tables by role, or from the same as JSON.

    Raises:
        ValueError: a limit is invalid; the message names the role and the key.
    """
    tables = _parsed(value)
    if not isinstance(tables, Mapping):
        raise ValueError("must be tables such as [budgets.roles.user] with tokens_per_day")  # noqa: TRY004  pydantic turns a ValueError into words
    return tuple(_role(str(role), table) for role, table in cast("Mapping[object, object]", tables).items())


def _role(role: str, table: object) -> RoleLimits:
    if role not in get_args(Role):
        raise ValueError(f"{role!r} is not a role; the roles are {', '.join(get_args(Role))}")
    return RoleLimits(role=cast("Role", role), limits=_limits(table, f"{role!r}, "))


def _limits(table: object, where: str) -> LimitsSetting:
    if not isinstance(table, Mapping):
        raise ValueError(f"{where}must be a table with keys such as tokens_per_day and usd_per_month")  # noqa: TRY004  pydantic turns a ValueError into words
    try:
        return LimitsSetting.model_validate(dict(cast("Mapping[str, object]", table)))
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{where}{first['loc'][0]}: {_expected(first['type'], first['msg'])}") from None


def _expected(kind: str, message: str) -> str:
    if kind == "extra_forbidden":
        return f"is not a limit; the limits are {', '.join(LimitsSetting.model_fields)}"
    return in_words(message)


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:
        raise ValueError('must be JSON such as {"tokens_per_day": 100000, "usd_per_month": 5}') from None


class BudgetsSection(Section):
    """Budgets, and the rate limit of questions."""

    bot: Annotated[LimitsSetting | None, BeforeValidator(read_limits)] = Field(
        default=None, description="Limits of the whole bot, per day and month; in a variable, as JSON."
    )
    roles: Annotated[tuple[RoleLimits, ...], BeforeValidator(read_role_limits)] = Field(
        default=(), description="Limits of each person of a role, by role; in a variable, as JSON."
    )
    group: Annotated[LimitsSetting | None, BeforeValidator(read_limits)] = Field(
        default=None, description="Limits of each group; in a variable, as JSON."
    )
    fallback_price: float | None = Field(
        default=None,
        ge=0,
        le=MOST_DOLLARS,
        description="US dollars per million tokens of models with an unknown price; without it, they cost nothing.",
    )
    messages_per_minute: int = Field(
        default=20, ge=0, description="Rate limit: questions of one person per minute, over all chats; 0: no limit."
    )
    admins_exempt: bool = Field(default=True, description="Whether owners and admins are exempt from this rate limit.")


class GroupsSection(Section):
    """Settings of groups."""

    pays: Literal["member", "group"] = Field(
        default="member",
        description="Budgets that count a question in a group: member (both the member's and the group's) or group.",
    )
