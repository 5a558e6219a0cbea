"""Chat members as Bot API JSON. Source: Bot API, ChatMember and its kinds."""

from functools import cache
from typing import Any

from tgllm.testing.emulator.state.records import Account, MemberStatus
from tgllm.testing.emulator.world.wire import user_json

__all__ = ["ADMINS", "member_json"]

ADMINS = frozenset({"creator", "administrator"})


def member_json(account: Account, status: MemberStatus) -> dict[str, Any]:
    """Return a member (Bot API: ChatMember); administrators have all rights."""
    body: dict[str, Any] = {"user": user_json(account), "status": status}
    if status == "administrator":
        body.update(dict.fromkeys(_rights(), True))
    if status in ADMINS:
        body["is_anonymous"] = False
    if status == "kicked":
        body["until_date"] = 0
    return body


@cache
def _rights() -> tuple[str, ...]:
    """Return the fields of an administrator's rights: the required boolean fields of aiogram's class."""
    from aiogram.types import ChatMemberAdministrator  # noqa: PLC0415 - costs seconds of CPU, so only for administrators

    fields = ChatMemberAdministrator.model_fields
    return tuple(name for name, field in fields.items() if field.annotation is bool and field.is_required())
