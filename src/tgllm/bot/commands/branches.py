"""Commands that move within a conversation: ``/undo``, ``/fork``, ``/continue``, and the button Continue."""

from collections.abc import Sequence

from tgllm.bot.delivery.rows import without_buttons
from tgllm.bot.scope import Scope
from tgllm.bot.turns.ownership import is_theirs, last_question, not_theirs, stored_files
from tgllm.bot.turns.prompt import said
from tgllm.bot.turns.start import run_turn
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.markdown_reply import plain_beginning
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.raw import CONTINUE
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.i18n import Catalogue
from tgllm.services.conversations import branches
from tgllm.services.conversations.turn import Branch
from tgllm.services.files.attachment import attachments_of
from tgllm.services.files.spoken import is_wordless
from tgllm.services.files.true_names import shown_name

__all__ = ["branch_commands", "branch_presses"]


def branch_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the rows for the command table."""
    return (
        TableCommand("undo", lambda language: texts("command.undo", language), "user", _undo),
        TableCommand("fork", lambda language: texts("command.fork", language), "user", _fork),
        TableCommand("continue", lambda language: texts("command.continue", language), "user", _continue),
    )


def branch_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(CONTINUE, _press_continue),)


async def _undo(scope: Scope, _command: ParsedCommand) -> None:
    lane, now = scope.lane.key, scope.now
    question, name = await last_question(scope)
    if question is None:
        await scope.reply(scope.text("again.nothing_to_undo"))
        return
    if not is_theirs(scope, question.user_id):
        await scope.reply(not_theirs(scope, name))
        return
    files = attachments_of(question.parts or ()) if is_wordless(question.text) else ()
    # The text of a question of files is for the model.
    plain = ", ".join(shown_name(each.name, each.kind) for each in files)
    plain = plain or await plain_beginning(scope, question.text)
    text = scope.text("again.undone", question=branches.title_of(plain))
    await scope.reply(text, lambda conn: branches.undo(conn, lane, now))


async def _fork(scope: Scope, command: ParsedCommand) -> None:
    """Continue from the answer to which the command replies; the command's text is the next question."""
    branch = await _replied_answer(scope, command)
    if branch is None:
        await scope.reply(scope.text("again.fork_how"))
    elif command.args:
        question = said(scope, command.markdown)
        await run_turn(scope, question, command.message_ids, branch=branch, attachments=command.attachments)
    else:
        now = scope.now
        await scope.reply(scope.text("again.forked"), lambda conn: branches.go_to(conn, branch, now))


async def _replied_answer(scope: Scope, command: ParsedCommand) -> Branch | None:
    replied = command.reply_to
    if replied is None:
        return None
    return await scope.read(lambda conn: branches.branch_at_answer(conn, scope.lane.key, scope.lane.chat_id, replied))


async def _continue(scope: Scope, command: ParsedCommand) -> None:
    """Ask the model for the rest of a truncated answer."""
    if await scope.read(lambda conn: branches.is_cut(conn, scope.lane.key)):
        await _go_on(scope, command.message_ids)
    else:
        await scope.reply(scope.text("again.whole"))


async def _press_continue(scope: Scope, pressed: Pressed) -> str:
    """Ask for the rest, if the button's turn is the last one of the chat. The button works once."""

    def is_open(conn: Connection) -> bool:
        question = branches.last_question(conn, scope.lane.key)
        return question is not None and question.turn_id == pressed.argument and branches.is_cut(conn, scope.lane.key)

    button_gone = [] if pressed.message_id is None else [without_buttons(scope.lane, pressed.message_id)]
    if not await scope.read(is_open):
        await scope.end(replies=button_gone)
        return scope.text("again.too_late")
    await pressed.answer("")
    now = scope.now
    await scope.write(lambda conn: outbox.add(conn, button_gone, now))
    await _go_on(scope, ())
    return ""


async def _go_on(scope: Scope, message_ids: Sequence[int]) -> None:
    """Ask for the rest; if there is no answer yet, ask the question again with the hint to reason less."""
    question = await scope.read(lambda conn: branches.cut_before_answer(conn, scope.lane.key))
    if question is None:
        await run_turn(scope, scope.text("prompt.go_on"), message_ids)
        return
    hint = f"\n\n{scope.text('prompt.answer_now')}"
    text = question.text.removesuffix(hint) + hint
    ids, branch = question.telegram_message_ids, branches.branch_before(question)
    kept = await stored_files(scope, question)
    await run_turn(scope, text, ids, branch=branch, attachments=kept.attachments, file_ids=kept.file_ids)
