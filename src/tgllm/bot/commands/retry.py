"""Retrying the last question: the command ``/retry``, and the button under an answer."""

from collections.abc import Sequence

from tgllm.api import ModelNotFound, ModelRef
from tgllm.bot.delivery.rows import without_buttons
from tgllm.bot.scope import Scope
from tgllm.bot.turns.ownership import is_theirs, last_question, not_theirs, stored_files
from tgllm.bot.turns.start import run_turn
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.model_words import nothing_found
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.raw import RETRY
from tgllm.db.tables import outbox
from tgllm.db.tables.messages import Message
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.common.text import clip
from tgllm.services.conversations import branches
from tgllm.services.models.choices import ModelChoices, load_choices, pick

__all__ = ["retry_commands", "retry_presses"]

MOST_NAME = 100
"""Most UTF-16 units of an unknown model's name in the reply."""


def retry_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (TableCommand("retry", lambda language: texts("command.retry", language), "user", _retry),)


def retry_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(RETRY, _press),)


async def _retry(scope: Scope, command: ParsedCommand) -> None:
    """Ask again, with the model in the argument if there is one."""
    model = None
    if command.args:
        core = scope.core
        choices = await load_choices(core.database, core.registry, core.config, scope.lane.key)
        model = pick(core.registry, choices, command.args)
        if model is None:
            await scope.reply(_unknown(scope, choices, command.args))
            return
    question, name = await last_question(scope)
    if question is None:
        await scope.reply(scope.text("again.nothing"))
    elif not is_theirs(scope, question.user_id):
        await scope.reply(not_theirs(scope, name))
    else:
        await _ask_again(scope, question, model)


def _unknown(scope: Scope, choices: ModelChoices, text: str) -> str:
    """Return the text on an unknown model: its provider is missing, or the provider does not have it."""
    try:
        scope.core.registry.resolve(text)
    except ModelNotFound as error:
        return scope.error_text(error)
    return nothing_found(scope.text, choices, clip(text, MOST_NAME))


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Ask again, if the button's turn is the last one of the chat. The button works once."""
    question, name = await last_question(scope)
    button_gone = [] if pressed.message_id is None else [without_buttons(scope.lane, pressed.message_id)]
    if question is None or question.turn_id != pressed.argument:
        await scope.end(replies=button_gone)
        return scope.text("again.too_late")
    if not is_theirs(scope, question.user_id):
        return not_theirs(scope, name)
    await pressed.answer("")
    await _send_now(scope, button_gone)
    await _ask_again(scope, question, None)
    return ""


async def _send_now(scope: Scope, rows: Sequence[NewOutbox]) -> None:
    """Add rows now, without waiting for the answer; the update continues."""
    now = scope.now
    await scope.write(lambda conn: outbox.add(conn, rows, now))


async def _ask_again(scope: Scope, question: Message, model: ModelRef | None) -> None:
    ids, branch = question.telegram_message_ids, branches.branch_before(question)
    kept = await stored_files(scope, question)
    await run_turn(
        scope,
        question.text,
        ids,
        branch=branch,
        model=model,
        attachments=kept.attachments,
        file_ids=kept.file_ids,
    )
