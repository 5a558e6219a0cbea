"""Reminders and scheduled prompts: the command ``/remind``, the list, and its buttons.

In a private chat the list shows all reminders of the person, in a group those of its members in this chat or topic.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import tzinfo

from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import ParsedCommand, TableCommand
from tgllm.bot.ui.keyboards import PAGE, Button, Menu, Page, page_number, page_of, pager, send_menu, show_menu
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.bot.updates.raw import content_of
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.reminders import store
from tgllm.db.tables.reminders.store import NewReminder, Reminder
from tgllm.i18n import Catalogue
from tgllm.services.common.text import one_line
from tgllm.services.people.standing import find_person
from tgllm.services.reminders.firing import first_time
from tgllm.services.reminders.reading import Wanted
from tgllm.services.reminders.rules import zone_named
from tgllm.services.reminders.setting import ReminderRefused, check_room, is_theirs, wanted_by
from tgllm.services.reminders.words import moment_in_words, rule_in_words, when_in_words

__all__ = ["remind_commands", "remind_presses"]

HOME = "remind"
"""First word of the data of the button that shows a page of the list; its number follows."""
PAUSE = "rpause"
"""The same for pausing a reminder or going on with it; its id, a page, and the wanted state follow."""
ON, OFF = "on", "off"
DROP = "rdrop"
"""The same for deleting a reminder; its id and a page follow."""
MOST_SHOWN = 100
"""UTF-16 units of a text in the list."""


def remind_commands(texts: Catalogue) -> tuple[TableCommand, ...]:
    """Return the row for the command table."""
    return (TableCommand("remind", lambda language: texts("command.remind", language), "user", _remind, reads="bare"),)


def remind_presses() -> tuple[PressAction, ...]:
    """Return the rows for the press table."""
    return (PressAction(HOME, _page), PressAction(PAUSE, _pause), PressAction(DROP, _drop))


async def _remind(scope: Scope, command: ParsedCommand) -> None:
    """Set a reminder; without words, list them."""
    if scope.lane.is_apart:
        await scope.reply(scope.text("reminders.not_here"))
        return
    if not command.args.strip():
        await send_menu(scope, _menu(scope, await _listed(scope), 0))
        return
    try:
        await _set(scope, command, _zone(scope))
    except ReminderRefused as error:
        await scope.reply(scope.error_text(error))


async def _set(scope: Scope, command: ParsedCommand, zone: tzinfo) -> None:
    limits, sent_at = scope.config.reminders, _sent_at(scope)
    wanted = wanted_by(command.args, command.reply_text, sent_at, zone, limits)
    new = NewReminder(
        scope.user.id,
        scope.lane.key,
        next(iter(command.message_ids), 0),
        "prompt" if wanted.is_prompt else "text",
        wanted.text,
        int(wanted.due.timestamp() * 1000),
        wanted.days,
        wanted.minute,
    )
    now = scope.now
    # Checked here, so that the reply is known when the update ends.
    await scope.read(lambda conn: check_room(conn, new.user_id, new.kind, limits))
    menu = Menu(_confirmation(scope, wanted, new, zone), [[Button(scope.text("reminders.all"), HOME)]])
    await send_menu(scope, menu, lambda conn: _add(conn, new, now))


def _add(conn: Connection, new: NewReminder, now: int) -> None:
    store.add(conn, new, now)


def _confirmation(scope: Scope, wanted: Wanted, new: NewReminder, zone: tzinfo) -> str:
    texts, language = scope.core.texts, scope.language
    first = moment_in_words(texts, new.due_at, zone, language)
    key = "reminders.will_ask" if wanted.is_prompt else "reminders.will_remind"
    if new.minute is None:
        return scope.text(key, time=first, zone=zone, text=wanted.text)
    rule = rule_in_words(texts, new.days, new.minute, language)
    return "\n".join(
        [scope.text(key, time=rule, zone=zone, text=wanted.text), scope.text("reminders.first", time=first)]
    )


async def _page(scope: Scope, pressed: Pressed) -> str:
    await show_menu(scope, pressed, _menu(scope, await _listed(scope), page_number(pressed.argument)))
    return ""


async def _pause(scope: Scope, pressed: Pressed) -> str:
    """Pause a reminder, or go on with it: its next time is then computed anew."""
    which, page, wanted = _words(pressed.argument)
    listed = await _listed(scope)
    found = _own(scope, listed, which)
    if found is None:
        return await _gone(scope, pressed, listed, page)
    # The button says the state that it sets: a press that is repeated after a crash changes nothing more.
    paused, due_at, now = wanted == ON, found.due_at, scope.now
    if not paused and found.minute is not None:
        zone = await scope.read(lambda conn: _zone_of(conn, found.user_id, scope))
        due_at = first_time(found.days, found.minute, now, zone)

    def effect(conn: Connection) -> None:
        store.set_paused(conn, found.id, paused=paused)
        store.advance(conn, found.id, due_at)

    changed = replace(found, paused=paused, due_at=due_at)
    after = [changed if each is found else each for each in listed]
    await show_menu(scope, pressed, _menu(scope, after, page_number(page)), effect)
    return ""


async def _drop(scope: Scope, pressed: Pressed) -> str:
    """Delete a reminder."""
    which, page, _ = _words(pressed.argument)
    listed = await _listed(scope)
    found = _own(scope, listed, which)
    if found is None:
        return await _gone(scope, pressed, listed, page)
    after = [each for each in listed if each is not found]
    await show_menu(scope, pressed, _menu(scope, after, page_number(page)), lambda conn: _delete(conn, found.id))
    return ""


def _delete(conn: Connection, reminder_id: int) -> None:
    store.delete(conn, reminder_id)


def _words(argument: str) -> tuple[str, str, str]:
    """Return the id, the page and the state in the data of a button; each may be empty or forged."""
    which, page, wanted, *_ = [*argument.split(":"), "", "", ""]
    return which, page, wanted


def _own(scope: Scope, listed: Sequence[Reminder], which: str) -> Reminder | None:
    found = next((each for each in listed if str(each.id) == which), None)
    return found if found is not None and is_theirs(found, scope.user) else None


async def _gone(scope: Scope, pressed: Pressed, listed: Sequence[Reminder], page: str) -> str:
    """Show the list, where the reminder is not there any more or belongs to somebody else."""
    await show_menu(scope, pressed, _menu(scope, listed, page_number(page)))
    return scope.text("reminders.gone")


def _zone_of(conn: Connection, user_id: int, scope: Scope) -> tzinfo:
    person = find_person(conn, user_id, scope.now)
    return zone_named(None if person is None else person.timezone, scope.config.time_zone)


async def _listed(scope: Scope) -> Sequence[Reminder]:
    return await scope.read(lambda conn: _rows(conn, scope))


def _rows(conn: Connection, scope: Scope) -> Sequence[Reminder]:
    if scope.chat.is_private:
        return store.of_person(conn, scope.user.id)
    return store.in_lane(conn, scope.lane.key)


def _menu(scope: Scope, listed: Sequence[Reminder], number: int) -> Menu:
    if not listed:
        return Menu(scope.text("reminders.none"))
    page = page_of(listed, number)
    zone = _zone(scope)
    lines = [_line(scope, each, place, zone) for place, each in enumerate(page.items, page.number * PAGE + 1)]
    rows = [_buttons(each, place, page) for place, each in enumerate(page.items, page.number * PAGE + 1)]
    title = scope.text("reminders.title", zone=zone)
    return Menu("\n".join([title, "", *lines]), [*rows, *pager(page, lambda to: f"{HOME}:{to}")])


def _line(scope: Scope, reminder: Reminder, place: int, zone: tzinfo) -> str:
    mark = "⏸ " if reminder.paused else ""
    kind = "💬 " if reminder.is_prompt else ""
    when = when_in_words(scope.core.texts, reminder, zone, scope.language)
    return f"{place}. {mark}{when}: {kind}{one_line(reminder.text, MOST_SHOWN)}"


def _buttons(reminder: Reminder, place: int, page: Page[Reminder]) -> list[Button]:
    label, wanted = ("▶️", OFF) if reminder.paused else ("⏸", ON)
    pause = Button(f"{label} {place}", f"{PAUSE}:{reminder.id}:{page.number}:{wanted}")
    return [pause, Button(f"✕ {place}", f"{DROP}:{reminder.id}:{page.number}")]


def _zone(scope: Scope) -> tzinfo:
    return zone_named(scope.user.timezone, scope.config.time_zone)


def _sent_at(scope: Scope) -> float:
    """Return when the person sent the command, which may have waited: 20 minutes count from then on."""
    date = content_of(scope.row).get("date")
    return float(date) if isinstance(date, int) and 0 < date * 1000 <= scope.now else scope.now / 1000
