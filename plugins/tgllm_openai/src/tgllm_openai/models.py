"""Entries of the lists of models, which differ from service to service."""

import re
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from tgllm.api.types import Json, JsonObject, ModelInfo, Price
from tgllm.providers.attachments import IMAGE_TYPES
from tgllm.providers.json_values import as_int, as_list, as_object, as_text
from tgllm.providers.openai_models import context_window, is_chat_model
from tgllm_openai.presets import Preset, Unit

__all__ = ["chosen", "is_named", "read_entry", "undated"]

_OUTPUTS = (
    "max_completion_tokens",
    "max_output_tokens",
    "max_output_length",
    "top_provider.max_completion_tokens",
    "metadata.max_tokens",
)
_INPUTS = ("architecture.input_modalities", "input_modalities", "modalities.input")
_SEES = (
    "supports_image_input",
    "supports_image_in",
    "supports_vision",
    "capabilities.vision",
    "capabilities.image_input",
)
_FEATURES = ("supported_parameters", "supported_features", "tags", "metadata.tags", "capabilities")
_CALLS = (
    "supports_tools",
    "supports_tool_calling",
    "supports_function_calling",
    "tool_call",
    "capabilities.tools",
    "capabilities.tool_calling",
    "capabilities.function_calling",
    "capabilities.tool_use",
)
_TOOL_WORDS = frozenset(
    {"tools", "tool_use", "tool-use", "tool_calling", "tool-calling", "function_calling", "functions"}
)
_SEEING_NAME = re.compile(r"(?:^|[-_/.:\d])(?:vl|vision|llava|pixtral|moondream)(?:$|[-_/.:\d])", re.IGNORECASE)
_DATE = re.compile(r"-(?:\d{4}-\d\d-\d\d|\d{8})$")

_PLACES = ("pricing", "metadata.pricing", "cost")
_PRICES = {
    "input": ("prompt", "input", "input_tokens", "prompt_text_token_price"),
    "output": ("completion", "output", "output_tokens", "completion_text_token_price"),
    "cached": ("input_cache_read", "cache_read", "cached_input", "cached_prompt_text_token_price"),
    "cache_write": ("input_cache_write", "cache_write"),
}
_FACTORS: dict[Unit, float] = {"per_token": 1e6, "per_million": 1.0, "per_million_in_ten_thousandths": 1e-4}
_MOST_DOLLARS = 100_000.0


def read_entry(entry: JsonObject, preset: Preset) -> ModelInfo | None:
    """Parse an entry of a list; None if it is not a chat model."""
    model = as_text(entry.get("id")).removeprefix(preset.id_prefix)
    # A name with a lone surrogate can't be sent, and would cost the whole list.
    if (
        not model.isprintable()
        or not model
        or not is_chat_model(entry)
        or any(fnmatchcase(model.lower(), each) for each in preset.leave_out)
    ):
        return None
    return ModelInfo(
        model,
        title=as_text(entry.get("name")) or as_text(entry.get("display_name")),
        context_window=context_window(entry) or _number(entry, ("max_input_tokens",)),
        max_output_tokens=_number(entry, _OUTPUTS),
        mime_types=IMAGE_TYPES if _sees(entry, model, otherwise=preset.images) else frozenset(),
        reasoning=_reasons(entry),
        tools=_calls(entry),
        price=_price(entry, preset.prices),
    )


def chosen(models: Iterable[ModelInfo], patterns: Sequence[str], preset: Preset) -> list[ModelInfo]:
    """Return the models that the patterns select, and those that are named without being listed."""
    wanted = [each for each in patterns if not each.startswith("!")]
    unwanted = [each[1:] for each in patterns if each.startswith("!")]
    found = [
        model for model in models if (not wanted or _matches(model.id, wanted)) and not _matches(model.id, unwanted)
    ]
    known = {model.id.lower() for model in found}
    named = [name for name in wanted if is_named(name) and name.lower() not in known]
    return [*found, *(read_entry({"id": name}, preset) or ModelInfo(name) for name in named)]


def is_named(pattern: str) -> bool:
    """Return whether a pattern is the name of one model."""
    return not any(sign in pattern for sign in "*?[!")


def undated(model: str) -> str:
    """Return the name without the date of a snapshot."""
    return _DATE.sub("", model)


def _matches(model: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(model.lower(), each.lower()) for each in patterns)


def _at(entry: JsonObject, path: str) -> Json:
    *folders, name = path.split(".")
    for folder in folders:
        entry = as_object(entry.get(folder))
    return entry.get(name)


def _number(entry: JsonObject, paths: Iterable[str]) -> int | None:
    return next((number for path in paths if (number := as_int(_at(entry, path))) and number > 0), None)


def _sees(entry: JsonObject, model: str, *, otherwise: bool) -> bool:
    for path in _INPUTS:
        if inputs := as_list(_at(entry, path)):
            return "image" in inputs
    if modality := as_text(_at(entry, "architecture.modality")):
        return "image" in modality.partition("->")[0]
    flags = [flag for path in _SEES if isinstance(flag := _at(entry, path), bool)]
    if flags:
        return any(flags)
    return otherwise or "vision" in as_list(entry.get("tags")) or bool(_SEEING_NAME.search(model))


def _reasons(entry: JsonObject) -> bool:
    if isinstance(flag := _at(entry, "capabilities.reasoning"), bool):
        return flag
    named = {as_text(each) for path in _FEATURES for each in as_list(_at(entry, path))}
    return not named.isdisjoint({"reasoning", "reasoning_effort", "thinking"}) or bool(
        as_object(entry.get("reasoning"))
    )


def _calls(entry: JsonObject) -> bool | None:
    """Return whether a model calls tools; None where the list does not tell."""
    hosts = [as_object(host) for host in as_list(entry.get("providers"))]
    flags = [flag for path in _CALLS if isinstance(flag := _at(entry, path), bool)]
    flags += [flag for host in hosts if isinstance(flag := host.get("supports_tools"), bool)]
    if flags:
        return any(flags)
    told = [{as_text(each) for each in as_list(_at(entry, path))} for path in _FEATURES]
    if any(not _TOOL_WORDS.isdisjoint(words) for words in told):
        return True
    # Of these lists only the parameters are complete.
    return False if as_list(entry.get("supported_parameters")) else None


def _price(entry: JsonObject, unit: Unit) -> Price | None:
    """Return the price in the list; the highest of several hosts among which a router chooses."""
    if not unit:
        return None
    hosts = [as_object(as_object(host).get("pricing")) for host in as_list(entry.get("providers"))]
    places = [*hosts, *(as_object(_at(entry, path)) for path in _PLACES), entry]
    found = [price for place in places if (price := _price_in(place, _FACTORS[unit]))]
    if not hosts:
        return next(iter(found), None)
    return max(found, key=lambda price: (price.output, price.input), default=None)


def _price_in(place: JsonObject, factor: float) -> Price | None:
    dollars = {field: _dollars(place, names, factor) for field, names in _PRICES.items()}
    read, written = dollars["input"], dollars["output"]
    if read is None or written is None:
        return None
    return Price(read, written, dollars["cached"], cache_write=dollars["cache_write"])


def _dollars(place: JsonObject, names: Iterable[str], factor: float) -> float | None:
    """Return US dollars per million tokens; None for a value that is no price, such as -1 of a router."""
    value = next((place[name] for name in names if name in place), None)
    try:
        dollars = round(float(value) * factor, 6) if isinstance(value, str | int | float) else -1.0
    except (ValueError, OverflowError):
        return None
    return dollars if 0 <= dollars <= _MOST_DOLLARS and not isinstance(value, bool) else None
