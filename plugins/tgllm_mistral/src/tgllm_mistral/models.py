"""Parser of Mistral's list of models, which has an entry for each name of a model (Mistral API: list models)."""

from collections.abc import Iterable, Mapping

from tgllm.api.types import JsonObject, ModelInfo, Price
from tgllm.providers.attachments import IMAGE_TYPES
from tgllm.providers.json_values import as_int, as_list, as_object, as_text
from tgllm_mistral.wire import DOCUMENT_TYPES

__all__ = ["fold_models"]


def fold_models(entries: Iterable[JsonObject], prices: Mapping[str, Price]) -> list[ModelInfo]:
    """Merge the entries of each chat model: under its dated id if it has one, with its other names as aliases."""
    groups: list[list[JsonObject]] = []
    for entry in entries:
        if as_object(entry.get("capabilities")).get("completion_chat") is True and as_text(entry.get("id")):
            same = [group for group in groups if _names(entry) & set().union(*map(_names, group))]
            groups = [group for group in groups if group not in same]
            groups.append([*(found for group in same for found in group), entry])
    return [_model(group, prices) for group in groups]


def _names(entry: JsonObject) -> set[str]:
    names = (entry.get("id"), entry.get("name"), *as_list(entry.get("aliases")))
    return {text for name in names if (text := as_text(name))}


def _model(group: list[JsonObject], prices: Mapping[str, Price]) -> ModelInfo:
    entry = min(group, key=_is_alias)
    model = as_text(entry.get("id"))
    names = set[str]().union(*map(_names, group))
    can = as_object(entry.get("capabilities"))
    return ModelInfo(
        model,
        context_window=as_int(entry.get("max_context_length")),
        mime_types=DOCUMENT_TYPES | (IMAGE_TYPES if can.get("vision") is True else frozenset[str]()),
        reasoning=can.get("reasoning") is True,
        aliases=tuple(sorted(names - {model})),
        tools=calls if isinstance(calls := can.get("function_calling"), bool) else None,
        price=next((prices[name] for name in (model, *sorted(names)) if name in prices), None),
    )


def _is_alias(entry: JsonObject) -> tuple[bool, bool]:
    """Return a sort key that puts aliases last: ids that end with "-latest", or that differ from the name."""
    model = as_text(entry.get("id"))
    return model.endswith("-latest"), bool(entry.get("name")) and entry.get("name") != model
