"""Presses on buttons of plugins.

Each button has a row in the database, which says of which plugin it is, for whom, and what its data are. So a press
means the same after a restart and after the plugin was reinstalled, and nothing that the plugin gets can be forged.
"""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Final, cast

from tgllm.api import DatabaseError, PluginError, Press, PressResult, Reply, TgllmError
from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.rendering.split import utf16_length
from tgllm.bot.replies.calls import PluginCall, handling_call
from tgllm.bot.replies.chats import handle_of
from tgllm.bot.replies.checks import fault_of
from tgllm.bot.replies.keyboards import WORD, Keyboard, parsed
from tgllm.bot.replies.posting import Content, edit
from tgllm.bot.scope import Scope
from tgllm.bot.ui.plugin_replies import posting
from tgllm.bot.ui.press_table import MOST_TOAST, AnswerPress, PressAction, Pressed
from tgllm.bot.updates.raw import turn_id_of
from tgllm.db.engine.unit import Connection, Unit
from tgllm.db.tables.outbox import ANSWER, NewOutbox
from tgllm.db.tables.plugins import messages
from tgllm.db.tables.plugins.messages import KeyboardButton, PluginMessage
from tgllm.observe.errors import text_of, with_kind
from tgllm.plugins.calls.call_watch import Callee
from tgllm.plugins.calls.outcome import Outcome, Raised, Returned, TimedOut, contract_error, explain
from tgllm.plugins.calls.places import place_of_function
from tgllm.services.common.lane import Lane
from tgllm.services.common.text import mend_surrogates

__all__ = ["ANSWER_SECONDS", "plugin_presses"]

ANSWER_SECONDS: Final = 3.0
"""Time after which a press is answered without a text; until then, clients show the button as busy."""


def plugin_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(WORD, _press, needs_place=False),)


@dataclass(frozen=True, slots=True)
class _Found:
    """A pressed button."""

    message: PluginMessage
    button: KeyboardButton


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Handle the press of a button of a plugin."""
    async with _answered_in_time(scope, pressed.answer) as answer:
        found = await _find(scope, pressed)
        if isinstance(found, str):
            return found
        lock = scope.parts.press_locks.setdefault(found.message.id, asyncio.Lock())
        async with lock:
            # A press before this one may have changed the message.
            again = await _find(scope, pressed)
            if isinstance(again, str):
                return again
            await answer.give(await _handle(scope, again, answer))
            return ""


async def _find(scope: Scope, pressed: Pressed) -> _Found | str:
    """Return the pressed button, or the text that says why nothing is done."""
    ids = parsed(pressed.argument)
    stored = None if ids is None else await scope.read(lambda conn: messages.keyboard(conn, ids[0]))
    if ids is None or stored is None or ids[1] >= len(stored[1]):
        return scope.text("press.outdated")
    found = _Found(stored[0], stored[1][ids[1]])
    if not _is_in(found.message, scope, pressed):
        return scope.text("press.outdated")
    _, pressers, _ = found.button
    if pressers == "admins" and not scope.user.is_admin:
        return scope.text("press.only_admins")
    if pressers == "recipient" and found.message.user_id not in {None, scope.user.id}:
        return scope.text("press.not_for_you")
    if not scope.core.host.handles_presses(found.message.plugin_id):
        return scope.text("press.no_plugin", plugin=scope.core.host.title_of(found.message.plugin_id))
    return found


def _is_in(message: PluginMessage, scope: Scope, pressed: Pressed) -> bool:
    """Return whether a message is where the button was pressed: callback data may be forged."""
    if message.lane == scope.lane.key:
        return True
    lane = Lane.parse(message.lane)
    # Of such a message Telegram does not say the topic. In direct messages of a channel, others may read that topic.
    return pressed.is_inaccessible and lane.chat_id == scope.lane.chat_id and lane.direct_topic_id is None


async def _handle(scope: Scope, found: _Found, answer: "_InTime") -> str:
    """Call the plugin, and finish the update with what it returns; return the toast."""
    handler = scope.core.host.press_handler(found.message.plugin_id)
    if handler is None:
        return scope.text("press.no_plugin", plugin=scope.core.host.title_of(found.message.plugin_id))
    lane = Lane.parse(found.message.lane)
    name, _, data = found.button
    press = Press(
        id=turn_id_of(scope.row.update_id),
        button=name,
        data=data,
        user=scope.user,
        chat=replace(scope.chat, topic_id=lane.topic_id),
        message=handle_of(found.message, is_new=False),
    )
    call = PluginCall(press.id, found.message.lane, scope.user.id, found.message.plugin_id)
    with handling_call(call):
        callee = Callee(found.message.plugin_id, "tgllm_button", handler, is_waited_for=True)
        outcome = await scope.core.host.watch.call(scope.parts.runner, callee, press)
    there = replace(scope, lane=lane)
    try:
        result = _result(outcome, found, scope)
        effects = await _effects(there, found, result)
    except DatabaseError:
        raise
    except TgllmError as error:
        return await _fail(there, error, answer)
    toast, shown = _toast(there, result.toast, answer)
    await scope.end(*effects, replies=shown)
    answer.alert = result.alert
    return toast


def _result(outcome: Outcome[object], found: _Found, scope: Scope) -> PressResult:
    """Return what a plugin has returned.

    Raises:
        TgllmError: it failed; the plugin's own ``TgllmError`` is passed on unchanged.
    """
    match outcome:
        case Returned(None):
            return PressResult()
        case Returned(str(text)):
            return PressResult(toast=text)
        case Returned(Reply() as reply):
            made = PressResult(reply=reply)
        case Returned(PressResult() as made):
            pass
        case Returned(other):
            raise _reported(found, scope, f"returned a {type(other).__name__}")
        case TimedOut(seconds):
            failure = _failure(found, "button_slow", f"did not end within {seconds:g} s", seconds=seconds)
            _report(failure, found, scope)
            raise failure
        case Raised(error):
            sound = contract_error(error)
            if sound is not None:
                raise sound
            code = _report(error, found, scope)
            raise _failure(found, "button_failed", f"raised {explain(error)}", error_id=code) from error
    fault = _fault_of(made)
    if fault is not None:
        raise _reported(found, scope, f"returned {fault}")
    return made


def _fault_of(result: PressResult) -> str | None:
    """Return what is wrong with a result; None if nothing is."""
    fields = (cast("object", getattr(result, name)) for name in ("toast", "alert", "edit", "reply"))
    toast, alert, change, reply = fields
    if not isinstance(toast, str):
        return f"a {type(toast).__name__} as the toast of a PressResult"
    if not isinstance(alert, bool):
        return f"a {type(alert).__name__} as the alert of a PressResult"
    faults = (fault_of(each) for each in (change, reply) if each is not None)
    fault = next((fault for fault in faults if fault is not None), None)
    if fault is None and isinstance(change, Reply) and not change.text.strip():
        return "an edit without a text"
    return fault


async def _effects(scope: Scope, found: _Found, result: PressResult) -> Sequence[Unit]:
    """Return the effects of a result, in the chat of the message."""
    effects: list[Unit] = []
    if result.edit is not None:
        rows = await scope.parts.composer.compose(scope.lane, result.edit, scope.language)
        content, now = Content(rows, Keyboard(result.edit.buttons)), scope.now

        def change(conn: Connection) -> None:
            # Read again: the plugin itself may have edited or deleted the message meanwhile.
            present = messages.get(conn, found.message.id)
            if present is not None:
                edit(conn, present, content, ANSWER, now)

        effects.append(change)
    if result.reply is not None:
        effects += await posting(scope, found.message.plugin_id, result.reply)
    return effects


def _toast(scope: Scope, text: str, answer: "_InTime") -> tuple[str, list[NewOutbox]]:
    """Return the text to show at the button, and the rows that send it if it can't be shown there."""
    text = mend_surrogates(text)
    if not text.strip() or (utf16_length(text) <= MOST_TOAST and not answer.is_late):
        return text, []
    return "", message_rows(scope.lane, text)


async def _fail(scope: Scope, error: TgllmError, answer: "_InTime") -> str:
    """Finish the update as failed; return the text on the error, if it can be shown at the button."""
    # Before the person reads the code.
    await scope.core.errors.settle()
    toast, rows = _toast(scope, scope.error_text(error), answer)
    await scope.end(replies=rows, state="failed", error=lambda: with_kind(type(error).__name__, text_of(error)))
    answer.alert = True
    return toast


class _InTime:
    """Answer to a press that may come before the plugin has ended."""

    def __init__(self, give: AnswerPress) -> None:
        self._give = give
        self.is_late = False
        """Whether the press is answered without a text already."""
        self.alert = False

    async def give(self, text: str) -> None:
        """Answer the press."""
        await self._give(text, alert=self.alert)


@asynccontextmanager
async def _answered_in_time(scope: Scope, give: AnswerPress) -> AsyncGenerator[_InTime]:
    """Answer a press without a text if the block takes too long."""
    answer = _InTime(give)

    async def late() -> None:
        await scope.clock.sleep(ANSWER_SECONDS)
        answer.is_late = True
        await answer.give("")

    timer = asyncio.create_task(late(), name="answer the press")
    try:
        yield answer
    finally:
        timer.cancel()
        await asyncio.gather(timer, return_exceptions=True)


def _report(error: BaseException, found: _Found, scope: Scope) -> str:
    plugin, name = found.message.plugin_id, found.button[0]
    at = place_of_function(scope.core.host.press_handler(plugin))
    return scope.report(error, event="button.failed", plugin=plugin, button=name, at=at)


def _reported(found: _Found, scope: Scope, what: str) -> PluginError:
    failure = _failure(found, "button_failed", what)
    return _failure(found, "button_failed", what, error_id=_report(failure, found, scope))


def _failure(found: _Found, code: str, what: str, **params: str | float) -> PluginError:
    plugin, name = found.message.plugin_id, found.button[0]
    words = f"tgllm_button of the plugin {plugin} (button {name!r}) {what}"
    return PluginError(words, code=code, button=name, plugin=plugin, **params)
