"""Has a command that fails."""

from collections.abc import Sequence

from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo(id="bad_command", title="Bad command", api="1.0")


async def fall(_: CommandCall) -> str:
    raise RuntimeError("fell over")


@hookimpl
def tgllm_commands() -> Sequence[ChatCommand]:
    return [ChatCommand("fall", "Fall over", fall)]
