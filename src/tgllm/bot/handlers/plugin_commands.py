"""Commands that plugins bring, as rows of the command table."""

import asyncio
from collections.abc import Callable, Sequence

from tgllm.api import ChatCommand, CommandCall, CommandInfo, PluginError, Reply, TgllmError, UserInfo
from tgllm.bot.commands import ParsedCommand, TableCommand
from tgllm.bot.scope import UpdateScope
from tgllm.observe.logs import get_logger
from tgllm.plugins.owned import OwnedCommand

__all__ = ["COMMAND_SECONDS", "plugin_command"]

log = get_logger(__name__)

COMMAND_SECONDS = 60.0
"""How long a plugin's command may take."""

Listing = Callable[[UserInfo], Sequence[CommandInfo]]


def plugin_command(owned: OwnedCommand, listing: Listing, *, seconds: float = COMMAND_SECONDS) -> TableCommand:
    """The row for a plugin's command.

    Args:
        owned: the command and whose it is.
        listing: what commands a person may use, for help texts.
        seconds: how long it may take.
    """
    command = owned.command

    async def run(scope: UpdateScope, parsed: ParsedCommand) -> None:
        assert scope.user is not None  # noqa: S101  the access middleware has set it
        call = CommandCall(command.name, parsed.args, scope.user, scope.chat, owned.context, tuple(listing(scope.user)))
        reply = await _answer(owned, call, seconds)
        if reply:
            await scope.reply(reply)
        else:
            await scope.end()

    return TableCommand(
        command.name, lambda language: _description(command, language), command.access, run, command.aliases
    )


async def _answer(owned: OwnedCommand, call: CommandCall, seconds: float) -> str:
    """What the plugin answers.

    Raises:
        TgllmError: it failed; the error of a plugin that keeps to the contract is passed on as it is.
    """
    try:
        async with asyncio.timeout(seconds):
            reply = await owned.command.handler(call)
    except TgllmError:
        raise
    except Exception as error:
        log.error("command.failed", plugin=owned.plugin_id, command=call.name, error=repr(error))
        raise PluginError(
            f"/{call.name} of the plugin {owned.plugin_id} failed: {error!r}",
            code="command_failed",
            command=call.name,
            plugin=owned.plugin_id,
        ) from error
    match reply:
        case None:
            return ""
        case Reply(text):
            return text
        case _:
            return str(reply)


def _description(command: ChatCommand, language: str) -> str:
    return command.descriptions.get(language.partition("-")[0].lower(), command.description)
