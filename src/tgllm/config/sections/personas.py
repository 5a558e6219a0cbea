"""Personas in the settings: ``[personas.NAME]``."""

import json
import re
from collections.abc import Mapping
from typing import Annotated, cast

from pydantic import BeforeValidator, Field, ValidationError

from tgllm.config.checks import model_reference, model_references
from tgllm.config.sections.base import Section, in_words

__all__ = ["PersonaSetting", "read_personas"]

# A name is part of a button's callback data, which has at most 64 bytes (Bot API: InlineKeyboardButton).
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")


class PersonaSetting(Section):
    """A persona, which people select by name."""

    name: str
    """The name of the table."""
    title: str = Field(default="", max_length=60)
    """Label of the button; if empty, the name is used."""
    system: str = Field(min_length=1)
    """System prompt, added after the bot's own."""
    model: Annotated[str | None, BeforeValidator(model_reference)] = None
    """Model, unless the chat sets another; None: the default model."""
    fallbacks: Annotated[tuple[str, ...] | None, BeforeValidator(model_references)] = None
    """Fallbacks; None: those of the person's role, or of the bot."""
    temperature: float | None = Field(default=None, ge=0, le=2)


def read_personas(value: object) -> object:
    """Read a tuple of personas from the tables by name, or from the same as JSON.

    Raises:
        ValueError: a persona is invalid; the message names it.
    """
    tables = _parsed(value) if isinstance(value, str) else value
    if not isinstance(tables, Mapping):
        raise ValueError("must be tables such as [personas.translator] with a system prompt")  # noqa: TRY004  pydantic turns a ValueError into words
    return tuple(_persona(str(name), table) for name, table in cast("Mapping[object, object]", tables).items())


def _parsed(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        raise ValueError('must be JSON such as {"translator": {"system": "Translate into English."}}') from None


def _persona(name: str, table: object) -> PersonaSetting:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} must be a name of small Latin letters, digits, - and _, at most 32")
    if not isinstance(table, Mapping):
        raise ValueError(f"{name!r} must have a system prompt")  # noqa: TRY004  pydantic turns a ValueError into words
    try:
        return PersonaSetting.model_validate({**cast("Mapping[str, object]", table), "name": name})
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        field = ".".join(map(str, first["loc"]))
        raise ValueError(f"{name!r}, {field}: {in_words(first['msg'])}") from None
