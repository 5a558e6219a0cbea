"""Who passes while a plugin that decides on access can't be asked, and what is kept from run to run."""

import asyncio
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest

from plugin_support import FindRecord, LoadHost
from tgllm.api import ChatInfo, UserInfo
from tgllm.db.database import Database
from tgllm.plugins import HostLimits, PluginHost

Passes = Callable[..., Awaitable[bool]]

GATE = """
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("gate", "Gate", "1.0")
    @hookimpl
    async def tgllm_authorize(user): return {answer}
"""


@pytest.fixture
def passes(user: UserInfo, owner: UserInfo, chat: ChatInfo) -> Passes:
    async def ask(host: PluginHost, role: str = "user") -> bool:
        person = owner if role == "owner" else replace(user, role=role)
        return (await host.authorize(person, chat, "message")).allowed

    return ask


@pytest.fixture
async def known_gate(site: Any, load_host: LoadHost, database: Database) -> None:
    """A run with a plugin that decides on access is over."""
    site.write("gate", GATE.format(answer="Decision.allow()"))
    host = await load_host(database=database)
    await host.startup()
    await host.shutdown()


async def test_without_such_a_plugin_everybody_passes(load_host: LoadHost, passes: Passes) -> None:
    assert await passes(await load_host())


async def test_one_that_works_decides(site: Any, load_host: LoadHost, passes: Passes) -> None:
    site.write("gate", GATE.format(answer="Decision.deny() if user.role == 'guest' else None"))
    host = await load_host()

    assert await passes(host, "user")
    assert not await passes(host, "guest")


async def test_one_that_raises_closes_the_bot_to_all_but_owners(
    site: Any, load_host: LoadHost, record: FindRecord, user: UserInfo, chat: ChatInfo, passes: Passes
) -> None:
    site.install("bad_authorize")
    host = await load_host()

    decision = await host.authorize(user, chat, "message")

    assert not decision.allowed
    assert "owners only" in decision.reason
    assert record(host, "bad_authorize").reason == "tgllm_authorize raised LookupError: no list for Uwe"
    assert not await passes(host, "admin")
    assert await passes(host, "owner")


async def test_an_owner_passes_at_once_when_one_raises(site: Any, load_host: LoadHost, passes: Passes) -> None:
    site.install("bad_authorize")
    host = await load_host()

    assert await passes(host, "owner")
    assert not await passes(host, "user")


@pytest.mark.parametrize("answer", ["True", "await __import__('asyncio').Event().wait()"])
async def test_an_answer_that_is_none_or_never_comes_is_a_no(
    site: Any, load_host: LoadHost, record: FindRecord, passes: Passes, answer: str
) -> None:
    site.write("gate", GATE.format(answer=answer))
    host = await load_host(builtin=False, limits=HostLimits(async_seconds=0.05))

    assert not await passes(host)
    assert record(host, "gate").state == "quarantined"


@pytest.mark.parametrize("allowed", ["'no'", "1", "None"])
async def test_nothing_but_true_is_a_yes(site: Any, load_host: LoadHost, passes: Passes, allowed: str) -> None:
    site.write("gate", GATE.format(answer=f"Decision(allowed={allowed})"))

    assert not await passes(await load_host(builtin=False))


async def test_one_that_breaks_elsewhere_still_counts(site: Any, load_host: LoadHost, passes: Passes) -> None:
    body = GATE.format(answer="None") + "\n    @hookimpl\n    def tgllm_commands(): return None"
    site.write("gate", body)

    assert not await passes(await load_host())


@pytest.mark.usefixtures("known_gate")
class TestAKnownOne:
    async def test_works_on_the_next_run(self, load_host: LoadHost, database: Database, passes: Passes) -> None:
        assert await passes(await load_host(database=database))

    async def test_closes_the_bot_when_it_is_missing(
        self, load_host: LoadHost, database: Database, record: FindRecord, passes: Passes
    ) -> None:
        for _ in range(2):
            host = await load_host(database=database, found=[])
            await host.startup()

            gone = record(host, "gate")
            assert (gone.state, gone.package, gone.version, gone.api) == ("missing", "tgllm-gate", "1.0", "1.0")
            assert "pip install tgllm-gate" in gone.reason
            assert "tgllm_authorize" in gone.hooks
            assert not await passes(host)
            assert await passes(host, "owner")

    async def test_closes_the_bot_when_it_can_not_be_imported(
        self, site: Any, load_host: LoadHost, database: Database, record: FindRecord, passes: Passes
    ) -> None:
        site.add("tgllm-gate-broken", "2.0", {"gate": "tgllm_no_such_module"}, {})
        found = [one for one in site.found() if one.version == "2.0"]
        for _ in range(2):
            host = await load_host(database=database, found=found)
            await host.startup()

            assert (record(host, "gate").state, record(host, "gate").version) == ("quarantined", "2.0")
            assert not await passes(host)

    async def test_closes_the_bot_without_plugins(
        self, load_host: LoadHost, database: Database, passes: Passes
    ) -> None:
        host = await load_host(database=database, others=False)

        assert not await passes(host)
        assert await passes(host, "owner")

    async def test_does_not_count_once_it_is_disabled_by_name(
        self, load_host: LoadHost, database: Database, passes: Passes
    ) -> None:
        assert await passes(await load_host(database=database, disabled={"gate"}))
        assert await passes(await load_host(database=database, disabled={"gate"}, others=False))

    async def test_is_forgotten_when_it_is_gone_and_disabled(
        self, load_host: LoadHost, database: Database, passes: Passes
    ) -> None:
        disabled = await load_host(database=database, found=[], disabled={"gate"})
        assert "gate" not in {found.id for found in disabled.records}
        await disabled.startup()

        host = await load_host(database=database, found=[])

        assert "gate" not in {found.id for found in host.records}
        assert await passes(host)

    async def test_is_not_forgotten_when_it_is_disabled_and_there(
        self, load_host: LoadHost, database: Database, record: FindRecord
    ) -> None:
        host = await load_host(database=database, disabled={"gate"})
        await host.startup()

        assert record(await load_host(database=database, found=[]), "gate").state == "missing"

    async def test_does_not_count_once_a_version_without_the_hook_was_seen(
        self, site: Any, load_host: LoadHost, database: Database, passes: Passes
    ) -> None:
        info = "@hookimpl\ndef tgllm_plugin_info(): return PluginInfo('gate', 'Gate', '1.0')"
        site.write("gate", info, package="tgllm-gate-two", version="2.0")
        found = [one for one in site.found() if one.version == "2.0"]

        host = await load_host(database=database, found=found)
        await host.startup()
        assert await passes(host)

        assert await passes(await load_host(database=database, found=[]))

    async def test_keeps_its_id_when_another_package_wants_it(
        self, site: Any, load_host: LoadHost, database: Database, record: FindRecord, passes: Passes
    ) -> None:
        info = "@hookimpl\ndef tgllm_plugin_info(): return PluginInfo('gate', 'Gate', '1.0')"
        site.write("gate", info, package="a-gate")
        for _ in range(2):
            host = await load_host(database=database)
            await host.startup()

            states = {found.package: found.state for found in host.records if found.id == "gate"}
            assert states == {"a-gate": "quarantined", "tgllm-gate": "active"}
            assert await passes(host)

    async def test_closes_the_bot_when_it_is_broken_though_another_package_wants_its_id(
        self, site: Any, load_host: LoadHost, database: Database, passes: Passes
    ) -> None:
        info = "@hookimpl\ndef tgllm_plugin_info(): return PluginInfo('gate', 'Gate', '1.0')"
        site.write("gate", info, package="a-gate")
        found = [replace(one, value="tgllm_nothing") if one.package == "tgllm-gate" else one for one in site.found()]
        for _ in range(2):
            host = await load_host(database=database, found=found)
            await host.startup()
            assert not await passes(host)
            assert await passes(host, "owner")

    async def test_decides_as_before_when_another_package_wants_its_id(
        self, site: Any, load_host: LoadHost, database: Database, passes: Passes
    ) -> None:
        site.write("gate", GATE.format(answer="None"), package="zz-gate")

        assert await passes(await load_host(database=database))

    async def test_is_not_known_without_the_database(self, load_host: LoadHost) -> None:
        assert "gate" not in {found.id for found in (await load_host(found=[])).records}


async def test_only_a_run_is_kept(site: Any, load_host: LoadHost, database: Database) -> None:
    site.write("gate", GATE.format(answer="None"))
    await load_host(database=database)

    host = await load_host(database=database, found=[])

    assert "gate" not in {found.id for found in host.records}


async def test_startup_tells_the_log_what_is_out_of_order(
    site: Any, load_host: LoadHost, database: Database, logs: Any
) -> None:
    site.write("gate", GATE.format(answer="None") + "\n    @hookimpl\n    def tgllm_jobs(): return None")

    host = await load_host(database=database)
    await host.startup()

    assert logs.events("warning") == [
        "plugin.not_active",
        "plugin.authorizer_absent",
    ]


async def test_a_mistyped_name_of_a_disabled_plugin_is_told_to_the_log(load_host: LoadHost, logs: Any) -> None:
    host = await load_host(disabled={"ecko"})
    await host.startup()

    ((_, level, event, values),) = logs.lines
    assert (level, event) == ("warning", "plugin.disabled_unknown")
    assert values == {"plugin": "ecko", "hint": "(did you mean echo?)"}


async def test_a_question_that_is_open_when_the_plugin_fails_elsewhere_is_answered_with_no(
    site: Any, load_host: LoadHost, user: UserInfo, chat: ChatInfo
) -> None:
    source = """
    import asyncio
    asked, go_on = asyncio.Event(), asyncio.Event()
    @hookimpl
    def tgllm_plugin_info(): return PluginInfo("gate", "Gate", "1.0")
    @hookimpl
    async def tgllm_authorize(user):
        asked.set()
        await go_on.wait()
    """
    site.write("gate", source)
    host = await load_host()
    gate = sys.modules["tgllm_gate_module"]
    question = asyncio.create_task(host.authorize(user, chat, "message"))
    await gate.asked.wait()

    host.quarantine("gate", "it failed elsewhere")
    gate.go_on.set()

    assert not (await question).allowed
