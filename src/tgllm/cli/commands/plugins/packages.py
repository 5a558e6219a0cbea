"""Implementation of ``tgllm plugins install``, ``uninstall`` and ``upgrade``."""

import asyncio
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import typer
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from tgllm.api.errors import PluginError, TgllmError
from tgllm.cli.commands.plugins.check import check_apart
from tgllm.cli.commands.plugins.leftovers import forget, leftovers
from tgllm.cli.failure import tell, tell_raw
from tgllm.cli.interrupts import raise_interrupts
from tgllm.cli.options import Options
from tgllm.cli.output import agree, print_json, print_table, say
from tgllm.database_place import database_place
from tgllm.db.looking import is_running
from tgllm.i18n import Catalogue
from tgllm.observe.installation import place_of
from tgllm.observe.redaction import redact
from tgllm.plugins.discovery import discover
from tgllm.plugins.installing.changing import Plan, carry_out, plan
from tgllm.plugins.installing.commands import Action
from tgllm.plugins.installing.environment import look, recognise
from tgllm.plugins.installing.installed import (
    CORE,
    changes,
    dependents,
    installed_versions,
    needed_by_core,
    plugin_ids,
)
from tgllm.plugins.installing.resolving import conflict_in_words
from tgllm.plugins.installing.wanted import Wanted, extras_of, read_wanted, refuse_core
from tgllm.services.plugin_checks.results import Checked

__all__ = ["Switches", "run_change"]


_NOISE = ("Requirement already satisfied", "Looking in ", "Looking at ")
"""How lines of pip begin that would hide the others: there is one for each package that tgllm needs."""


@dataclass(frozen=True, slots=True)
class Switches:
    """How a change is made."""

    dry_run: bool
    yes: bool
    as_json: bool


def run_change(options: Options, action: Action, names: Sequence[str], switches: Switches) -> None:
    """Change the packages of the environment, after what would change was shown and agreed to.

    Raises:
        PluginError: it can't be done; the message says why, and that nothing was changed.
        typer.Exit: with 1, if the change has failed, or a new plugin does not work.
    """
    options.quiet_log()
    raise_interrupts()
    texts = Catalogue()
    with _problems_as_json(switches):
        before = installed_versions()
        wanted = [_wanted(action, name, before) for name in dict.fromkeys(names)]
        try:
            found = asyncio.run(plan(recognise(look()), action, wanted, before, _show))
        except KeyboardInterrupt:
            tell(texts("shell.plugins_stopped_unchanged"))
            raise
    if not switches.as_json:
        _show_plan(options, found, texts)
    if switches.dry_run or not (found.changes or switches.as_json):
        _end_without(found, switches, texts)
        return
    with _problems_as_json(switches):
        if switches.as_json and found.changes and not switches.yes:
            raise PluginError(texts("shell.plugins_json_asks_nothing"))
        if not switches.yes and found.changes and not agree(texts("shell.plugins_agree")):
            say(texts("shell.plugins_unchanged"))
            return
        _change(options, found, switches, texts)


@contextmanager
def _problems_as_json(switches: Switches) -> Generator[None]:
    """With ``--json``, print an error in the block as an object, and exit with 1."""
    try:
        yield
    except TgllmError as error:
        if not switches.as_json:
            raise
        print_json({"ok": False, "changed": False, "problem": redact(str(error))})
        raise typer.Exit(1) from None


def _change(options: Options, found: Plan, switches: Switches, texts: Catalogue) -> None:
    # Read before, since the metadata of an uninstalled package is gone.
    ids = _ids(found.wanted)
    try:
        ended = asyncio.run(carry_out(found, _show))
    except KeyboardInterrupt:
        done = changes(found.before, installed_versions())
        tell(
            texts("shell.plugins_stopped", changes=_in_words(done))
            if done
            else texts("shell.plugins_stopped_unchanged")
        )
        raise
    after = installed_versions()
    done = changes(found.before, after)
    problem = ""
    if ended.code:
        reason = "it took too long" if ended.is_late else conflict_in_words(ended.lines)
        problem = texts("shell.plugins_failed", reason=reason, changes=_in_words(done) or "-")
    elif after.get(CORE) != found.version:
        problem = texts("shell.plugins_core_changed", before=found.version, after=after.get(CORE, "-"))
    checked: Sequence[Checked] = ()
    if found.action == "uninstall":
        forget(options, ids, found.before, after)
    elif not problem:
        checked = check_apart(options, _new_ids(found, done))
    _show_end(options, found, done, checked, problem, switches, texts)
    if problem or any(each.is_failed for each in checked):
        raise typer.Exit(1)


def _show_plan(options: Options, found: Plan, texts: Catalogue) -> None:
    say(texts("shell.plugins_environment", environment=found.environment.title))
    if found.changes:
        rows = [(name, before or "-", after or "-") for name, (before, after) in found.changes.items()]
        print_table(("Package", "Installed", "Then"), rows)
    for name in found.touched:
        before, after = found.changes[name]
        say(texts("shell.plugins_touched", package=name, before=before, after=after))
    for name in found.resolved.strangers:
        say(texts("shell.plugins_stranger", package=name))
    if found.environment.facts.is_container:
        say(texts("shell.plugins_container"))
    if found.action == "uninstall":
        for line in leftovers(options, _ids(found.wanted), texts):
            say(line)
        leaving = {each.text for each in found.wanted}
        for each in found.wanted:
            for other in dependents(each.text, found.before):
                if other not in leaving:
                    say(texts("shell.plugins_needed", package=each.text, other=other))


def _end_without(found: Plan, switches: Switches, texts: Catalogue) -> None:
    if switches.as_json:
        print_json(_object(found, changed=False))
    else:
        say(texts("shell.plugins_dry_run" if found.changes else "shell.plugins_nothing"))


def _show_end(
    options: Options,
    found: Plan,
    done: Mapping[str, tuple[str | None, str | None]],
    checked: Sequence[Checked],
    problem: str,
    switches: Switches,
    texts: Catalogue,
) -> None:
    is_running = _is_running(options)
    if switches.as_json:
        plugins = [each.as_object() for each in checked]
        ok = not problem and not any(each.is_failed for each in checked)
        versions = {name: {"before": old, "after": new} for name, (old, new) in done.items()}
        facts = {"changes": versions, "plugins": plugins, "problem": problem, "bot_is_running": is_running}
        print_json(_object(found, changed=bool(done)) | facts | {"ok": ok})
        return
    if problem:
        tell(problem)
        return
    for each in checked:
        for line in each.lines(texts):
            say(line)
    if found.action != "uninstall" and not checked and done:
        say(texts("shell.plugins_none_in_it", packages=", ".join(each.name or each.text for each in found.wanted)))
    say(texts("shell.plugins_restart" if is_running else "shell.plugins_next_start"))


def _object(found: Plan, *, changed: bool) -> dict[str, object]:
    return {
        "ok": True,
        "action": found.action,
        "environment": {"kind": found.environment.kind, "folder": str(found.environment.facts.prefix)},
        "changed": changed,
        "planned": {name: {"before": old, "after": new} for name, (old, new) in found.changes.items()},
    }


def _wanted(action: Action, name: str, versions: Mapping[str, str]) -> Wanted:
    if action == "install":
        return read_wanted(name)
    found = _installed(name.strip(), versions)
    if action == "uninstall" and found.text != found.name:
        raise PluginError(f"{name!r} names a version or an extra: write {found.name} to uninstall it")
    # Packages of the clone that tgllm runs from are upgraded from there.
    return replace(found, text=place_of(found.text)) if action == "upgrade" else found


def _installed(text: str, versions: Mapping[str, str]) -> Wanted:
    """Return the installed package that a requirement or the id of a plugin stands for."""
    by_id = {found.id: canonicalize_name(found.package) for found in discover()}
    name, rest = _parts(text)
    wanted = canonicalize_name(name)
    refuse_core(wanted)
    if wanted not in versions:
        if name not in by_id:
            known = ", ".join(sorted(set(by_id.values()))) or "none"
            raise PluginError(f"there is no package {text} here; packages with plugins: {known}")
        wanted = by_id[name]
    if not plugin_ids(wanted):
        if wanted in needed_by_core(versions):
            raise PluginError(f"{wanted} is no plugin: tgllm itself needs it")
        raise PluginError(f"{wanted} is no plugin of tgllm, and so tgllm leaves it alone")
    return Wanted(f"{wanted}{rest}", wanted)


def _parts(text: str) -> tuple[str, str]:
    """Return the name in a requirement, and its extras and versions."""
    try:
        found = Requirement(text)
    except InvalidRequirement:
        # The id of a broken plugin may be anything.
        return text, ""
    return found.name, f"{extras_of(found)}{found.specifier}"


def _ids(wanted: Sequence[Wanted]) -> list[str]:
    return [plugin_id for each in wanted if each.name for plugin_id in plugin_ids(each.name)]


def _new_ids(found: Plan, done: Mapping[str, tuple[str | None, str | None]]) -> list[str]:
    """Return the plugins in what was asked for, or has come with it."""
    names = [*(each.name for each in found.wanted if each.name), *(name for name, (_, new) in done.items() if new)]
    return list(dict.fromkeys(plugin_id for name in names for plugin_id in plugin_ids(name) if " " not in plugin_id))


def _is_running(options: Options) -> bool:
    try:
        return is_running(database_place(options.load().config))
    except TgllmError:
        return False


def _in_words(done: Mapping[str, tuple[str | None, str | None]]) -> str:
    return ", ".join(f"{name} {old or '-'} -> {new or '-'}" for name, (old, new) in done.items())


def _show(line: str) -> None:
    if line.strip() and not line.lstrip().startswith(_NOISE):
        tell_raw(f"  {line}\n")
