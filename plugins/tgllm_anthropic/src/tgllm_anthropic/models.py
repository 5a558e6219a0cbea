"""Capabilities of models, from the API's list and from ``families.toml`` (Anthropic API: models)."""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from importlib.resources import files
from typing import Any

from tgllm.api.types import Json, JsonObject, ModelInfo, Price
from tgllm.providers.attachments import IMAGE_TYPES
from tgllm.providers.json_values import as_int, as_object, as_text

__all__ = ["EFFORTS", "PDF", "Abilities", "Families", "read_model", "with_write_prices"]

PDF = "application/pdf"
EFFORTS = ("low", "medium", "high", "xhigh", "max")
"""Values of ``output_config.effort``."""
_THINKING = ("adaptive", "enabled", "disabled", "between_tools")
_DATE = re.compile(r"-\d{8}$")


@dataclass(frozen=True, slots=True)
class Abilities:
    """What a model accepts."""

    thinking: frozenset[str] = frozenset()
    """Values of ``thinking.type``; empty for a model that does not reason."""
    is_on: bool = False
    """Whether it reasons without the field ``thinking``."""
    efforts: frozenset[str] = frozenset()
    temperature: bool = False
    forced: bool = True
    """Whether it can be forced to call a tool."""
    mime_types: frozenset[str] | None = None
    """Types of files; None if that is not known."""
    window: int | None = None
    """Maximum tokens of a request."""
    output: int | None = None
    """Maximum of ``max_tokens``."""

    @property
    def reasons(self) -> bool:
        """Whether it can be asked to reason."""
        return bool(self.thinking & {"adaptive", "enabled"})


class Families:
    """Model families from ``families.toml``."""

    def __init__(self) -> None:
        """Load ``families.toml``."""
        text = files("tgllm_anthropic").joinpath("families.toml").read_text(encoding="utf-8")
        table: dict[str, Any] = tomllib.loads(text)
        self._families = [(str(family["match"]), _abilities(family)) for family in table["families"]]

    def of(self, model: str) -> Abilities:
        """Return the abilities of the models with such a name."""
        return next(abilities for pattern, abilities in self._families if fnmatchcase(model, pattern))


def with_write_prices(prices: Mapping[str, Price], cache: str) -> Mapping[str, Price]:
    """Return prices with those of writing to the cache.

    Args:
        prices: prices by model.
        cache: how long the service keeps what is written: ``5m``, ``1h``, or ``off``.
    """
    # Source: Anthropic, Prompt caching, Pricing.
    factor = {"5m": 1.25, "1h": 2.0}.get(cache)
    if factor is None:
        return prices
    return {
        model: price if price.cache_write is not None else replace(price, cache_write=price.input * factor)
        for model, price in prices.items()
    }


def read_model(entry: JsonObject, known: Abilities, prices: Mapping[str, Price]) -> tuple[ModelInfo, Abilities] | None:
    """Parse one entry of the list; None if it has no id, or the model is retired.

    Args:
        entry: the entry, of which other services with this format send the id only.
        known: the abilities of the model's family.
        prices: prices by model, with or without the date in its name.
    """
    model = as_text(entry.get("id"))
    if not model or entry.get("lifecycle") == "retired":
        return None
    abilities = _completed(entry, known)
    info = ModelInfo(
        model,
        title=as_text(entry.get("display_name")),
        context_window=abilities.window,
        max_output_tokens=abilities.output,
        mime_types=abilities.mime_types or frozenset[str](),
        reasoning=abilities.reasons,
        price=prices.get(model) or prices.get(_DATE.sub("", model)),
    )
    return info, abilities


def _completed(entry: JsonObject, known: Abilities) -> Abilities:
    """Return the abilities that the list states, completed by those of the family."""
    can = as_object(entry.get("capabilities"))
    if types := as_object(as_object(can.get("thinking")).get("types")):
        known = replace(known, thinking=_supported(types, _THINKING))
    elif _is_denied(can.get("thinking")):
        known = replace(known, thinking=frozenset(), is_on=False)
    if effort := as_object(can.get("effort")):
        known = replace(known, efforts=_supported(effort, EFFORTS))
    kinds = known.mime_types
    for name, added in (("image_input", IMAGE_TYPES), ("pdf_input", frozenset({PDF}))):
        if name in can:
            before = kinds or frozenset[str]()
            kinds = before | added if _is_supported(can[name]) else before - added
    return replace(
        known,
        mime_types=kinds,
        window=_positive(entry.get("max_input_tokens")) or known.window,
        output=_positive(entry.get("max_tokens")) or known.output,
    )


def _supported(can: JsonObject, names: Iterable[str]) -> frozenset[str]:
    return frozenset(name for name in names if _is_supported(can.get(name)))


def _is_supported(value: Json) -> bool:
    return as_object(value).get("supported") is True


def _is_denied(value: Json) -> bool:
    return as_object(value).get("supported") is False


def _positive(value: Json) -> int | None:
    number = as_int(value)
    return number if number and number > 0 else None


def _abilities(table: Mapping[str, Any]) -> Abilities:
    is_claude = str(table["match"]).startswith("claude")
    return Abilities(
        thinking=frozenset(table["thinking"]),
        is_on=table.get("on", False),
        efforts=frozenset(EFFORTS) if table.get("efforts") else frozenset(),
        temperature=table.get("temperature", False),
        forced=table.get("forced", True),
        mime_types=IMAGE_TYPES | {PDF} if is_claude else None,
        window=table.get("window"),
        output=table.get("output"),
    )
