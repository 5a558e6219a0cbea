"""Registry of the providers that plugins offer; each is created on first use."""

import asyncio
import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from tgllm.api import ModelNotFound, ModelRef, NotConfigured, Provider, ProviderError, TgllmError
from tgllm.plugins.calls.outcome import Breach, Raised, Returned, contract_error, explain, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.calls.thread import HookThread
from tgllm.plugins.host import PluginHost
from tgllm.plugins.owned import OwnedProvider
from tgllm.services.common.text import sentence

__all__ = ["ProviderRegistry", "ProviderStatus"]


@dataclass(frozen=True, slots=True)
class ProviderStatus:
    """Status of a provider."""

    id: str
    title: str
    plugin_id: str
    state: Literal["ready", "not configured", "broken"]
    reason: str = ""
    """Error message without secrets; empty if ready."""
    variable: str | None = None
    """Environment variable to set, such as ``GEMINI_API_KEY``, if only an API key is missing."""
    wrong_setting: bool = False
    """Whether a setting or a variable other than the key keeps it from starting."""


class ProviderRegistry:
    """Creates and caches providers by id. Closing the registry closes them."""

    def __init__(
        self, host: PluginHost, *, create_seconds: float = 30.0, close_seconds: float = 5.0, grace_seconds: float = 1.0
    ) -> None:
        """Use the providers of a host's plugins; later changes of the plugins are followed.

        Args:
            host: the plugin host.
            create_seconds: timeout of a provider's creation, which may import an SDK.
            close_seconds: timeout of a provider's ``aclose``.
            grace_seconds: time for the clean-up of an ``aclose`` that was cancelled by its timeout.
        """
        self._host = host
        self._revision = -1
        self._present: Mapping[str, OwnedProvider] = {}
        self._aliases: Mapping[str, str] = {}
        self._created: dict[str, tuple[OwnedProvider, Provider]] = {}
        self._locks: dict[str, asyncio.Lock] = {}
        self._create_seconds = create_seconds
        self._closing = HookRunner(close_seconds, grace_seconds)

    @property
    def _offered(self) -> Mapping[str, OwnedProvider]:
        """Providers of active plugins by id, cached until the plugins change."""
        if self._revision != self._host.revision:
            self._revision = self._host.revision
            self._present = {owned.spec.id: owned for owned in self._host.providers}
            self._aliases = {alias: owned.spec.id for owned in self._present.values() for alias in owned.spec.aliases}
        return self._present

    @property
    def ids(self) -> tuple[str, ...]:
        """Sorted ids of the providers."""
        return tuple(sorted(self._offered))

    def resolve(self, text: str) -> ModelRef:
        """Parse a model reference, and resolve an alias of the provider.

        Raises:
            ModelNotFound: the reference is malformed, or the provider unknown; the message suggests the closest match.
        """
        ref = self.canonical(ModelRef.parse(text))
        if ref.provider not in self._offered:
            raise self._unknown(ref.provider)
        return ref

    def canonical(self, ref: ModelRef) -> ModelRef:
        """Resolve an alias of the provider; an unknown provider is kept."""
        return (
            ref if ref.provider in self._offered else ModelRef(self._aliases.get(ref.provider, ref.provider), ref.model)
        )

    async def provider(self, provider_id: str) -> Provider:
        """Return the provider of an id; it is created on first use.

        Raises:
            ModelNotFound: the provider is unknown.
            NotConfigured: its API key is missing.
            ProviderError: its creation failed.
        """
        owned = self._offered.get(provider_id)
        if owned is None:
            raise self._unknown(provider_id)
        if provider_id not in self._created:
            async with self._locks.setdefault(provider_id, asyncio.Lock()):
                if provider_id not in self._created:
                    self._created[provider_id] = (owned, await self._create(owned))
        return self._created[provider_id][1]

    async def statuses(self) -> Sequence[ProviderStatus]:
        """Create all providers concurrently, and return their statuses sorted by id."""
        offered = sorted(self._offered.values(), key=lambda owned: owned.spec.id)
        return await asyncio.gather(*map(self._status, offered))

    async def _status(self, owned: OwnedProvider) -> ProviderStatus:
        spec = owned.spec
        try:
            await self.provider(spec.id)
        except NotConfigured as error:
            variable = error.params.get("variable")
            named = variable if isinstance(variable, str) else None
            wrong = error.code == "wrong_setting"
            return ProviderStatus(
                spec.id, spec.title, owned.plugin_id, "not configured", sentence(error), named, wrong_setting=wrong
            )
        except TgllmError as error:
            return ProviderStatus(spec.id, spec.title, owned.plugin_id, "broken", sentence(error))
        return ProviderStatus(spec.id, spec.title, owned.plugin_id, "ready")

    async def aclose(self) -> None:
        """Close all created providers concurrently, each within its timeout; failures are logged."""
        created, self._created = self._created, {}
        await asyncio.gather(*(self._close(owned, provider) for owned, provider in created.values()))
        await self._closing.aclose()

    async def _close(self, owned: OwnedProvider, provider: Provider) -> None:
        outcome = await self._closing.call(provider.aclose)
        if not isinstance(outcome, Returned):
            error = explain(outcome.error) if isinstance(outcome, Raised) else f"no end in {outcome.seconds:g} s"
            owned.context.log.warning("provider.close_failed", provider=owned.spec.id, error=error)

    async def _create(self, owned: OwnedProvider) -> Provider:
        """Create a provider in a thread, since importing an SDK would block the event loop for about a second."""
        thread = HookThread()
        try:
            outcome = await thread.run(lambda: owned.spec.create(owned.context), self._create_seconds)
        finally:
            thread.close()
        if isinstance(outcome, Raised) and (error := contract_error(outcome.error)):
            raise error
        try:
            return _checked(value_of(outcome, f"the start of the provider {owned.spec.id}"))
        except Breach as breach:
            raise ProviderError(str(breach), code="provider_broken", provider=owned.spec.id) from breach

    def _unknown(self, name: str) -> ModelNotFound:
        near = difflib.get_close_matches(name, [*self._offered, *self._aliases], n=1)
        if near:
            return ModelNotFound(
                f"no provider is called {name!r}; did you mean {near[0]}?",
                code="provider_unknown_near",
                provider=name,
                nearest=near[0],
            )
        known = ", ".join(self.ids) or "-"
        return ModelNotFound(
            f"no provider is called {name!r}; there are: {known}", code="provider_unknown", provider=name, known=known
        )


def _checked(created: object) -> Provider:
    if not isinstance(created, Provider):
        raise Breach(f"create made a {type(created).__name__}, which is no tgllm.api.Provider")
    return created
