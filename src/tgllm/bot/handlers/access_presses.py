"""Buttons of access requests: an admin decides with one press; the first decision counts."""

from typing import cast, get_args

from tgllm.bot.scope import Scope
from tgllm.bot.ui.press_table import PressAction, Pressed
from tgllm.db.engine.unit import Connection
from tgllm.services.access.card_texts import group_decided, person_decided
from tgllm.services.access.cards import CARD
from tgllm.services.access.groups import GroupDecided, GroupVerdict
from tgllm.services.people.decisions import AccessError, Decided, Verdict

__all__ = ["access_presses"]


def access_presses() -> tuple[PressAction, ...]:
    """Return the row for the press table."""
    return (PressAction(CARD, _press, "admin", needs_place=False),)


async def _press(scope: Scope, pressed: Pressed) -> str:
    """Decide about the user or group of the button; callback data may be forged."""
    verdict, _, target = pressed.argument.partition(":")
    if not (target.isascii() and target.removeprefix("-").isdecimal() and len(target) < 19):
        return ""
    try:
        if int(target) < 0:
            return await _group(scope, verdict, int(target))
        return await _person(scope, verdict, int(target))
    except AccessError as error:
        await scope.end()
        return scope.error_text(error)


async def _person(scope: Scope, verdict: str, user_id: int) -> str:
    if verdict not in get_args(Verdict):
        return ""
    core, said = scope.core, list[tuple[Decided, str]]()

    def unit(conn: Connection) -> None:
        chosen = cast("Verdict", verdict)
        decided = core.users.decide_in(conn, user_id, chosen, scope.actor, only_pending=True)
        words = person_decided(core.texts, conn, decided.user, verdict, decided.by)
        said.append((decided, words(scope.language) if decided.changed else scope.text("access.decided_before")))

    await scope.end(unit)
    decided, text = said[-1]
    core.users.enforce(decided)
    return text


async def _group(scope: Scope, verdict: str, chat_id: int) -> str:
    if verdict not in get_args(GroupVerdict):
        return ""
    core, said = scope.core, list[tuple[GroupDecided, str]]()

    def unit(conn: Connection) -> None:
        chosen = cast("GroupVerdict", verdict)
        decided = core.access.groups.decide_in(conn, chat_id, chosen, scope.actor, only_pending=True)
        words = group_decided(core.texts, conn, decided.group, verdict, decided.group.decided_by)
        said.append((decided, words(scope.language) if decided.changed else scope.text("access.decided_before")))

    await scope.end(unit)
    decided, text = said[-1]
    decided.enforce()
    return text
