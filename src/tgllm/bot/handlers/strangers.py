"""Updates of users and groups without access: their requests, and rate-limited replies."""

from collections.abc import Callable
from dataclasses import replace

from aiogram import Bot
from aiogram.exceptions import AiogramError
from aiogram.types import CallbackQuery, Message, TelegramObject

from tgllm.bot.delivery.rows import PLACEHOLDER, message_rows
from tgllm.bot.scope import Scope, UpdateScope
from tgllm.bot.turns.addressing import command_in
from tgllm.bot.ui.press_table import MOST_TOAST
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import ANSWER, NOTICE, Priority
from tgllm.observe.logs import get_logger
from tgllm.services.access.access_requests import Asked
from tgllm.services.access.verdicts import DECIDED
from tgllm.services.common.text import clip
from tgllm.services.common.update_notes import INVITE, notes_of
from tgllm.services.messaging.rows import with_priority
from tgllm.services.people.standing import Standing

__all__ = ["answer_press", "forget_update", "group_state", "receive_stranger"]

log = get_logger(__name__)

Words = Callable[[Connection], str]
"""Carries out a request in a transaction, and returns the reply."""


async def receive_stranger(content: TelegramObject, scope: Scope, standing: Standing) -> None:
    """Finish an update of a user without access here. Only an access request is kept of what they wrote."""
    if isinstance(content, CallbackQuery):
        if scope.core.access.limits.may_answer(("press", scope.person.id)):
            await answer_press(scope.parts.bot, content, scope.text("access.not_approved"))
        await forget_update(scope)
    elif not isinstance(content, Message) or scope.row.kind == "edited_message":
        await forget_update(scope)
    elif standing.closed in {"group_pending", "group_denied"}:
        await _answer(scope, ("group", scope.chat.id), _ask_for_group(scope))
    else:
        await _receive_person(content, scope, standing)


async def forget_update(scope: UpdateScope, *effects: Unit) -> None:
    """Finish the update with these effects and without an answer, and keep only its id."""
    await scope.end(*effects, _scrubbed(scope))


async def answer_press(bot: Bot, press: CallbackQuery, text: str) -> None:
    """Show a text at the pressed button. Telegram accepts no answer to an old press; the error is logged."""
    try:
        await bot.answer_callback_query(press.id, text=clip(text, MOST_TOAST), show_alert=True)
    except AiogramError as error:
        log.info("press.not_answered", error=type(error).__name__)


async def _receive_person(message: Message, scope: Scope, standing: Standing) -> None:
    command = command_in(message, scope.parts.username)
    if command is None or command.name != "start" or not scope.chat.is_private:
        state = "ask" if standing.closed in {"unknown", "expired"} else standing.closed or "ask"
        text = _state(scope, "ask_in_private" if state == "ask" and not scope.chat.is_private else state)
        await _answer(scope, ("talk", scope.person.id), lambda _conn: text)
    elif (hashed := notes_of(scope.row.payload).get(INVITE)) is not None:
        await _redeem(scope, str(hashed))
    else:
        await _answer(scope, ("start", scope.person.id), lambda conn: _ask(conn, scope, command.args))


async def _redeem(scope: Scope, hashed: str) -> None:
    """Redeem an invite link, given the hash of its token. An invalid one is treated as a plain /start, with a note."""
    may_answer = scope.core.access.limits.may_answer(("start", scope.person.id))

    def unit(conn: Connection) -> None:
        user = scope.core.access.invitations.redeem_in(conn, scope.person, hashed)
        if user is not None:
            outbox.drop_notices(conn, scope.lane.key, DECIDED)
            _say(conn, scope, scope.text("access.told_invite", name=scope.user.name), ANSWER)
            return
        pending = _ask(conn, scope, "")
        if may_answer:
            _say(conn, scope, f"{scope.text('access.invite_spent')}\n\n{pending}")

    await scope.end(unit, _scrubbed(scope))


async def _answer(scope: Scope, key: tuple[str, int], words: Words) -> None:
    """Carry out a request, and reply unless the rate limit of replies forbids it."""
    may_answer = scope.core.access.limits.may_answer(key)

    def unit(conn: Connection) -> None:
        text = words(conn)
        if may_answer:
            _say(conn, scope, text)

    await scope.end(unit, _scrubbed(scope))


def _ask(conn: Connection, scope: Scope, reason: str) -> str:
    asked = scope.core.access.requests.request_in(conn, scope.person, reason)
    if asked == "asked":
        log.info("access.requested", user=scope.person.id)
    return _state(scope, asked)


def _ask_for_group(scope: Scope) -> Words:
    """Return the unit that requests the group, at the first question asked there."""

    def words(conn: Connection) -> str:
        asked = scope.core.access.groups.request_in(conn, scope.chat.id, scope.chat.title, scope.person.id)
        return group_state(scope, asked)

    return words


def group_state(scope: Scope, asked: Asked) -> str:
    """Return the text on the state of a group's request."""
    match asked:
        case "denied":
            return scope.text("access.group_denied")
        case "full":
            return scope.text("access.state_full")
        case _:
            return scope.text("access.group_pending")


def _state(scope: Scope, state: str) -> str:
    """Return the text on the state of a user's request, or on the reason why there is none."""
    key = "pending" if state == "asked" else state
    return scope.text(f"access.state_{key}", username=scope.parts.username)


def _say(conn: Connection, scope: Scope, text: str, priority: Priority = NOTICE) -> None:
    """Add a message. ``PLACEHOLDER`` prevents a notice if its delivery is uncertain: its buttons need access."""
    rows = [replace(row, payload={**row.payload, PLACEHOLDER: True}) for row in message_rows(scope.lane, text)]
    outbox.add(conn, with_priority(rows, priority), scope.now)


def _scrubbed(scope: UpdateScope) -> Unit:
    return lambda conn: scrub(conn, scope.row.update_id)
