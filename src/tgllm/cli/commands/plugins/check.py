"""Implementation of ``tgllm plugins check``."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import typer
from packaging.utils import canonicalize_name

from tgllm.api.clock import SystemClock
from tgllm.api.errors import PluginError
from tgllm.cli.options import Options
from tgllm.cli.output import print_json, print_table, say
from tgllm.i18n import Catalogue
from tgllm.plugins.builtin.found import BUILTIN
from tgllm.plugins.discovery import FoundPlugin, discover
from tgllm.plugins.loading.registration import nearest
from tgllm.services.plugin_checks.children import check_all
from tgllm.services.plugin_checks.results import Checked

__all__ = ["check_apart", "named", "run_check", "run_probe"]


def run_check(options: Options, name: str | None, *, as_json: bool) -> None:
    """Check one plugin, or all that are not built in, and print what was found.

    Raises:
        PluginError: there is no such plugin.
        typer.Exit: with 1, if a check has failed.
    """
    options.quiet_log()
    plugins = discover() if name is None else named(name)
    checked = asyncio.run(check_all(plugins, _words(options)))
    if as_json:
        print_json([each.as_object() for each in checked])
    elif not checked:
        say(Catalogue()("shell.plugins_check_none"))
    else:
        rows = [(each.plugin_id, check.name, check.state, check.detail) for each in checked for check in each.checks]
        print_table(("Plugin", "Check", "State", "Detail"), rows)
    if any(each.is_failed for each in checked):
        raise typer.Exit(1)


def run_probe(options: Options, name: str, package: str, result: Path) -> None:
    """Check one plugin in this process, and write the result into a file: the part that ``run_check`` starts."""
    from tgllm.services.plugin_checks.probe import probe  # noqa: PLC0415  only in the processes that load plugins

    options.quiet_log()
    found = next(each for each in named(name) if each.package == package)
    checked = asyncio.run(probe(found, options.load(), SystemClock()))
    result.write_text(json.dumps(checked.as_object()), encoding="utf-8")


def check_apart(options: Options, plugin_ids: Sequence[str]) -> list[Checked]:
    """Check these plugins."""
    return asyncio.run(check_all([each for each in discover() if each.id in plugin_ids], _words(options)))


def named(name: str) -> list[FoundPlugin]:
    """Return the installed plugins with an id, or of a package.

    Raises:
        PluginError: there is none.
    """
    plugins = [*BUILTIN, *discover()]
    found = [each for each in plugins if each.id == name] or [
        each for each in plugins if canonicalize_name(each.package) == canonicalize_name(name)
    ]
    if not found:
        hint = nearest(name, [each.id for each in plugins])
        raise PluginError(f"no plugin {name} is installed{hint}; see tgllm plugins list")
    return found


def _words(options: Options) -> list[str]:
    words = [] if options.config is None else ["--config", str(options.config)]
    data_dir = options.flags.get("data_dir")
    return words if data_dir is None else [*words, "--data-dir", str(data_dir)]
