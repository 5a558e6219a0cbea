"""Decisions on the access of users and groups, such as ``/admin approve <user or group>``."""

from collections.abc import Awaitable, Callable
from typing import Final, cast, get_args

from tgllm.bot.admin.guard import about_admin
from tgllm.bot.admin.screen import Screen
from tgllm.bot.admin.table import AdminCall, AdminCommand, Result
from tgllm.bot.scope import is_confidential
from tgllm.db.engine.unit import Connection
from tgllm.services.access.card_texts import group_decided, person_decided
from tgllm.services.access.groups import GroupVerdict
from tgllm.services.people.decisions import Verdict
from tgllm.services.people.search import find_person

__all__ = ["access_rows"]

ALL: Final = "all"
"""In place of a user: all pending users."""


def access_rows() -> tuple[AdminCommand, ...]:
    """Return the rows for the admin table. In a group, approve and deny without an argument are about that group."""
    danger = about_admin(least_words=1)
    return (
        AdminCommand("approve", _decider("approve"), usage="[user|group]", dangerous=danger, anywhere=True),
        AdminCommand("guest", _decider("guest"), usage="<user>", dangerous=danger),
        AdminCommand("deny", _decider("deny"), usage="[user|group|all]", dangerous=danger, anywhere=True),
        AdminCommand("block", _decider("block"), usage="<user>", dangerous=danger),
    )


def _decider(verdict: Verdict) -> Callable[[AdminCall], Awaitable[Result]]:
    return lambda call: _decide(call, verdict)


async def _decide(call: AdminCall, verdict: Verdict) -> Result:
    chat, who = call.scope.chat, call.argument
    if verdict in get_args(GroupVerdict):
        if not who and chat.is_group:
            return _about_group(call, cast("GroupVerdict", verdict), chat.id)
        if not await is_confidential(call.scope):
            return call.says(call.text("admin.not_here"))
        if who.startswith("-") and who[1:].isascii() and who[1:].isdecimal() and len(who) < 19:
            return _about_group(call, cast("GroupVerdict", verdict), int(who))
    if verdict == "deny" and who.casefold() == ALL:
        return _about_all(call)
    return _about_person(call, verdict, who)


def _about_person(call: AdminCall, verdict: Verdict, who: str) -> Result:
    core = call.core

    def work(conn: Connection) -> Screen:
        decided = core.users.decide_in(conn, find_person(conn, who).id, verdict, call.actor)
        words = person_decided(core.texts, conn, decided.user, verdict, decided.by)
        text = words(call.scope.language) if decided.changed else call.text("access.so_already")
        return Screen(text, after=lambda: core.users.enforce(decided))

    return work


def _about_group(call: AdminCall, verdict: GroupVerdict, chat_id: int) -> Result:
    core, here = call.core, call.scope.chat

    def work(conn: Connection) -> Screen:
        if verdict == "approve" and chat_id == here.id:
            decided = core.access.groups.approve_by(conn, chat_id, here.title, call.actor)
        else:
            decided = core.access.groups.decide_in(conn, chat_id, verdict, call.actor)
        if not decided.changed:
            return Screen(call.text("access.so_already"))
        words = group_decided(core.texts, conn, decided.group, verdict, decided.group.decided_by)
        # The decision itself sends the group a message.
        return Screen("" if chat_id == here.id else words(call.scope.language), after=decided.enforce)

    return work


def _about_all(call: AdminCall) -> Result:
    def work(conn: Connection) -> Screen:
        count = call.core.users.decline_all_in(conn, call.actor)
        return Screen(call.text("admin.deny.all", count=count))

    return work
