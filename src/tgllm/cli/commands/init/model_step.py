"""Step of the default model: chosen from the list that the provider has sent."""

from collections.abc import Sequence

from tgllm.api.errors import ConfigError, ModelNotFound
from tgllm.api.model_ref import ModelRef
from tgllm.cli.commands.init.dialogue import Dialogue
from tgllm.cli.output import say
from tgllm.db.tables.models import NewModel
from tgllm.plugins.loading.registration import nearest
from tgllm.services.setup.providers import Tried
from tgllm.services.setup.suggestion import find_model, matching, suggested_first

__all__ = ["choose_model", "name_model"]

MOST_SHOWN = 20
"""Models that are listed at once; of the others a part of the name is asked for."""


def choose_model(dialogue: Dialogue, tried: Tried, wanted: str | None) -> str:
    """Return the model to use by default, as ``provider/model``.

    Raises:
        ConfigError: the wanted model is not in the list, and nothing may be asked.
    """
    ordered = suggested_first(tried.models)
    if wanted is not None:
        found = find_model(ordered, wanted, tried.provider)
        if found is not None:
            return _reference(tried.provider, wanted)
        hint = nearest(wanted.removeprefix(f"{tried.provider}/"), [each.model for each in ordered])
        text = dialogue.texts("init.model_unknown", model=wanted, hint=hint)
        if not dialogue.asks:
            raise ConfigError(text)
        dialogue.warn("init.model_unknown", model=wanted, hint=hint)
    elif not dialogue.asks:
        dialogue.say("init.model_chosen", model=f"{tried.provider}/{ordered[0].model}")
    return f"{tried.provider}/{_asked(dialogue, tried.provider, ordered)}"


def name_model(dialogue: Dialogue, provider: str, wanted: str | None) -> str:
    """Return the model to use by default without a list to check it against."""
    while True:
        answer = wanted or dialogue.ask("init.model_name", flag="--model", provider=provider)
        try:
            return str(ModelRef.parse(_reference(provider, answer)))
        except ModelNotFound as error:
            if wanted is not None:
                raise ConfigError(f"--model: {error}") from None
            dialogue.warn("init.wrong_answer", reason=str(error))


def _reference(provider: str, model: str) -> str:
    name = model.strip()
    return name if name.startswith(f"{provider}/") else f"{provider}/{name}"


def _asked(dialogue: Dialogue, provider: str, ordered: Sequence[NewModel]) -> str:
    shown = _listed(dialogue, ordered) if dialogue.asks else ordered
    while True:
        answer = dialogue.ask("init.model", default="1", suggestion=shown[0].model)
        if answer.isdecimal() and 0 < int(answer[:6]) <= min(len(shown), MOST_SHOWN):
            return shown[int(answer) - 1].model
        if (exact := find_model(ordered, answer, provider)) is not None:
            return exact.model
        fitting = matching(ordered, answer)
        if not fitting:
            hint = nearest(answer, [each.model for each in ordered])
            dialogue.warn("init.model_unknown", model=answer, hint=hint)
            continue
        shown = _listed(dialogue, fitting)


def _listed(dialogue: Dialogue, models: Sequence[NewModel]) -> Sequence[NewModel]:
    dialogue.say("init.models")
    width = max(len(each.model) for each in models[:MOST_SHOWN])
    for number, each in enumerate(models[:MOST_SHOWN], 1):
        say(f"  {number:>2}  {each.model:<{width}}  {_facts(dialogue, each)}".rstrip())
    if len(models) > MOST_SHOWN:
        dialogue.say("init.models_more", count=len(models) - MOST_SHOWN)
    return models


def _facts(dialogue: Dialogue, model: NewModel) -> str:
    parts = [model.title] if model.title and model.title != model.model else []
    if model.context_window:
        parts.append(dialogue.texts("init.model_window", count=model.context_window))
    if model.input_price is not None and model.output_price is not None:
        prices = (f"{price / 1_000_000:g}" for price in (model.input_price, model.output_price))
        parts.append(dialogue.texts("init.model_price", input=next(prices), output=next(prices)))
    return ", ".join(parts)
