"""All plugins of a run, and the one place where one is taken out of it."""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tgllm.api.context import Log, PluginContext
from tgllm.plugins.calls.outcome import Breach, Outcome, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.checks.values import check_value
from tgllm.plugins.loading.offers import Offers
from tgllm.plugins.loading.plugin import LoadedPlugin
from tgllm.plugins.loading.registration import HOOKS, Implementation

__all__ = ["Bound", "Roster"]

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Bound:
    """An implementation with the plugin that it belongs to."""

    plugin: LoadedPlugin
    implementation: Implementation
    context: PluginContext

    def arguments(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """What to call the function with; ``ctx`` is the plugin's own."""
        return self.implementation.arguments({"ctx": self.context, **values})


class Roster:
    """The plugins in order, and the hooks of those that are active."""

    def __init__(
        self, plugins: Sequence[LoadedPlugin], disabled: Collection[str], runner: HookRunner, log: Log
    ) -> None:
        """Take the loaded plugins; ``disabled`` are the ids that the operator switched off by name."""
        self.plugins = tuple(plugins)
        self.disabled = frozenset(disabled)
        self.revision = 0
        """How often a plugin has been taken out."""
        self._runner = runner
        self._log = log
        self._refresh()

    @property
    def absent_authorizers(self) -> tuple[str, ...]:
        """Ids of plugins that should have a say in who may do what, and can't; disabled by name, they don't count."""
        return self._absent_authorizers

    def implementations(self, hook: str) -> tuple[Bound, ...]:
        """The implementations of active plugins: ``tryfirst``, the rest, ``trylast``, each by plugin id."""
        return self._hooks[hook]

    def offered(
        self, pick: Callable[[Offers], Iterable[tuple[int, T]]], own: Callable[[T, str, PluginContext], R]
    ) -> tuple[R, ...]:
        """What active plugins bring, in the order of the implementations that brought it."""
        found = [
            (rank, plugin.id, own(offer, plugin.id, plugin.context))
            for plugin in self.plugins
            if plugin.is_active and plugin.context is not None
            for rank, offer in pick(plugin.offers)
        ]
        return tuple(owned for _, _, owned in sorted(found, key=lambda entry: entry[:2]))

    def quarantine(self, plugin_id: str, reason: str) -> None:
        """Take an active plugin out, with all that it brought."""
        for plugin in self.plugins:
            if plugin.id == plugin_id and plugin.is_active:
                plugin.stop("quarantined", reason)
                self.revision += 1
                self._refresh()
                self._log.error("plugin.quarantined", plugin=plugin_id, reason=reason)

    async def call(self, bound: Bound, values: Mapping[str, object]) -> Outcome[object]:
        """Call one implementation."""
        return await self._runner.call(bound.implementation.function, *bound.arguments(values))

    async def call_aside(self, bound: Bound) -> Outcome[object]:
        """Call one implementation of a hook that takes the context at most, a plain one in a thread."""
        return await self._runner.call_aside(bound.implementation.function, *bound.arguments({}))

    async def value(self, bound: Bound, values: Mapping[str, object]) -> object:
        """Call one implementation and return what it returned.

        Raises:
            Breach: it failed; the plugin is quarantined already.
        """
        return self.judged(bound, await self.call(bound, values))

    def judged(self, bound: Bound, outcome: Outcome[object]) -> object:
        """The value of an outcome.

        Raises:
            Breach: it is a failure; the plugin is quarantined already.
        """
        with self._quarantining(bound):
            return value_of(outcome, bound.implementation.hook)

    def checked(self, bound: Bound, value: object, kind: type[T]) -> T:
        """``value`` if it is of ``kind``.

        Raises:
            Breach: it is not; the plugin is quarantined already.
        """
        return self.passed(bound, lambda: check_value(bound.implementation.hook, value, kind))

    def passed(self, bound: Bound, check: Callable[[], T]) -> T:
        """What a check of something that a plugin returned gives back.

        Raises:
            Breach: it was not passed; the plugin is quarantined already.
        """
        with self._quarantining(bound):
            return check()

    @contextmanager
    def _quarantining(self, bound: Bound) -> Generator[None, None, None]:
        try:
            yield
        except Breach as breach:
            self.quarantine(bound.plugin.id, str(breach))
            raise

    def _refresh(self) -> None:
        self._hooks = {hook: self._sorted(hook) for hook in HOOKS}
        absent = {plugin.id for plugin in self.plugins if "tgllm_authorize" in plugin.hooks and not plugin.is_active}
        self._absent_authorizers = tuple(sorted(absent - self.disabled))

    def _sorted(self, hook: str) -> tuple[Bound, ...]:
        bound = [
            Bound(plugin, implementation, plugin.context)
            for plugin in self.plugins
            if plugin.is_active and plugin.context is not None
            for implementation in plugin.implementations
            if implementation.hook == hook
        ]
        return tuple(sorted(bound, key=lambda entry: (entry.implementation.rank, entry.plugin.id)))
