"""Asking the last question again: the command /retry, and the button under an answer that failed."""

from tgllm.api import ModelNotFound, ModelRef
from tgllm.bot.commands import ParsedCommand, TableCommand
from tgllm.bot.presses import PressAction, Pressed
from tgllm.bot.scope import UpdateScope
from tgllm.bot.turns import run_turn
from tgllm.bot.updates import RETRY
from tgllm.db.messages import Message
from tgllm.i18n import Catalogue, error_text
from tgllm.services import dialogue

__all__ = ["retry_commands", "retry_presses"]


def retry_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """The row for the command table."""
    return (TableCommand("retry", lambda language: texts("command.retry", language), "user", _retry),)


def retry_presses() -> tuple[PressAction, ...]:
    """The row for the press table."""
    return (PressAction(RETRY, _press),)


async def _retry(scope: UpdateScope, command: ParsedCommand) -> None:
    """Ask again, with another model if one is named."""
    try:
        model = scope.parts.core.registry.resolve(command.args) if command.args else None
    except ModelNotFound as error:
        await scope.reply(error_text(scope.parts.core.texts, error, scope.language))
        return
    question = await _last_question(scope)
    if question is None:
        await scope.reply(scope.text("again.nothing"))
    else:
        await _ask_again(scope, question, model)


async def _press(scope: UpdateScope, pressed: Pressed) -> str:
    """Ask again, if nothing was said since; the button names the turn that it belongs to."""
    question = await _last_question(scope)
    if question is None or question.turn_id != pressed.argument:
        return scope.text("again.too_late")
    await pressed.answer("")
    await _ask_again(scope, question, None)
    return ""


async def _last_question(scope: UpdateScope) -> Message | None:
    return await scope.parts.core.database.read(lambda conn: dialogue.last_question(conn, scope.lane.key))


async def _ask_again(scope: UpdateScope, question: Message, model: ModelRef | None) -> None:
    ids, branch = question.telegram_message_ids, dialogue.branch_before(question)
    await run_turn(scope, question.text, ids, branch=branch, model=model)
