"""The commands ``/ping`` and ``/help``."""

from tgllm import hookimpl
from tgllm.api.commands import ChatCommand, CommandCall, CommandHandler
from tgllm.api.context import PluginContext, PluginInfo, Texts

__all__ = ["tgllm_commands", "tgllm_plugin_info"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Say who the plugin is."""
    return PluginInfo(id="basics", title="Basic commands", api="1.0")


@hookimpl
def tgllm_commands(ctx: PluginContext) -> tuple[ChatCommand, ...]:
    """Offer the two commands."""
    return (_command("ping", _ping, ctx.texts), _command("help", _help, ctx.texts))


def _command(name: str, handler: CommandHandler, texts: Texts) -> ChatCommand:
    key = f"help.{name}"
    return ChatCommand(name, texts(key), handler, descriptions={"ru": texts(key, "ru")})


async def _ping(call: CommandCall) -> str:
    return call.context.texts("ping.ready", call.user.language)


async def _help(call: CommandCall) -> str:
    texts, language = call.context.texts, call.user.language
    lines = (
        texts("help.command", language, name=command.name, description=command.description) for command in call.commands
    )
    return "\n".join((texts("help.title", language), *lines, "", texts("help.hint", language)))
