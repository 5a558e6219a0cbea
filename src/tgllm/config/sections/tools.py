"""Settings of tools: ``[tools]``, ``[tools.rules.NAME]``."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, Literal, cast

from pydantic import BeforeValidator, Field, ValidationError

from tgllm.api.people import Role
from tgllm.config.sections.base import Section, in_words

__all__ = ["Approval", "Lowest", "ToolRuleSetting", "ToolsSection", "read_rules"]

Lowest = Role | Literal["nobody"]
"""The lowest role that may use a tool; ``nobody``: it is closed for all, owners included."""
Approval = Literal["never", "asker", "admins"]
"""Who approves each call by a card: no one, the person who asks, or the admins."""

MOST_PER_DAY = 1_000_000
_NAME = re.compile(r"[A-Za-z0-9_*?-]{1,64}")
_WILD = re.compile(r"[*?]")


class ToolRuleSetting(Section):
    """Rule for a tool, or for the tools whose names match a pattern."""

    name: str
    """The name of the table: the name of a tool, or a pattern with ``*`` and ``?``."""
    private: Lowest | None = None
    """Lowest role that may use it in private chats; None: as the tool says."""
    groups: Lowest | None = None
    """The same in groups."""
    per_day: int | None = Field(default=None, ge=0, le=MOST_PER_DAY)
    """Most calls of a person in a day; 0 or None: no limit."""
    approval: Approval | None = None
    """None: as the tool says."""

    @property
    def is_pattern(self) -> bool:
        """Whether it may match several tools."""
        return _WILD.search(self.name) is not None

    @property
    def exactness(self) -> tuple[bool, int]:
        """Key by which the most exact of several matching rules is the greatest."""
        return not self.is_pattern, len(_WILD.sub("", self.name))


def read_rules(value: object) -> object:
    """Read a tuple of rules from the tables by name, or from the same as JSON.

    Raises:
        ValueError: a rule is invalid; the message names the tool and the key.
    """
    tables = _parsed(value) if isinstance(value, str) else value
    if not isinstance(tables, Mapping):
        raise ValueError("must be tables such as [tools.rules.web_search] with private and groups")  # noqa: TRY004  pydantic turns a ValueError into words
    return tuple(_rule(str(name), table) for name, table in cast("Mapping[object, object]", tables).items())


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError('must be JSON such as {"web_search": {"groups": "admin", "per_day": 20}}') from None


def _rule(name: str, table: object) -> ToolRuleSetting:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name[:64]!r} must be the name of a tool, or a pattern with * such as github_*")
    if not isinstance(table, Mapping):
        raise ValueError(f"{name!r} must be a table with keys such as private, groups, per_day and approval")  # noqa: TRY004  pydantic turns a ValueError into words
    try:
        return ToolRuleSetting.model_validate({**cast("Mapping[str, object]", table), "name": name})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        raise ValueError(f"{name!r}, {first['loc'][0]}: {in_words(first['msg'])}") from None


class ToolsSection(Section):
    """Settings of tools, which models may call."""

    enabled: bool = Field(default=True, description="Whether models get tools at all.")
    max_rounds: int = Field(
        default=8, ge=1, le=100, description="Most answers of a model in one turn that consist of calls."
    )
    max_calls: int = Field(default=24, ge=1, le=1000, description="Most calls in one turn.")
    max_seconds: float = Field(
        default=300.0,
        gt=0,
        description="Seconds after which a turn makes no further calls; the time of approvals does not count.",
    )
    max_schema_tokens: int = Field(
        default=4000, ge=0, description="Tokens of the descriptions of tools in a request; further tools are left out."
    )
    max_result_chars: int = Field(
        default=20_000, ge=100, description="Characters of a result that the model gets; the rest is cut off."
    )
    approval_seconds: float = Field(
        default=600.0, gt=0, le=86_400, description="Seconds in which a call must be approved; then it is not made."
    )
    rules: Annotated[tuple[ToolRuleSetting, ...], BeforeValidator(read_rules)] = Field(
        default=(), description="Who may use which tools, by name or pattern; in a variable, as JSON."
    )
