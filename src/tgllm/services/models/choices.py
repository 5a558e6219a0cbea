"""The models that a chat can choose from, and finding one by what somebody writes or presses."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

from tgllm.api import ModelNotFound, ModelRef
from tgllm.api.clock import Clock, milliseconds
from tgllm.config.model import Config
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables import conversations, models
from tgllm.db.tables.models import Model
from tgllm.services.chats.settings import persona_in, settings_of
from tgllm.services.models.in_use import ModelInUse, model_in_use
from tgllm.services.models.registry import ProviderRegistry, ProviderStatus

__all__ = ["ModelChoices", "choice_key", "choose_model", "load_choices", "pick"]

_KEY_DIGITS = 16
"""Hex digits of a key: 64 bits tell any number of models apart, and fit into a button."""


@cache
def choice_key(name: str) -> str:
    """A short key for the name of a model or provider of any length."""
    return hashlib.sha256(name.encode()).hexdigest()[:_KEY_DIGITS]


@dataclass(frozen=True, slots=True)
class ModelChoices:
    """What can be chosen in a chat, as it is now."""

    providers: Sequence[ProviderStatus]
    """All of them, sorted by id."""
    models: Sequence[Model]
    """Of the providers that are ready, by provider and model."""
    in_use: ModelInUse
    default: ModelRef
    """What answers where nothing is chosen."""
    chosen: ModelRef | None
    """What was chosen in the chat."""

    @property
    def ready(self) -> Sequence[ProviderStatus]:
        """The providers that have models to choose from."""
        listed = {model.provider for model in self.models}
        return [provider for provider in self.providers if provider.state == "ready" and provider.id in listed]

    def of_provider(self, provider: str) -> Sequence[Model]:
        """The models of a provider."""
        return [model for model in self.models if model.provider == provider]

    def provider_by_key(self, key: str) -> ProviderStatus | None:
        """The provider with models whose id has that key."""
        return next((provider for provider in self.ready if choice_key(provider.id) == key), None)

    def model_by_key(self, key: str) -> Model | None:
        """The model whose reference has that key."""
        return next((model for model in self.models if choice_key(str(model.ref)) == key), None)

    def model(self, ref: ModelRef) -> Model | None:
        """The model of that id or alias."""
        same = [model for model in self.models if model.provider == ref.provider]
        by_id = next((model for model in same if model.model == ref.model), None)
        return by_id or next((model for model in same if ref.model in model.aliases), None)

    def is_ready(self, provider: str) -> bool:
        """Whether the provider can answer, whatever it lists."""
        return any(status.id == provider and status.state == "ready" for status in self.providers)

    def named(self, text: str) -> Model | None:
        """The only model whose id or alias that is, without its provider."""
        found = [model for model in self.models if text in (model.model, *model.aliases)]
        return found[0] if len(found) == 1 else None

    def search(self, text: str) -> Sequence[Model]:
        """The models whose reference, title or aliases hold every word of the text, in any case."""
        words = text.casefold().split()
        return [model for model in self.models if all(word in _searched(model) for word in words)]


def _searched(model: Model) -> str:
    return " ".join((str(model.ref), model.title, *model.aliases)).casefold()


async def load_choices(database: Database, registry: ProviderRegistry, config: Config, lane: str) -> ModelChoices:
    """Look at what there is to choose from in the chat of a lane.

    Raises:
        DatabaseError: the lists can't be read.
    """
    statuses = await registry.statuses()
    ready = {status.id for status in statuses if status.state == "ready"}
    configured = ModelRef.parse(config.default_model)

    def unit(conn: Connection) -> ModelChoices:
        conversation = conversations.active_in(conn, lane)
        persona = persona_in(settings_of(conversation), config.personas)
        usable = [model for model in models.list_all(conn) if model.provider in ready]
        return ModelChoices(
            statuses,
            usable,
            model_in_use(conn, conversation, configured, registry.canonical, persona),
            model_in_use(conn, None, configured, registry.canonical, persona).ref,
            conversation.chosen if conversation is not None else None,
        )

    return await database.read(unit)


def choose_model(clock: Clock, lane: str, ref: ModelRef | None) -> Unit:
    """The piece of work that makes a model answer in the chat of a lane from now on; None: the default."""
    now = milliseconds(clock)

    def unit(conn: Connection) -> None:
        conversations.set_model(conn, conversations.active_for(conn, lane, now).id, ref, now)

    return unit


def pick(registry: ProviderRegistry, choices: ModelChoices, text: str) -> ModelRef | None:
    """The model that a text names exactly, by reference, id or alias; None if it names none that can be chosen.

    Of a provider that can answer but can't say what models it has, any. Where there is a list, only what stands in it:
    under another name a model would have no price, and would cost nothing of a budget.
    """
    ref = _parsed(registry, text)
    listed = (None if ref is None else choices.model(ref)) or choices.named(text)
    if listed is not None:
        return listed.ref
    if ref is None or not choices.is_ready(ref.provider) or choices.of_provider(ref.provider):
        return None
    return ref


def _parsed(registry: ProviderRegistry, text: str) -> ModelRef | None:
    """What somebody wrote, as a reference to a model of a provider that there is; None if it is none."""
    try:
        return registry.resolve(text)
    except ModelNotFound:
        return None
