"""A name has one owner; what others offer under it is left out, a note names both, and the rest of them works."""

import textwrap
import types
from dataclasses import replace
from typing import Any

import pytest

from plugin_support import FindRecord, LoadHost
from tgllm.db.database import Database
from tgllm.testing.scripted import GivenPlugin

OFFERS = {
    "provider": ("tgllm_providers", "ProviderSpec('same', 'S', run)", "provider same"),
    "alias of a provider": ("tgllm_providers", "ProviderSpec(ID, 'S', run, aliases=('same',))", "provider same"),
    "command": ("tgllm_commands", "ChatCommand('same', 'S', run)", "command /same"),
    "alias of a command": ("tgllm_commands", "ChatCommand(ID, 'S', run, aliases=('same',))", "command /same"),
    "file handler": ("tgllm_file_handlers", "FileHandler('same', frozenset({'a/b'}), run)", "file handler same"),
    "job": ("tgllm_jobs", "JobSpec('same', 'S', '* * * * *', run)", "job same"),
}


def plugin(plugin_id: str, hook: str, offer: str) -> str:
    return f"""
        ID = {plugin_id!r}
        def run(*_): ...
        @hookimpl
        def tgllm_plugin_info(): return PluginInfo(id=ID, title=ID, api="1.0")
        @hookimpl(tryfirst=ID == "b")
        def {hook}(): return [{offer}]
    """


def left_out(name: str, plugin_id: str, owner: str) -> str:
    return f"{name} of the plugin {plugin_id} is taken by {owner}, so it is left out"


@pytest.mark.parametrize("kind", OFFERS)
async def test_of_the_later_of_two_plugins_only_what_clashes_is_left_out(
    site: Any, load_host: LoadHost, record: FindRecord, kind: str
) -> None:
    hook, offer, name = OFFERS[kind]
    for plugin_id in ("b", "a", "c"):
        site.write(plugin_id, plugin(plugin_id, hook, offer))

    host = await load_host()

    assert (record(host, "a").state, record(host, "a").notes) == ("active", ())
    for later in ("b", "c"):
        assert record(host, later).state == "active"
        assert record(host, later).notes == (left_out(name, later, "the plugin a"),)
        rest = () if "alias" not in kind else (f"{'command /' if 'command' in kind else 'provider '}{later}",)
        assert record(host, later).provides == rest


async def test_the_rest_of_a_plugin_works(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.write("a", plugin("a", "tgllm_commands", "ChatCommand('same', 'S', run)"))
    site.write("aa", plugin("aa", "tgllm_commands", "ChatCommand('other', 'S', run)"))
    offers = "ChatCommand('own', 'S', run, aliases=('same', 'mine')), ChatCommand('other', 'S', run, aliases=('left',))"
    site.write("b", plugin("b", "tgllm_commands", offers))
    site.write("c", plugin("c", "tgllm_commands", "ChatCommand('left', 'S', run)"))

    host = await load_host()

    found = {owned.command.name: (owned.plugin_id, owned.command.aliases) for owned in host.commands}
    assert found.items() >= {"same": ("a", ()), "own": ("b", ("mine",)), "left": ("c", ())}.items()
    assert len(record(host, "b").notes) == 2


async def test_a_built_in_plugin_keeps_its_name(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.write("a", plugin("a", "tgllm_commands", "ChatCommand('ping', 'Ping', run)"))

    host = await load_host()

    assert record(host, "a").notes == (left_out("command /ping", "a", "the plugin basics"),)
    assert record(host, "basics").state == "active"


async def test_the_bot_keeps_its_own_commands(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.write("a", plugin("a", "tgllm_commands", "ChatCommand('model', 'Models', run)"))

    host = await load_host(reserved_commands={"model", "new"})

    assert record(host, "a").notes == (left_out("command /model", "a", "the bot itself"),)


async def test_a_quarantined_plugin_takes_no_name(site: Any, load_host: LoadHost, record: FindRecord) -> None:
    site.write("a", "raise RuntimeError" + plugin("a", "tgllm_providers", "ProviderSpec('same', 'S', run)"))
    site.write("b", plugin("b", "tgllm_providers", "ProviderSpec('same', 'S', run)"))

    host = await load_host()

    assert record(host, "a").state == "quarantined"
    assert [owned.spec.id for owned in host.providers if owned.plugin_id == "b"] == ["same"]


async def test_two_packages_with_one_id_are_both_named(site: Any, load_host: LoadHost) -> None:
    site.write("a", plugin("a", "tgllm_jobs", ""), package="tgllm-first")
    site.write("a", "raise SystemExit", package="tgllm-second")

    first, second = [found for found in (await load_host()).records if found.id == "a"]

    assert (first.package, first.state) == ("tgllm-first", "active")
    assert (second.package, second.state) == ("tgllm-second", "quarantined")
    assert second.reason == "two packages have a plugin a, tgllm-first and tgllm-second: uninstall one of them"


async def test_an_id_of_a_built_in_plugin_is_taken(site: Any, load_host: LoadHost) -> None:
    site.write("echo", plugin("echo", "tgllm_jobs", ""), package="aaa-echo")

    builtin, other = [found for found in (await load_host()).records if found.id == "echo"]

    assert (builtin.package, builtin.state) == ("tgllm", "active")
    assert (other.package, other.state) == ("aaa-echo", "quarantined")


async def test_a_plugin_of_the_last_run_keeps_its_name(
    site: Any, load_host: LoadHost, record: FindRecord, database: Database
) -> None:
    command = "ChatCommand('same', 'S', run)"
    site.write("z", plugin("z", "tgllm_commands", command))
    await (await load_host(database=database)).startup()
    site.write("a", plugin("a", "tgllm_commands", command))
    for _ in range(3):
        host = await load_host(database=database)
        await host.startup()
        assert record(host, "z").provides == ("command /same",)
        assert record(host, "a").notes == (left_out("command /same", "a", "the plugin z"),)
    host = await load_host(database=database, disabled={"z"})
    await host.startup()
    assert record(host, "a").provides == ("command /same",)
    for _ in range(2):
        host = await load_host(database=database)
        await host.startup()
        assert record(host, "z").notes == (left_out("command /same", "z", "the plugin a"),)


async def test_a_plugin_that_adds_a_name_takes_it_from_none_that_has_it(
    site: Any, load_host: LoadHost, record: FindRecord, database: Database
) -> None:
    site.write("a", plugin("a", "tgllm_commands", "ChatCommand('first', 'S', run)"))
    site.write("z", plugin("z", "tgllm_commands", "ChatCommand('same', 'S', run)"))
    await (await load_host(database=database)).startup()
    both = "ChatCommand('first', 'S', run), ChatCommand('same', 'S', run)"
    upgraded = GivenPlugin.of("a", module_of(plugin("a", "tgllm_commands", both)))
    found = [replace(upgraded, package="tgllm-a"), *(each for each in site.found() if each.id == "z")]

    for _ in range(2):
        host = await load_host(database=database, found=found)
        await host.startup()

        assert record(host, "z").provides == ("command /same",)
        assert record(host, "a").provides == ("command /first",)
        assert record(host, "a").notes == (left_out("command /same", "a", "the plugin z"),)


def module_of(source: str) -> types.ModuleType:
    module = types.ModuleType("upgraded")
    prelude = "from tgllm import hookimpl\nfrom tgllm.api import *\n"
    exec(prelude + textwrap.dedent(source), vars(module))
    return module


async def test_of_two_packages_with_one_id_the_one_of_the_last_run_keeps_it(
    site: Any, load_host: LoadHost, record: FindRecord, database: Database
) -> None:
    site.write("one", plugin("one", "tgllm_commands", "ChatCommand('x', 'S', run)"), package="tgllm-zebra")
    await (await load_host(database=database)).startup()
    site.write("one", plugin("one", "tgllm_commands", "ChatCommand('x', 'S', run)"), package="tgllm-ape")
    host = await load_host(database=database)
    assert {found.package: found.state for found in host.records if found.id == "one"} == {
        "tgllm-zebra": "active",
        "tgllm-ape": "quarantined",
    }


async def test_the_bots_own_commands_take_a_name_from_a_plugin_of_the_last_run(
    site: Any, load_host: LoadHost, record: FindRecord, database: Database
) -> None:
    site.write("a", plugin("a", "tgllm_commands", "ChatCommand('timer', 'S', run)"))
    await (await load_host(database=database)).startup()
    host = await load_host(database=database, reserved_commands={"timer"})
    assert record(host, "a").notes == (left_out("command /timer", "a", "the bot itself"),)
