"""Commands of plugins, as rows of the command table."""

from collections.abc import Callable

from tgllm.api import ChatCommand, PluginError, Reply
from tgllm.bot.commands.plugin_calls import Listing, call_of
from tgllm.bot.replies.calls import PluginCall, handling_call
from tgllm.bot.replies.checks import fault_of
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.plugin_replies import posting
from tgllm.db.engine.gate import StorageGate
from tgllm.plugins.calls.call_watch import Callee
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut, contract_error, explain
from tgllm.plugins.calls.places import place_of_function
from tgllm.plugins.calls.runner import HookRunner
from tgllm.plugins.owned import OwnedCommand

__all__ = ["COMMAND_SECONDS", "command_runner", "plugin_command"]

COMMAND_SECONDS = 60.0
"""Timeout of a plugin's command."""
GRACE_SECONDS = 1.0
"""Time for clean-up after the timeout."""


def command_runner(storage: StorageGate | None = None) -> HookRunner:
    """Return the runner of the plugins' commands, whose time stands still while ``storage`` is closed.

    The caller closes it.
    """
    return HookRunner(COMMAND_SECONDS, GRACE_SECONDS, storage=storage)


def plugin_command(
    owned: OwnedCommand, listing: Listing, runner: HookRunner, group: Callable[[str], str] = str
) -> TableCommand:
    """Return the row for a plugin's command.

    Args:
        owned: the command and its plugin.
        listing: lists the commands that a user may use in a chat, for help texts.
        runner: calls the command.
        group: returns the title of its group in help, in a language.
    """
    command = owned.command

    async def run(scope: Scope, parsed: ParsedCommand) -> None:
        call = await call_of(scope, parsed, owned, listing)
        with handling_call(PluginCall(call.id, scope.lane.key, scope.user.id, owned.plugin_id)):
            callee = Callee(owned.plugin_id, f"/{command.name}", command.handler)
            outcome = await scope.core.host.watch.call(runner, callee, call)
        await scope.end(*await posting(scope, owned.plugin_id, _reply(outcome, owned, scope)))

    return TableCommand(
        command.name,
        lambda language: _description(command, language),
        command.access,
        run,
        command.aliases,
        # A plugin may set a value of any type.
        reads="always" if command.reads_only is True else "never",
        group=group,
    )


def _reply(outcome: Outcome[object], owned: OwnedCommand, scope: Scope) -> Reply:
    """Return the plugin's reply; an empty text is not sent.

    Raises:
        TgllmError: the command failed; the plugin's own ``TgllmError`` is passed on unchanged.
    """
    match outcome:
        case Returned(None):
            return Reply("")
        case Returned(str(text)):
            return Reply(text)
        case Returned(other):
            fault = fault_of(other, handles_presses=scope.core.host.handles_presses(owned.plugin_id))
            if fault is not None or not isinstance(other, Reply):
                raise _reported(owned, f"returned {fault}", scope)
            return other
        case TimedOut(seconds):
            slow = _failure(owned, "command_slow", f"did not end within {seconds:g} s", seconds=seconds)
            _report(slow, owned, scope)
            raise slow
        case Raised(error):
            sound = contract_error(error)
            if sound is not None:
                raise sound
            code = _report(error, owned, scope)
            raise _failure(owned, "command_failed", f"raised {explain(error)}", error_id=code) from error


def _report(error: BaseException, owned: OwnedCommand, scope: Scope) -> str:
    at = place_of_function(owned.command.handler)
    return scope.report(error, event="command.failed", plugin=owned.plugin_id, command=owned.command.name, at=at)


def _reported(owned: OwnedCommand, what: str, scope: Scope) -> PluginError:
    failure = _failure(owned, "command_failed", what)
    return _failure(owned, "command_failed", what, error_id=_report(failure, owned, scope))


def _failure(owned: OwnedCommand, code: str, what: str, **params: str | float) -> PluginError:
    name = owned.command.name
    words = f"/{name} of the plugin {owned.plugin_id} {what}"
    return PluginError(words, code=code, command=name, plugin=owned.plugin_id, **params)


def _description(command: ChatCommand, language: str) -> str:
    return command.descriptions.get(language.partition("-")[0].lower(), command.description)
