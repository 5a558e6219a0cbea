"""The commands ``/start`` and ``/stop``."""

from tgllm.bot.scope import Scope
from tgllm.bot.turns.stopping import end_with, stop_answer
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.i18n import Catalogue

__all__ = ["core_commands"]


def core_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand("start", lambda language: texts("command.start", language), "user", _start, reads="bare"),
        TableCommand("stop", lambda language: texts("command.stop", language), "user", _stop),
    )


async def _start(scope: Scope, _command: ParsedCommand) -> None:
    """Welcome the user. An invite link opened by an approved user is not used up."""
    await scope.reply(scope.text("start.welcome", name=scope.user.name))


async def _stop(scope: Scope, _command: ParsedCommand) -> None:
    """Stop the running turn of this chat, whose answer says that it was stopped, and drop what is left to send."""
    await end_with(scope, await stop_answer(scope))
