"""Chats, their members and pinned messages."""

from typing import Any

from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request
from tgllm.testing.emulator.state.records import Account, EmulatedChat, MemberStatus
from tgllm.testing.emulator.world.members import ADMINS, member_json
from tgllm.testing.emulator.world.wire import chat_json, message_json

__all__ = ["get_chat"]


def _member(chat: EmulatedChat, account: Account) -> dict[str, Any]:
    there: MemberStatus = "member" if account.id in chat.members else "left"
    return member_json(account, chat.statuses.get(account.id, there))


@handles("getChat")
def get_chat(call: MethodCall) -> object:
    """Bot API: getChat."""
    chat = call.chat()
    pinned = next((m for m in chat.newest_first() if m.is_pinned), None)
    body: dict[str, Any] = {
        **chat_json(chat),
        "accent_color_id": 0,
        "max_reaction_count": 11,
        "accepted_gift_types": dict.fromkeys(
            ("unlimited_gifts", "limited_gifts", "unique_gifts", "premium_subscription", "gifts_from_channels"),
            False,
        ),
        **chat.properties,
    }
    if pinned is not None:
        body["pinned_message"] = message_json(pinned, with_reply=False)
    return body


def _account(call: MethodCall, chat: EmulatedChat) -> Account:
    account = call.world.accounts.get(int(call.get("user_id")))
    if account is None or (account.id not in chat.members and account.id not in chat.statuses):
        raise bad_request("user not found")
    return account


@handles("getChatMember")
def get_chat_member(call: MethodCall) -> object:
    """Bot API: getChatMember."""
    chat = call.chat()
    return _member(chat, _account(call, chat))


@handles("getChatAdministrators")
def get_chat_administrators(call: MethodCall) -> object:
    """Bot API: getChatAdministrators."""
    chat = call.chat()
    if chat.is_private:
        raise bad_request("there are no administrators in the private chat")
    admins = [a for a in chat.members.values() if chat.statuses.get(a.id) in ADMINS and not a.is_bot]
    return [_member(chat, account) for account in admins]


@handles("getChatMemberCount")
def get_chat_member_count(call: MethodCall) -> object:
    """Bot API: getChatMemberCount."""
    return len(call.chat().members)


@handles("leaveChat")
def leave_chat(call: MethodCall) -> object:
    """Bot API: leaveChat."""
    chat = call.chat()
    if chat.is_private:
        raise bad_request("chat member status can't be changed in private chats")
    del chat.members[call.bot.id]
    chat.statuses[call.bot.id] = "left"
    call.world.changes.bump()
    return True


@handles("setChatTitle")
def set_chat_title(call: MethodCall) -> object:
    """Bot API: setChatTitle."""
    chat = call.chat()
    if chat.is_private:
        raise bad_request("can't change private chat title")
    _check_admin(call, chat, "change chat title")
    chat.title = str(call.get("title"))
    call.world.changes.bump()
    return True


@handles("setChatDescription")
def set_chat_description(call: MethodCall) -> object:
    """Bot API: setChatDescription."""
    chat = call.chat()
    _check_admin(call, chat, "change chat description")
    chat.properties["description"] = str(call.get("description", ""))
    call.world.changes.bump()
    return True


def _check_admin(call: MethodCall, chat: EmulatedChat, action: str) -> None:
    if chat.statuses.get(call.bot.id) not in ADMINS:
        raise bad_request(f"not enough rights to {action}")


@handles("pinChatMessage")
def pin_chat_message(call: MethodCall) -> object:
    """Bot API: pinChatMessage."""
    _set_pinned(call, call.chat(), pinned=True)
    return True


@handles("unpinChatMessage")
def unpin_chat_message(call: MethodCall) -> object:
    """Bot API: unpinChatMessage; the newest pinned message by default."""
    chat = call.chat()
    if "message_id" in call.params:
        _set_pinned(call, chat, pinned=False)
        return True
    newest = next((m for m in chat.newest_first() if m.is_pinned), None)
    if newest is None:
        raise bad_request("message to unpin not found")
    newest.is_pinned = False
    call.world.changes.bump()
    return True


@handles("unpinAllChatMessages")
def unpin_all_chat_messages(call: MethodCall) -> object:
    """Bot API: unpinAllChatMessages."""
    chat = call.chat()
    for message in chat.messages:
        message.is_pinned = False
    call.world.changes.bump()
    return True


def _set_pinned(call: MethodCall, chat: EmulatedChat, *, pinned: bool) -> None:
    message = call.message(chat, "pin" if pinned else "unpin")
    if not chat.is_private:
        _check_admin(call, chat, "manage pinned messages in the chat")
    message.is_pinned = pinned
    call.world.changes.bump()
