"""What Python's garbage collector has to look at while the program runs."""

import json
import signal
from collections.abc import Callable

import pytest

from program_support import PATIENCE, Launch
from tgllm.testing.emulator import Emulator

pytestmark = pytest.mark.timeout(300)

WATCHER = """
    import gc
    import json

    from tgllm import hookimpl
    from tgllm.api import Finished, PluginInfo, Provider, ProviderSpec, TextDelta

    made = {}


    def is_looked_at(key):
        return any(one is made[key] for one in gc.get_objects())


    class Watcher(Provider):
        async def list_models(self):
            return ()

        async def generate(self, request):
            made["turn"] = ["in a turn"]
            seen = {key: is_looked_at(key) for key in ("start", "turn")}
            yield TextDelta(json.dumps({**seen, "after": gc.get_threshold()[0]}))
            yield Finished()


    @hookimpl
    def tgllm_plugin_info():
        return PluginInfo(id="watcher", title="Watcher", api="1.0")


    @hookimpl
    def tgllm_providers():
        return (ProviderSpec("watcher", "Watcher", lambda ctx: Watcher()),)


    @hookimpl
    def tgllm_startup():
        made["start"] = ["at the start"]
"""


async def test_it_leaves_out_what_was_made_until_the_bot_runs(
    emu: Emulator, launch: Launch, install_plugin: Callable[[str, str], str]
) -> None:
    ann = emu.add_user(first_name="Ann")
    site = install_plugin("watcher", WATCHER)
    bot = await launch(
        "run",
        TGLLM_ADMIN_IDS=str(ann.id),
        TGLLM_DEFAULT_MODEL="watcher/m",
        PYTHONPATH=site,
    )
    await ann.say("go")
    answer = await emu.wait_for_message(
        ann.private_chat(), lambda message: message.text.startswith("{"), timeout=PATIENCE
    )
    bot.send(signal.SIGTERM)
    code, printed = await bot.end()
    assert code == 0, printed
    seen = json.loads(answer.text)
    assert (seen["start"], seen["turn"]) == (False, True)
    assert seen["after"] > 1000, "the collector looks as often as Python's default has it"
