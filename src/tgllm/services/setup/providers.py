"""Installed providers for ``tgllm init``: which can be chosen, and whether one answers with given settings."""

from collections.abc import AsyncGenerator, Collection, Iterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, cast

from tgllm.api import AuthFailed, NotConfigured, PluginInfo, TgllmError
from tgllm.api.clock import Clock
from tgllm.config.load import LoadedConfig
from tgllm.db.tables.models import NewModel
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins import HostServices, PluginChoice, PluginHost, discover
from tgllm.plugins.calls.outcome import Breach, Raised, TimedOut, contract_error, explain, value_of
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.common.text import sentence
from tgllm.services.models.listing import checked_models
from tgllm.services.models.readiness import ECHO
from tgllm.services.models.registry import ProviderRegistry
from tgllm.services.setup.fields import Field, address_field, key_field, missing_fields

__all__ = ["Candidate", "Given", "ProviderSetup", "Tried", "value_at"]

LIST_SECONDS = 30.0
GRACE_SECONDS = 2.0

Given = Mapping[str, Mapping[str, object]]
"""Settings of plugins, by plugin id and field."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A provider that can be chosen."""

    id: str
    title: str
    plugin_id: str
    state: Literal["ready", "needs", "broken"]
    """``ready``: can start; ``needs``: a setting is missing; ``broken``: something else is wrong."""
    reason: str
    aliases: tuple[str, ...]
    key: Field | None
    address: Field | None
    missing: Sequence[Field]
    """Required settings that are not set."""
    has_key: bool
    settings: Mapping[str, object] = field(default_factory=dict[str, object])
    """Settings that choose it, by dotted field."""
    is_preset: bool = False
    """Whether it exists only with those settings; there may be many of them."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What a provider answered."""

    models: Sequence[NewModel] = ()
    problem: Literal["", "key", "setting", "unreachable"] = ""
    reason: str = ""
    field: str = ""
    """Name of the wrong setting, if it is known."""
    provider: str = ""
    """Id of the provider that was asked."""


class ProviderSetup:
    """The installed providers, with the settings of flags and environment."""

    def __init__(self, loaded: LoadedConfig, clock: Clock, *, plugins: bool) -> None:
        """Use the settings of ``loaded``; ``plugins`` False loads only the built-in ones."""
        self._loaded = loaded
        self._clock = clock
        self._plugins = plugins

    def settings_of(self, plugin_id: str, env: Mapping[str, str], given: Given) -> Mapping[str, object]:
        """Return all settings of one plugin, by field.

        Raises:
            ConfigError: an untrusted source sets an address, and another one a key.
        """
        return self._loaded.plugins.with_values(given).for_plugin(plugin_id, env)

    async def candidates(self, given: Given) -> tuple[Sequence[Candidate], Mapping[str, str]]:
        """Return the providers that can be chosen, and why plugins can't be used, by id."""
        async with self._open(given) as (host, registry, folder):
            described = host.descriptions
            owned = {each.spec.id: each for each in host.providers}
            found = [
                self._candidate(
                    status.id,
                    owned[status.id].spec.title,
                    owned[status.id].plugin_id,
                    "ready" if status.state == "ready" else "needs" if status.state == "not configured" else "broken",
                    self._named(status.reason, folder),
                    tuple(owned[status.id].spec.aliases),
                    host,
                    given,
                )
                for status in await registry.statuses()
                if status.id != ECHO
            ]
            for record in host.records:
                if record.state == "misconfigured" and "tgllm_providers" in record.hooks and record.id in described:
                    title = described[record.id].title
                    found.append(self._candidate(record.id, title, record.id, "needs", record.reason, (), host, given))
            active = {record.id for record in host.records if record.state == "active"}
            for plugin, info in described.items():
                if plugin in active:
                    found += self._presets(info, {*owned, *(each.id for each in found)}, given)
            unusable = {
                record.id: record.reason for record in host.records if record.state in {"quarantined", "missing"}
            }
            return found, unusable

    async def try_provider(self, candidate: Candidate, given: Given, seconds: float = LIST_SECONDS) -> Tried:
        """Ask a provider for its models; this checks its key and costs nothing."""
        async with self._open(given) as (host, registry, folder):
            if wrong := next(
                (str(error) for error in host.config_errors if f".{candidate.plugin_id}." in str(error)), ""
            ):
                return Tried(problem="setting", reason=wrong, field=_named_field(wrong, candidate.plugin_id))
            ids = [each.spec.id for each in host.providers if each.plugin_id == candidate.plugin_id]
            provider = candidate.id if candidate.id in ids or not ids else ids[0]
            found = await _list(registry, provider, seconds)
            return Tried(found.models, found.problem, self._named(found.reason, folder), found.field, provider)

    def env_of(self, candidate: Candidate) -> Mapping[str, str]:
        """Return the common variables of a candidate's settings, as far as they are known."""
        fields = (candidate.key, candidate.address, *candidate.missing)
        return {field.name: field.variable for field in fields if field is not None and field.variable}

    def _candidate(  # noqa: PLR0913, PLR0917  the parts of a candidate
        self,
        provider: str,
        title: str,
        plugin_id: str,
        state: Literal["ready", "needs", "broken"],
        reason: str,
        aliases: tuple[str, ...],
        host: PluginHost,
        given: Given,
    ) -> Candidate:
        info = host.descriptions[plugin_id]
        values = self.settings_of(plugin_id, info.env, given)
        key = key_field(info)
        return Candidate(
            provider,
            title,
            plugin_id,
            state,
            reason,
            aliases,
            key,
            address_field(info),
            missing_fields(info, values),
            key is not None and bool(str(values.get(key.name) or "").strip()),
        )

    def _presets(self, info: PluginInfo, taken: Collection[str], given: Given) -> Iterator[Candidate]:
        """Yield the providers that a plugin can have with further settings; none if it can't say which."""
        try:
            presets = list(info.presets()) if info.presets is not None else []
        except Exception as error:  # noqa: BLE001  a plugin may raise anything
            get_logger(__name__).warning("setup.presets_failed", plugin=info.id, error=explain(error))
            return
        for preset in presets:
            if preset.id in taken:
                continue
            key = Field(preset.key, is_secret=True, variable=preset.variable) if preset.key else None
            address = Field(preset.address, is_secret=False) if preset.address else None
            env = {key.name: key.variable} if key is not None and key.variable else {}
            has_key = bool(key and str(value_at(self.settings_of(info.id, env, given), key.name) or "").strip())
            missing = [address] if address is not None and preset.needs_address else []
            is_ready = not missing and (has_key or not preset.needs_key)
            state: Literal["ready", "needs"] = "ready" if is_ready else "needs"
            yield Candidate(
                preset.id,
                preset.title,
                info.id,
                state,
                "",
                (),
                key,
                address,
                missing,
                has_key,
                settings=preset.settings,
                is_preset=True,
            )

    def _named(self, reason: str, folder: Path) -> str:
        """Name the bot's data folder where the reason names the temporary one."""
        return reason.replace(str(folder), str(self._loaded.config.data_dir))

    @asynccontextmanager
    async def _open(self, given: Given) -> AsyncGenerator[tuple[PluginHost, ProviderRegistry, Path]]:
        data_dir = self._loaded.config.data_dir
        with TemporaryDirectory() as temporary:
            # Files of plugins, such as local models, are in the data folder; it is not created here.
            folder = data_dir if data_dir.is_dir() else Path(temporary)
            host = await PluginHost.load(
                discover(),
                HostServices(None, folder, self._clock, Catalogue(), get_logger),
                settings=self._loaded.plugins.with_values(given),
                choice=PluginChoice(others=self._plugins, disabled=frozenset(self._loaded.config.disable_plugins)),
            )
            async with host, aclosing(ProviderRegistry(host)) as registry:
                yield host, registry, folder


async def _list(registry: ProviderRegistry, provider: str, seconds: float) -> Tried:
    async with aclosing(HookRunner(seconds, GRACE_SECONDS)) as runner:
        try:
            source = await registry.provider(provider)
            outcome = await runner.call(source.list_models)
            if isinstance(outcome, Raised) and (error := contract_error(outcome.error)):
                raise error
            if isinstance(outcome, TimedOut):
                return Tried(problem="unreachable", reason=f"no answer within {seconds:g} s")
            return Tried(checked_models(provider, value_of(outcome, "list_models")))
        except AuthFailed as error:
            return Tried(problem="key", reason=sentence(error))
        except NotConfigured as error:
            named = error.params.get("setting")
            return Tried(problem="setting", reason=sentence(error), field=str(named or ""))
        except (TgllmError, Breach) as error:
            return Tried(problem="unreachable", reason=sentence(error))


def value_at(values: Mapping[str, object], name: str) -> object:
    """Return the value of a dotted field, or None."""
    step, _, rest = name.partition(".")
    value = values.get(step)
    if not rest:
        return value
    return value_at(cast("Mapping[str, object]", value), rest) if isinstance(value, Mapping) else None


def _named_field(reason: str, plugin_id: str) -> str:
    """Return the setting that an error about a plugin's settings names first."""
    rest = reason.partition(f"plugins.{plugin_id}.")[2]
    return rest.split()[0].rstrip(":;,") if rest else ""
