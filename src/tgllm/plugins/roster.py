"""List of all plugins of a run; the only place that quarantines a loaded plugin."""

from collections.abc import Callable, Collection, Generator, Iterable, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TypeVar

from tgllm.api.context import Log, PluginContext
from tgllm.plugins.calls.call_watch import Callee, CallWatch
from tgllm.plugins.calls.outcome import Breach, Outcome, blamed, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.checks.values import check_value
from tgllm.plugins.loading.offers import Offers
from tgllm.plugins.loading.plugin import LoadedPlugin
from tgllm.plugins.loading.registration import HOOKS, Implementation

__all__ = ["Bound", "OnFailure", "OnQuarantine", "Roster"]

OnFailure = Callable[[str, str, BaseException], None]
"""Called with the id of a plugin, the name of the hook, and the exception. It must not raise."""

OnQuarantine = Callable[[str, str, BaseException], None]
"""Called with the id of a quarantined plugin, the reason in a sentence, and the exception. It must not raise."""

T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Bound:
    """A hook implementation with its plugin."""

    plugin: LoadedPlugin
    implementation: Implementation
    context: PluginContext

    def arguments(self, values: Mapping[str, object]) -> tuple[object, ...]:
        """Return the arguments for the function; ``ctx`` is the plugin's own context."""
        return self.implementation.arguments({"ctx": self.context, **values})

    def callee(self, *, is_waited_for: bool = False) -> Callee:
        """Return the function with its names, for a call."""
        return Callee(self.plugin.id, self.implementation.hook, self.implementation.function, is_waited_for)


class Roster:
    """The plugins in order, and the hooks of the active ones."""

    def __init__(
        self,
        plugins: Sequence[LoadedPlugin],
        disabled: Collection[str],
        runner: HookRunner,
        log: Log,
        watch: CallWatch,
    ) -> None:
        """Create a roster of loaded plugins.

        Args:
            plugins: the plugins in order.
            disabled: the ids that the operator has disabled by name.
            runner: calls the hooks.
            log: gets what is not reported.
            watch: notes the calls.
        """
        self._watch = watch
        self.plugins = tuple(plugins)
        self.disabled = frozenset(disabled)
        self.revision = 0
        """Number of quarantined plugins since the start."""
        self._runner = runner
        self._log = log
        self._on_quarantine: OnQuarantine | None = None
        self._on_failure: OnFailure | None = None
        self._refresh()

    @property
    def absent_authorizers(self) -> tuple[str, ...]:
        """Ids of plugins that implement ``tgllm_authorize`` and are not active, except those disabled by name."""
        return self._absent_authorizers

    def implementations(self, hook: str) -> tuple[Bound, ...]:
        """Return the implementations of active plugins: ``tryfirst``, the rest, ``trylast``, each by plugin id."""
        return self._hooks[hook]

    def offered(
        self, pick: Callable[[Offers], Iterable[tuple[int, T]]], own: Callable[[T, str, PluginContext], R]
    ) -> tuple[R, ...]:
        """Return the offers of active plugins, in the order of the implementations that returned them."""
        found = [
            (rank, plugin.id, own(offer, plugin.id, plugin.context))
            for plugin in self.plugins
            if plugin.is_active and plugin.context is not None
            for rank, offer in pick(plugin.offers)
        ]
        return tuple(owned for _, _, owned in sorted(found, key=lambda entry: entry[:2]))

    @property
    def titles(self) -> Mapping[str, str]:
        """Titles of active plugins by id, without the built-in ones."""
        return {
            plugin.id: plugin.title or plugin.id
            for plugin in self.plugins
            if plugin.is_active and not plugin.found.builtin
        }

    def quarantine(self, plugin_id: str, reason: str, failure: BaseException | None = None) -> None:
        """Quarantine an active plugin, with everything it provides."""
        for plugin in self.plugins:
            if plugin.id == plugin_id and plugin.is_active:
                plugin.stop("quarantined", reason, failure)
                self.revision += 1
                self._refresh()
                self.report(plugin)

    def report(self, plugin: LoadedPlugin) -> None:
        """Report the quarantine of a plugin: to the log, or to what ``report_to`` has set."""
        if self._on_quarantine is None:
            self._log.error("plugin.quarantined", plugin=plugin.id, reason=plugin.reason, at=plugin.at)
            return
        failure, plugin.failure = plugin.failure or Breach(plugin.reason), None
        self._on_quarantine(plugin.id, plugin.reason, failure)

    @property
    def has_reporter(self) -> bool:
        """Whether quarantines are reported to a function instead of the log."""
        return self._on_quarantine is not None

    def report_to(self, on_quarantine: OnQuarantine, on_failure: OnFailure | None = None) -> None:
        """Have quarantines, and failures that cause none, reported to functions instead of the log."""
        self._on_quarantine, self._on_failure = on_quarantine, on_failure

    def report_failure(self, bound: Bound, breach: Breach) -> None:
        """Report a failed call that does not quarantine its plugin."""
        hook, plugin_id = bound.implementation.hook, bound.plugin.id
        if self._on_failure is not None:
            self._on_failure(plugin_id, hook, breach)
            return
        from tgllm.plugins.calls.places import place_of_error  # noqa: PLC0415  a plugin that does not fail needs none

        at = place_of_error(breach, bound.plugin.found)
        if hook == "tgllm_shutdown":
            self._log.error("plugin.shutdown_failed", plugin=plugin_id, reason=str(breach), at=at)
        else:
            self._log.error("plugin.call_failed", plugin=plugin_id, hook=hook, reason=str(breach), at=at)

    async def call(self, bound: Bound, values: Mapping[str, object]) -> Outcome[object]:
        """Call one implementation."""
        return await self._watch.call(self._runner, bound.callee(is_waited_for=True), *bound.arguments(values))

    async def call_aside(self, bound: Bound) -> Outcome[object]:
        """Call one implementation of a hook with no argument but the context; a plain function runs in a thread."""
        return await self._watch.call_aside(self._runner, bound.callee(is_waited_for=True), *bound.arguments({}))

    async def value(self, bound: Bound, values: Mapping[str, object]) -> object:
        """Call one implementation and return its value.

        Raises:
            Breach: it failed; the plugin is quarantined.
        """
        return self.judged(bound, await self.call(bound, values))

    def judged(self, bound: Bound, outcome: Outcome[object]) -> object:
        """Return the value of an outcome.

        Raises:
            Breach: it is a failure; the plugin is quarantined.
        """
        with self._quarantining(bound):
            return value_of(outcome, bound.implementation.hook)

    def checked(self, bound: Bound, value: object, kind: type[T]) -> T:
        """Return ``value`` if it is an instance of ``kind``.

        Raises:
            Breach: it is of another type; the plugin is quarantined.
        """
        return self.passed(bound, lambda: check_value(bound.implementation.hook, value, kind))

    def passed(self, bound: Bound, check: Callable[[], T]) -> T:
        """Run a check of a returned value and return its result.

        Raises:
            Breach: the check failed; the plugin is quarantined.
        """
        with self._quarantining(bound):
            return check()

    @contextmanager
    def _quarantining(self, bound: Bound) -> Generator[None, None, None]:
        try:
            with blamed(bound.implementation.function):
                yield
        except Breach as breach:
            self.quarantine(bound.plugin.id, str(breach), breach)
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
