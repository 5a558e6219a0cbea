"""Loading of a plugin: import, hooks, info, settings, context, offers."""

from collections.abc import Callable, Mapping
from typing import TypeVar

from tgllm.api.context import PluginInfo
from tgllm.api.errors import ConfigError
from tgllm.api.version import API_VERSION
from tgllm.i18n import read_texts
from tgllm.plugins.calls.call_watch import Callee, CallWatch
from tgllm.plugins.calls.outcome import Breach, Outcome, Raised, blamed, explain, value_of
from tgllm.plugins.calls.thread import HookThread
from tgllm.plugins.calls.time_limits import HostLimits
from tgllm.plugins.checks import values
from tgllm.plugins.checks.info import check_info, missing_in_api
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.loading.breadcrumbs import Breadcrumbs, Death
from tgllm.plugins.loading.contexts import HostServices, make_context
from tgllm.plugins.loading.offers import OFFER_HOOKS
from tgllm.plugins.loading.plugin import LoadedPlugin
from tgllm.plugins.loading.registration import Implementation, read_hooks
from tgllm.plugins.loading.settings import PluginSettingsSource, read_settings

__all__ = ["Loader"]

T = TypeVar("T")


class Loader:
    """Loader of single plugins; a failure is stored in the plugin's state and reason."""

    def __init__(
        self,
        thread: HookThread,
        limits: HostLimits,
        settings: PluginSettingsSource,
        services: HostServices,
        watch: CallWatch,
    ) -> None:
        """Create a loader; all plugin code runs in ``thread``, and ``watch`` notes the calls."""
        self._watch = watch
        self._thread = thread
        self._limits = limits
        self._settings = settings
        self._services = services
        self._breadcrumbs = Breadcrumbs(services.data_dir)

    async def deaths(self) -> Mapping[str, Death]:
        """Return the plugins that ended a process while they were loaded."""
        return value_of(await self._try(self._breadcrumbs.deaths), "reading which plugins ended a process")

    async def close(self) -> None:
        """Remove the note on what is loaded."""
        await self._try(self._breadcrumbs.close)

    async def load(self, plugin: LoadedPlugin) -> None:
        """Load ``plugin`` in place, or stop it with the reason."""
        if plugin.found.builtin:
            await self._load(plugin)
            return
        await self._try(lambda: self._breadcrumbs.begin(plugin.found))
        try:
            await self._load(plugin)
        finally:
            await self._try(lambda: self._breadcrumbs.end(plugin.id))

    async def _load(self, plugin: LoadedPlugin) -> None:
        try:
            info = await self.read(plugin)
            await self._configure(plugin, info)
            await self._collect(plugin)
        except Breach as breach:
            plugin.stop("quarantined", str(breach), breach)
        except ConfigError as error:
            plugin.stop("misconfigured", str(error))

    async def read(self, plugin: LoadedPlugin) -> PluginInfo:
        """Import ``plugin``, and return its description.

        Raises:
            Breach: the import failed, or the description is missing or invalid.
        """
        outcome = await self._watch.note(
            Callee(plugin.id, "import", plugin.found.load),
            lambda: self._try(plugin.found.load, self._limits.import_seconds),
        )
        loaded = _of_contract(outcome, "its import", _import_hint(outcome, plugin.found))
        plugin.implementations = await self._run("reading its hooks", lambda: read_hooks(loaded))
        plugin.hooks = tuple(sorted({implementation.hook for implementation in plugin.implementations}))
        info = await self._info(plugin)
        plugin.api = str(info.api)
        plugin.title = str(info.title)
        with blamed(_of(plugin, "tgllm_plugin_info")[0].function):
            check_info(plugin.found, info)
        plugin.info = info
        return info

    async def _info(self, plugin: LoadedPlugin) -> PluginInfo:
        match _of(plugin, "tgllm_plugin_info"):
            case (only,):
                value = await self._call(plugin, only, of_contract=True)
                with blamed(only.function):
                    return values.check_value(only.hook, value, PluginInfo)
            case ():
                raise Breach(f"it has no tgllm_plugin_info: {plugin.found.value} must implement it")
            case _:
                raise Breach("it implements tgllm_plugin_info more than once")

    async def _configure(self, plugin: LoadedPlugin, info: PluginInfo) -> None:
        outcome = await self._try(lambda: read_settings(info, self._settings))
        if isinstance(outcome, Raised) and isinstance(outcome.error, ConfigError):
            raise outcome.error
        settings = value_of(outcome, "its settings model")
        folder = info.texts
        texts = None if folder is None else await self._run("reading its texts", lambda: read_texts(folder))
        plugin.notes = () if texts is None else texts.problems
        has_job_hook = "tgllm_job" in plugin.hooks
        plugin.context = await self._run(
            "its context",
            lambda: make_context(plugin.id, settings, self._services, texts, has_job_hook=has_job_hook),
        )

    async def _collect(self, plugin: LoadedPlugin) -> None:
        for hook in OFFER_HOOKS:
            for implementation in _of(plugin, hook):
                value = await self._call(plugin, implementation, plugin.context)
                with blamed(implementation.function):
                    plugin.offers = plugin.offers.extended(hook, value, implementation.rank)
        names = list(plugin.offers.names())
        for name in names:
            if names.count(name) > 1:
                raise Breach(f"it gives {name} twice")

    async def _call(
        self, plugin: LoadedPlugin, implementation: Implementation, ctx: object = None, *, of_contract: bool = False
    ) -> object:
        function, arguments = implementation.function, implementation.arguments({"ctx": ctx})
        callee = Callee(plugin.id, implementation.hook, function)
        with blamed(function):
            values.refuse_async(implementation.hook, function)
            outcome = await self._watch.note(callee, lambda: self._try(lambda: function(*arguments)))
            return (_of_contract if of_contract else value_of)(outcome, implementation.hook)

    async def _run(self, what: str, function: Callable[[], T], seconds: float | None = None) -> T:
        return value_of(await self._try(function, seconds), what)

    async def _try(self, function: Callable[[], T], seconds: float | None = None) -> Outcome[T]:
        return await self._thread.run(function, seconds or self._limits.hook_seconds)


def _of(plugin: LoadedPlugin, hook: str) -> tuple[Implementation, ...]:
    mine = (implementation for implementation in plugin.implementations if implementation.hook == hook)
    return tuple(sorted(mine, key=lambda implementation: implementation.rank))


def _import_hint(outcome: Outcome[object], found: FoundPlugin) -> str:
    """Return what to do about an import that failed, for the end of a sentence."""
    if not isinstance(outcome, Raised):
        return ""
    error = outcome.error
    module, _, name = found.value.partition(":")
    # A plugin may raise one whose name is anything.
    if isinstance(error, ModuleNotFoundError) and isinstance(error.name, str) and error.name:
        if error.name.partition(".")[0] == module.partition(".")[0]:
            return f": the entry point {found.id} names {found.value}, and the package has to contain it"
        return f": name it in the dependencies of {found.package}, and install the package again"
    if isinstance(error, AttributeError) and name and error.name == name.partition(".")[0]:
        return f": the entry point {found.id} names {found.value}"
    return ""


def _of_contract(outcome: Outcome[T], what: str, hint: str = "") -> T:
    """Return the value; if a name of the plugin API is missing, that is the reason of the breach.

    Args:
        outcome: the outcome of the call.
        what: what was called, as the start of a sentence.
        hint: what to do about a failure, for the end of the sentence.

    Raises:
        Breach: the code failed.
    """
    if isinstance(outcome, Raised) and (name := missing_in_api(outcome.error)):
        has = f"which this tgllm (API {API_VERSION}) does not have"
        raise Breach(f"it needs {name}, {has}: upgrade tgllm, or correct the name") from outcome.error
    if isinstance(outcome, Raised) and hint:
        raise Breach(f"{what} raised {explain(outcome.error)}{hint}") from outcome.error
    return value_of(outcome, what)
