"""Joining, leaving, adding, blocking and upgrades of groups, with the updates about them."""

from tgllm.testing.emulator.state.records import Account, EmulatedChat, MemberStatus
from tgllm.testing.emulator.world.members import ADMINS, member_json
from tgllm.testing.emulator.world.posting import Place, post_service
from tgllm.testing.emulator.world.wire import chat_json, user_json
from tgllm.testing.emulator.world.world import World

__all__ = ["add_member", "remove_member", "set_blocked", "set_status", "upgrade"]


def add_member(world: World, actor: Account, chat: EmulatedChat, account: Account) -> None:
    """Add an account to a group. Raises ValueError if it is a member or the chat is private."""
    if chat.is_private or account.id in chat.members:
        raise ValueError(f"{account.first_name} cannot join chat {chat.id}: private, or there already")
    chat.members[account.id] = account
    set_status(world, actor, chat, account, "member")
    post_service(world, actor, Place(chat), {"new_chat_members": [user_json(account)]})


def remove_member(
    world: World, actor: Account, chat: EmulatedChat, account: Account, status: MemberStatus = "left"
) -> None:
    """Remove an account from a group; a removed bot receives the updates about it."""
    if chat.is_private or account.id not in chat.members:
        raise ValueError(f"{account.first_name} is not a member of group {chat.id}")
    post_service(world, actor, Place(chat), {"left_chat_member": user_json(account)})
    set_status(world, actor, chat, account, status)
    chat.members.pop(account.id, None)


def set_status(world: World, actor: Account, chat: EmulatedChat, account: Account, status: MemberStatus) -> None:
    """Set an account's status in a chat and publish the update."""
    before = chat.statuses.get(account.id, "left")
    chat.statuses[account.id] = status
    _tell(world, actor, chat, account, (before, status))


def set_blocked(world: World, actor: Account, chat: EmulatedChat, *, blocked: bool) -> None:
    """Block or unblock the bot of a private chat."""
    if chat.bot is None or chat.bot_blocked == blocked:
        return
    chat.bot_blocked = blocked
    _tell(world, actor, chat, chat.bot, ("member", "kicked") if blocked else ("kicked", "member"))


def upgrade(world: World, actor: Account, chat: EmulatedChat) -> EmulatedChat:
    """Upgrade a basic group to a supergroup, which is a new chat; the group is closed for messages.

    Raises ValueError for another kind of chat. Bot API: Message, migrate_to_chat_id and migrate_from_chat_id.
    """
    if chat.type != "group" or chat.migrated_to is not None:
        raise ValueError(f"chat {chat.id} is no basic group")
    grown = world.add_chat("supergroup", chat.title or "")
    grown.members, grown.statuses = dict(chat.members), dict(chat.statuses)
    post_service(world, actor, Place(chat), {"migrate_to_chat_id": grown.id})
    post_service(world, actor, Place(grown), {"migrate_from_chat_id": chat.id})
    chat.migrated_to = grown.id
    return grown


def _tell(
    world: World, actor: Account, chat: EmulatedChat, account: Account, change: tuple[MemberStatus, MemberStatus]
) -> None:
    """Publish my_chat_member to the bot itself, chat_member to other bots that are administrators (Bot API: Update)."""
    payload = {
        "chat": chat_json(chat),
        "from": user_json(actor),
        "date": world.timestamp(),
        "old_chat_member": member_json(account, change[0]),
        "new_chat_member": member_json(account, change[1]),
    }
    for bot in world.bots_in(chat):
        if bot is account:
            bot.queue.put("my_chat_member", payload, chat.id)
        elif chat.statuses.get(bot.id) in ADMINS:
            bot.queue.put("chat_member", payload, chat.id)
    world.changes.bump()
