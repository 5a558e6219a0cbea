"""What is imported before the first getUpdates, and that updates wait for the rest; counted, not timed."""

import asyncio
import json
import signal
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from program_support import PATIENCE, Launch
from tgllm.bot import loading
from tgllm.bot.loading import LATE_MODULES, Loading
from tgllm.testing.emulator import Emulator

pytestmark = pytest.mark.timeout(300)

OBSERVER = """
    import gc
    import json
    import sys

    from tgllm import hookimpl
    from tgllm.api import PluginInfo


    @hookimpl
    def tgllm_plugin_info():
        return PluginInfo(id="observer", title="Observer", api="1.0")


    @hookimpl
    def tgllm_startup():
        from tgllm.bot.intake.poller import Poller
        fetch = Poller._fetch

        async def observed(self):
            seen = {"modules": sorted(sys.modules), "frozen": gc.get_freeze_count()}
            print("first poll " + json.dumps(seen), flush=True)
            Poller._fetch = fetch
            return await fetch(self)

        Poller._fetch = observed
"""
MOST = {"aiogram": 125, "tgllm": 645}
"""Most modules before the first getUpdates; all of aiogram's are 736, and tgllm's of a running bot some 740."""


@pytest.fixture
def quick_starts() -> None:
    """Here programs import everything anew."""


@pytest.mark.sqlite  # PostgreSQL needs more modules
async def test_few_modules_are_imported_before_the_first_poll_and_a_waiting_update_is_answered(
    emu: Emulator, launch: Launch, install_plugin: Callable[[str, str], str]
) -> None:
    ann = emu.add_user(first_name="Ann")
    await ann.say("good morning")
    bot = await launch(
        "run",
        TGLLM_ADMIN_IDS=str(ann.id),
        TGLLM_DEFAULT_MODEL="echo/echo",
        PYTHONPATH=install_plugin("observer", OBSERVER),
    )
    await bot.printed("first poll ")
    (line,) = [line for line in bot.lines if line.startswith("first poll ")]
    await emu.wait_for_message(ann.private_chat(), lambda message: "good morning" in message.text, timeout=PATIENCE)
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()

    assert code == 0, printed
    seen = json.loads(line.removeprefix("first poll "))
    counts = {name: sum(module.partition(".")[0] == name for module in seen["modules"]) for name in MOST}
    assert counts["aiogram"] > 50
    assert counts["tgllm"] > 300
    assert {name: count for name, count in counts.items() if count > MOST[name]} == {}
    assert set(seen["modules"]).isdisjoint({*LATE_MODULES, "pyromark", "aiohttp.web", "httpx", "rich"})
    assert seen["frozen"] == 0, "collecting garbage delayed the first poll"


@pytest.fixture
def late_module(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> str:
    name = "late_sample"
    (tmp_path / f"{name}.py").write_text("import order\norder.order.append('imported')\n")
    (tmp_path / "order.py").write_text("order = []\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(loading, "LATE_MODULES", (name,))
    for module in (name, "order"):
        monkeypatch.delitem(sys.modules, module, raising=False)
    return name


async def test_updates_pass_when_everything_is_imported_and_connected(
    late_module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loading, "SENDING_SECONDS", 100)
    import order  # noqa: PLC0415  made by the fixture

    async def take(batch: str) -> bool:
        order.order.append(f"took {batch}")
        return True

    late = Loading()
    forever = asyncio.create_task(asyncio.Event().wait())
    passing = asyncio.create_task(late.before(take)("a"))
    # Without the waiting update it would be the time that ends the wait.
    await late.run([forever], lambda: order.order.append("connected"))
    assert await passing
    assert await late.before(take)("b")
    assert order.order == ["imported", "connected", "took a", "took b"]
    assert late_module in sys.modules
    forever.cancel()
    monkeypatch.delitem(sys.modules, "order")


async def test_a_receiver_that_ends_is_not_waited_for(late_module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "SENDING_SECONDS", 100)
    ended = asyncio.create_task(asyncio.sleep(0))
    done: list[str] = []
    await Loading().run([ended], lambda: done.append("connected"))
    assert done == ["connected"]
    assert late_module in sys.modules


async def test_what_is_imported_already_is_connected_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(loading, "LATE_MODULES", ("asyncio", "sys"))
    done: list[str] = []
    never = Loading().run([], lambda: done.append("connected"))
    with pytest.raises(StopIteration):
        never.send(None)
    assert done == ["connected"]


async def test_a_failed_import_reaches_the_caller(late_module: str, tmp_path: Path) -> None:
    (tmp_path / f"{late_module}.py").write_text("raise ImportError('broken')\n")
    with pytest.raises(ImportError, match="broken"):
        await Loading().run([], lambda: None)
