"""Check of one plugin in this process, which it may end or fill: so it is a process of its own."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tgllm.api.clock import Clock
from tgllm.api.context import Check, PluginInfo
from tgllm.api.version import API_VERSION
from tgllm.config.load import LoadedConfig
from tgllm.i18n import Catalogue, languages, read_texts
from tgllm.observe.logs import get_logger
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.plugins.loading.contexts import HostServices
from tgllm.plugins.loading.records import PluginRecord
from tgllm.services.plugin_checks.fields import describe_fields
from tgllm.services.plugin_checks.package import check_package
from tgllm.services.plugin_checks.results import Checked
from tgllm.services.plugin_checks.weight import Weighed, Weight

__all__ = ["probe"]

SLOW_IMPORT: Final = 1.0
"""Seconds of an import from which on there is a warning: each shell command that loads plugins takes that longer."""
HEAVY_IMPORT: Final = 50.0
"""Mebibytes of an import from which on there is a warning."""
_MOST_LIBRARIES: Final = 8


async def probe(found: FoundPlugin, loaded: LoadedConfig, clock: Clock) -> Checked:
    """Load a plugin beside the built-in ones, with the operator's settings, and check it.

    It gets a data folder of its own and no database, so nothing that it keeps is touched.
    """
    weight = Weight(clock)
    config = loaded.config
    with TemporaryDirectory(prefix="tgllm-") as folder:
        texts = Catalogue(config.language)
        services = HostServices(None, Path(folder), clock, texts, get_logger, config.language)
        host = await PluginHost.load(
            [found if found.builtin else Weighed.of(found, weight)],
            services,
            settings=loaded.plugins,
            choice=PluginChoice(builtin=True),
            reserved_commands=CORE_COMMANDS,
        )
        async with host:
            record = next(each for each in host.records if each.id == found.id and each.builtin == found.builtin)
            info = host.descriptions.get(found.id)
            names = host.names_of(found.id)
    checks = [
        *_loading(record),
        *_weight(found, weight),
        _api(record),
        _hooks(record),
        *([_settings(record, info)] if info is not None else []),
        *_texts(info, languages()),
        *(Check("Names", "warning", note) for note in record.left_out),
        *(() if found.builtin else check_package(found)),
    ]
    figures = {"seconds": round(weight.seconds, 3), "mebibytes": round(weight.mebibytes, 1)}
    return Checked(
        found.id,
        found.package,
        found.version,
        tuple(checks),
        record.provides,
        names,
        _missing(record),
        {**figures, "modules": len(weight.modules)},
    )


def _loading(record: PluginRecord) -> Iterator[Check]:
    if record.state in {"active", "misconfigured"}:
        yield Check("Loading", "ok", ", ".join(record.provides) or "it offers nothing but hooks")
    else:
        yield Check("Loading", "failed", record.note)


def _weight(found: FoundPlugin, weight: Weight) -> Iterator[Check]:
    if found.builtin:
        return
    libraries = weight.libraries(found.module)
    shown = ", ".join(libraries[:_MOST_LIBRARIES]) + (", ..." if len(libraries) > _MOST_LIBRARIES else "")
    words = f"{weight.seconds:.2f} s, {weight.mebibytes:.0f} MiB, modules: {len(weight.modules)}"
    words += f", with {shown}" if libraries else ""
    is_heavy = weight.seconds >= SLOW_IMPORT or weight.mebibytes >= HEAVY_IMPORT
    cure = ": import large libraries where they are first needed" if is_heavy else ""
    yield Check("Import", "warning" if is_heavy else "ok", f"{words}{cure}")


def _api(record: PluginRecord) -> Check:
    if not record.api:
        return Check("API", "failed", "its version is unknown, since the plugin can't be loaded")
    # Of another one, the loading has failed.
    return Check("API", "ok", f"{record.api}; this tgllm has {API_VERSION}")


def _hooks(record: PluginRecord) -> Check:
    if not record.hooks:
        return Check("Hooks", "failed", "they can't be read, since the plugin can't be loaded")
    return Check("Hooks", "ok", ", ".join(record.hooks))


def _settings(record: PluginRecord, info: PluginInfo) -> Check:
    if record.state == "misconfigured":
        # Without a key, a new plugin is in order and has to be set up.
        is_new = len(_missing(record)) == len(record.reason.split("; "))
        return Check("Settings", "not configured" if is_new else "failed", record.reason)
    if info.settings is None:
        return Check("Settings", "ok", "it has none")
    undescribed = [name for name, line in describe_fields(info.settings).items() if not line]
    if undescribed:
        words = f"{', '.join(undescribed)}: no description for tgllm plugins info: write a string below the field"
        return Check("Settings", "warning", words)
    return Check("Settings", "ok", f"valid: {', '.join(info.settings.model_fields)}")


def _texts(info: PluginInfo | None, spoken: Iterable[str]) -> Iterator[Check]:
    if info is None or info.texts is None:
        return
    found = read_texts(info.texts)
    yield from (Check("Texts", "failed", problem) for problem in found.problems)
    known = set(found.languages.get("en", {}))
    for language in sorted({*spoken, *found.languages}):
        lacking = sorted(known - set(found.languages.get(language, {})))
        if lacking:
            more = f" and {len(lacking) - 1} more" if len(lacking) > 1 else ""
            yield Check("Texts", "warning", f"{language}: {lacking[0]}{more} is missing, and people read English there")
        strange = sorted(set(found.languages.get(language, {})) - known)
        if strange:
            yield Check("Texts", "warning", f"{language}: {strange[0]} is not in en.toml")
    if not found.problems:
        yield Check("Texts", "ok", ", ".join(sorted(found.languages)))


def _missing(record: PluginRecord) -> tuple[str, ...]:
    """Return the settings that have to be set, as the reason names them."""
    if record.state != "misconfigured":
        return ()
    return tuple(part.partition(" is missing")[0] for part in record.reason.split("; ") if " is missing" in part)
