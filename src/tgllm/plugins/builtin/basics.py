"""Built-in plugin with the commands ``/ping`` and ``/help``."""

from collections.abc import Iterator

from tgllm import hookimpl
from tgllm.api.commands import ChatCommand, CommandCall, CommandHandler
from tgllm.api.context import PluginContext, PluginInfo, Texts

__all__ = ["tgllm_commands", "tgllm_plugin_info"]


@hookimpl
def tgllm_plugin_info() -> PluginInfo:
    """Return the plugin's id and title."""
    return PluginInfo(id="basics", title="Basic commands", api="1.0")


@hookimpl
def tgllm_commands(ctx: PluginContext) -> tuple[ChatCommand, ...]:
    """Return the two commands."""
    return (_command("ping", _ping, ctx.texts), _command("help", _help, ctx.texts))


def _command(name: str, handler: CommandHandler, texts: Texts) -> ChatCommand:
    key = f"help.{name}"
    return ChatCommand(name, texts(key), handler, descriptions={"ru": texts(key, "ru")}, reads_only=True)


async def _ping(call: CommandCall) -> str:
    return call.context.texts("ping.ready", call.user.language)


async def _help(call: CommandCall) -> str:
    texts, language = call.context.texts, call.user.language
    return "\n".join((texts("help.title", language), "", *_hints(call), *_groups(call)))


def _groups(call: CommandCall) -> Iterator[str]:
    """Yield the commands, each group below its title, in the order of the first command of each."""
    texts, language = call.context.texts, call.user.language
    for group in dict.fromkeys(command.group for command in call.commands):
        yield ""
        if group:
            yield group
        for command in call.commands:
            if command.group == group:
                yield texts("help.command", language, name=command.name, description=command.description)


def _hints(call: CommandCall) -> Iterator[str]:
    """Yield hints on use: in a group, which messages the bot answers, and which ones Telegram delivers to it."""
    texts, language = call.context.texts, call.user.language
    if call.chat.is_private:
        yield texts("help.hint", language)
        return
    match call.answers:
        case "all":
            yield texts("help.answers_all", language)
        case "addressed":
            yield texts("help.answers_addressed", language)
        case "commands":
            yield texts("help.answers_commands", language)
    yield ""
    yield texts("help.sees_all", language) if call.sees_all else texts("help.privacy_mode", language)
    if call.user.is_admin:
        yield texts("help.privacy_off", language) if call.sees_all else texts("help.privacy_on", language)
