"""Implementation of ``tgllm plugins info``."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final, cast

from tgllm.api.clock import SystemClock
from tgllm.app import open_host
from tgllm.cli.commands.plugins.check import named
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table, say
from tgllm.db.tables.plugins import jobs, values
from tgllm.i18n import Catalogue
from tgllm.plugins.loading.records import PluginRecord
from tgllm.services.plugin_checks.fields import describe_fields
from tgllm.services.plugin_checks.package import About, about

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic.fields import FieldInfo

    from tgllm.api.context import PluginInfo
    from tgllm.config.sources.plugins import PluginSettings

__all__ = ["run_info"]

_LONGEST_DEFAULT: Final = 200
"""Characters of a default that are shown."""


@dataclass(frozen=True, slots=True)
class _Setting:
    """A setting of a plugin; never with its value, which may be secret."""

    name: str
    default: str
    """Empty for one that has to be set."""
    is_set: bool
    variable: str
    """The common environment variable; empty if there is none."""
    description: str


@dataclass(frozen=True, slots=True)
class _Facts:
    record: PluginRecord
    title: str
    about: About
    settings: tuple[_Setting, ...]
    values: int
    bytes: int
    planned: int
    folder: "Path"


def run_info(options: Options, name: str, *, as_json: bool) -> None:
    """Print what is known about a plugin.

    Raises:
        PluginError: there is no such plugin.
        ConfigError: a setting is invalid.
        DatabaseError: the database can't be opened.
    """
    options.quiet_log()
    ids = [found.id for found in named(name)]
    found = asyncio.run(_facts(options, ids))
    if as_json:
        print_json([_object(each) for each in found])
        return
    for each in found:
        print_table(("Plugin", each.record.id), _rows(each))
        if each.settings:
            columns = ("Setting", "Default", "Set", "Variable", "Description")
            print_table(columns, (_row(setting) for setting in each.settings))
        else:
            say(Catalogue()("shell.plugins_no_settings"))


async def _facts(options: Options, ids: Sequence[str]) -> list[_Facts]:
    loaded = options.load()
    texts = Catalogue(loaded.config.language)
    async with open_host(loaded, SystemClock(), texts, plugins=options.plugins) as (database, host):
        found: list[_Facts] = []
        for record in host.records:
            if record.id not in ids or record.state == "missing":
                continue
            room = await database.read(lambda conn, plugin=record.id: values.room_of(conn, plugin))
            planned = await database.read(lambda conn, plugin=record.id: jobs.count(conn, plugin))
            info = host.descriptions.get(record.id)
            settings = () if info is None else tuple(_settings(info, loaded.plugins))
            folder = loaded.config.data_dir / "plugins" / record.id
            title = host.title_of(record.id)
            found.append(_Facts(record, title, about(record.package), settings, room.keys, room.bytes, planned, folder))
        return found


def _settings(info: "PluginInfo", source: "PluginSettings") -> Iterator[_Setting]:
    if info.settings is None:
        return
    fields = cast("Mapping[str, FieldInfo]", info.settings.model_fields)
    given = source.for_fields(info.id, info.env, tuple(fields))
    lines = describe_fields(info.settings)
    for name, field in fields.items():
        key = field.validation_alias if isinstance(field.validation_alias, str) else name
        default = "" if field.is_required() else _text(field)
        is_set = name in given or key in given
        yield _Setting(name, default, is_set, info.env.get(name, ""), lines[name])


def _text(field: "FieldInfo") -> str:
    factory = field.default_factory
    if factory is not None:
        # A callable object has no name.
        return str(getattr(factory, "__name__", type(factory).__name__))
    text = "none" if field.default is None else str(cast("object", field.default))
    return text if len(text) <= _LONGEST_DEFAULT else f"{text[:_LONGEST_DEFAULT]}…"


def _rows(facts: _Facts) -> Iterator[tuple[str, str]]:
    record, said = facts.record, facts.about
    yield "Title", facts.title
    yield "State", f"{record.state}: {record.note}" if record.note else record.state
    yield "Package", f"{record.package} {record.version}"
    yield "Plugin API", record.api or "-"
    for label, value in (
        ("Summary", said.summary),
        ("Author", said.author),
        ("Licence", said.licence),
        ("Home page", said.home_page),
        ("Report errors at", said.issues),
    ):
        yield label, value or "-"
    yield "Hooks", ", ".join(record.hooks) or "-"
    yield "Provides", ", ".join(record.provides) or "-"
    yield "Stored values", f"{facts.values} ({facts.bytes} B)"
    yield "Planned jobs", str(facts.planned)
    yield "Data folder", str(facts.folder)


def _row(setting: _Setting) -> tuple[str, ...]:
    default = setting.default or "(must be set)"
    return (setting.name, default, "yes" if setting.is_set else "no", setting.variable or "-", setting.description)


def _object(facts: _Facts) -> dict[str, object]:
    record = facts.record
    return {
        "plugin": record.id,
        "title": facts.title,
        "state": record.state,
        "note": record.note,
        "at": record.at,
        "package": record.package,
        "version": record.version,
        "api": record.api,
        **asdict(facts.about),
        "hooks": list(record.hooks),
        "provides": list(record.provides),
        "settings": [asdict(setting) for setting in facts.settings],
        "stored": {"values": facts.values, "bytes": facts.bytes, "planned_jobs": facts.planned},
        "data_folder": str(facts.folder),
    }
