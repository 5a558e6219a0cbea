"""Order of a provider's models for a first choice, and their filter."""

import re
from collections.abc import Sequence
from typing import Final

from tgllm.db.tables.models import NewModel

__all__ = ["find_model", "matching", "suggested_first"]

_OTHER_PURPOSES: Final = re.compile(
    r"embed|tts|audio|speech|transcri|voxtral|whisper|image|imagen|veo|video|vision|ocr|moderat|guard|rerank|robotics|"
    r"computer|live|aqa|lyria|realtime|search|code|coding|devstral|math",
    re.IGNORECASE,
)
"""Parts of names of models that are made for something other than conversation."""
_UNSTABLE: Final = re.compile(
    r"preview|exp(?:erimental)?(?:\b|_)|beta|alpha|nightly|labs|thinking|reason", re.IGNORECASE
)
_MIDDLE: Final = re.compile(r"flash(?!.*lite)|small|mini(?!stral)|chat|haiku|turbo", re.IGNORECASE)
"""Parts of names of models that answer fast at a low price."""
_STABLE: Final = re.compile(r"latest", re.IGNORECASE)


def suggested_first(models: Sequence[NewModel]) -> Sequence[NewModel]:
    """Return the models with a sensible first choice in front: made for conversation, released, fast, not dear."""
    return sorted(models, key=_rank)


def _rank(model: NewModel) -> tuple[object, ...]:
    names = " ".join((model.model, *model.aliases))
    return (
        _OTHER_PURPOSES.search(model.model) is not None,
        _UNSTABLE.search(model.model) is not None,
        _MIDDLE.search(names) is None,
        model.context_window is not None and model.context_window < 8000,
        _STABLE.search(names) is None,
        # The newest of one family usually has the largest number.
        tuple(-int(number[:9]) for number in re.findall(r"\d+", model.model)),
        model.model,
    )


def matching(models: Sequence[NewModel], text: str) -> Sequence[NewModel]:
    """Return the models whose name, alias or title contains every word of the text."""
    words = text.casefold().split()
    return [model for model in models if all(word in _searched(model) for word in words)]


def find_model(models: Sequence[NewModel], text: str, provider: str) -> NewModel | None:
    """Return the model with exactly this name or alias, with or without its provider in front."""
    wanted = text.strip()
    for name in (wanted, wanted.removeprefix(f"{provider}/")):
        for model in models:
            if name == model.model or name in model.aliases:
                return model
    return None


def _searched(model: NewModel) -> str:
    return " ".join((model.model, model.title, *model.aliases)).casefold()
