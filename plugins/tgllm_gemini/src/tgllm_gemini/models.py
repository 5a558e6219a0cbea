"""Capabilities of Gemini's models, from the API's list and from ``families.toml``."""

import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

from google.genai import types

from tgllm.api.types import ModelInfo, Price

__all__ = ["Families", "Family", "read_models"]


@dataclass(frozen=True, slots=True)
class Family:
    """Capabilities of the models of one family."""

    mime_types: frozenset[str]
    efforts: Mapping[str, str | int]
    """API level, or budget in tokens, of each reasoning effort; empty for models without reasoning."""
    makes_pictures: bool = False
    """Whether its models answer with text and pictures."""
    calls_tools: bool = True


class Families:
    """Model families from ``families.toml``."""

    def __init__(self) -> None:
        """Load ``families.toml``."""
        text = files("tgllm_gemini").joinpath("families.toml").read_text(encoding="utf-8")
        table: dict[str, Any] = tomllib.loads(text)
        self._not_chat: list[str] = table["not_chat"]
        self._families = [(family["match"], _family(family, table["files"])) for family in table["families"]]

    def of(self, model: str) -> Family:
        """Return the family of a model."""
        return next(family for pattern, family in self._families if fnmatchcase(model, pattern))

    def chats(self, model: str) -> bool:
        """Return whether a model is a chat model, by its name."""
        return not any(fnmatchcase(model, pattern) for pattern in self._not_chat)


def read_models(found: Iterable[types.Model], families: Families, prices: Mapping[str, Price]) -> list[ModelInfo]:
    """Return the chat models in a list of the API (Gemini API: models.list; Vertex AI: publishers.models.list)."""
    named = [(model, (model.name or "").rpartition("/")[2]) for model in found]
    return [_info(model, name, families.of(name), prices) for model, name in named if _is_chat(model, name, families)]


def _is_chat(model: types.Model, name: str, families: Families) -> bool:
    # Vertex AI does not list supported actions.
    actions = model.supported_actions
    return bool(name) and (actions is None or "generateContent" in actions) and families.chats(name)


def _info(model: types.Model, name: str, family: Family, prices: Mapping[str, Price]) -> ModelInfo:
    thinks = bool(family.efforts) if model.thinking is None or family.makes_pictures else model.thinking
    return ModelInfo(
        name,
        title=model.display_name or "",
        context_window=model.input_token_limit,
        max_output_tokens=model.output_token_limit,
        mime_types=family.mime_types,
        reasoning=thinks,
        price=prices.get(name),
        tools=family.calls_tools,
    )


def _family(table: Mapping[str, Any], kinds: Mapping[str, list[str]]) -> Family:
    efforts: Mapping[str, str | int] = table.get("levels") or table.get("budgets") or {}
    return Family(frozenset(kinds[table["files"]]), efforts, table.get("pictures", False), table.get("tools", True))
