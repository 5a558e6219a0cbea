"""/parrot: says it again."""

from tgllm import hookimpl
from tgllm.api import ChatCommand, CommandCall, PluginInfo


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    return PluginInfo("parrot", "Parrot", "1.1")


@hookimpl
def tgllm_commands() -> list[ChatCommand]:
    return [ChatCommand("parrot", "Say it again", say_again)]


async def say_again(call: CommandCall) -> str:
    return call.args or "Say what? Write /parrot and a text."
