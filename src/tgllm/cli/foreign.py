"""Import of commands that plugins provide."""

from collections.abc import Collection, Sequence
from functools import partial
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

import typer

from tgllm.api.errors import PluginError
from tgllm.plugins.calls.outcome import Breach, Outcome, Raised, explain, value_of
from tgllm.plugins.calls.output import stdout_kept
from tgllm.plugins.calls.thread import HookThread
from tgllm.plugins.calls.time_limits import HostLimits
from tgllm.plugins.discovery import FoundPlugin, package_of
from tgllm.plugins.loading.breadcrumbs import Breadcrumbs
from tgllm.plugins.loading.records import PluginRecord

__all__ = ["COMMAND_GROUP", "command_records", "load_app"]

COMMAND_GROUP = "tgllm.cli"
"""Entry-point group of shell commands."""


def load_app(point: EntryPoint) -> typer.Typer:
    """Return the Typer app of an entry point in the group ``tgllm.cli``.

    Raises:
        PluginError: it can't be imported, or is no Typer app; the message names the package.
    """
    package = package_of(point)
    try:
        app: object = point.load()
    except (Exception, SystemExit) as error:
        reason = explain(error)
        raise PluginError(
            f"The command {point.name} of the package {package} can't be loaded ({reason}); "
            "ask its author, or uninstall the package"
        ) from error
    if not isinstance(app, typer.Typer):
        raise PluginError(
            f"The command {point.name} of the package {package} is no Typer app ({point.value}); ask its author"
        )
    return app


async def command_records(data_dir: Path, own: Collection[str]) -> Sequence[PluginRecord]:
    """Return the shell commands that packages add, each imported to see whether it works.

    A command that ends the process while it is imported is known at the next call, and is then left out.

    Args:
        data_dir: the data folder.
        own: names of the program's own commands, which no package can replace.
    """
    thread, breadcrumbs = HookThread(), Breadcrumbs(data_dir)
    deaths = breadcrumbs.deaths()
    taken = dict.fromkeys(own, "tgllm itself")
    records: list[PluginRecord] = []
    try:
        with stdout_kept():
            for point in sorted(entry_points(group=COMMAND_GROUP), key=_order):
                found = FoundPlugin(f"tgllm {point.name}", package_of(point), _version(point), point.value)
                reason = f"the name is taken by {taken[point.name]}" if point.name in taken else ""
                death = deaths.get(found.id)
                if not reason and death is not None and death.is_left_out and death.is_of(found):
                    reason = death.reason
                if not reason:
                    breadcrumbs.begin(found)
                    outcome = await thread.run(partial(load_app, point), HostLimits().import_seconds)
                    breadcrumbs.end(found.id)
                    reason = _reason(outcome)
                taken.setdefault(point.name, f"the package {found.package}")
                records.append(_record(found, reason))
    finally:
        breadcrumbs.close()
        thread.close()
    return records


def _record(found: FoundPlugin, reason: str) -> PluginRecord:
    provides = () if reason else (f"shell command {found.id}",)
    state = "quarantined" if reason else "active"
    return PluginRecord(found.id, found.package, found.version, "", state, provides, reason, ())


def _reason(outcome: Outcome[typer.Typer]) -> str:
    if isinstance(outcome, Raised) and isinstance(outcome.error, PluginError):
        return str(outcome.error)
    try:
        value_of(outcome, "its import")
    except Breach as breach:
        return str(breach)
    return ""


def _order(point: EntryPoint) -> tuple[str, str]:
    return point.name, package_of(point)


def _version(point: EntryPoint) -> str:
    return point.dist.version if point.dist else ""
