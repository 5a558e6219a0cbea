"""Creation of bots, users, groups and topics."""

from collections.abc import Sequence

from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.records import EmulatedChat, EmulatedTopic
from tgllm.testing.emulator.users import EmulatedUser
from tgllm.testing.emulator.world.posting import Place, post_service
from tgllm.testing.emulator.world.world import World

__all__ = ["add_bot", "add_direct_messages", "add_group", "add_topic", "add_user", "create_group"]


def add_bot(
    world: World,
    *,
    token: str,
    username: str,
    first_name: str | None = None,
    reads_all_group_messages: bool = True,
) -> EmulatedBot:
    """Add a bot; its id is the part of the token before the colon.

    Raises ValueError for a token without a numeric id, and for an id that is in use.
    """
    number, _, secret = token.partition(":")
    if not number.isdigit() or not secret:
        raise ValueError("a bot token looks like 42:SECRET")
    bot = EmulatedBot(
        id=int(number),
        first_name=first_name or username,
        username=username,
        is_bot=True,
        token=token,
        queue=world.new_queue(),
        reads_all_group_messages=reads_all_group_messages,
    )
    world.add_account(bot)
    world.bots[token] = bot
    return bot


def add_user(
    world: World,
    *,
    first_name: str,
    last_name: str | None = None,
    username: str | None = None,
    language_code: str | None = None,
    user_id: int | None = None,
) -> EmulatedUser:
    """Add a user without chats. Raises ValueError if the id is in use."""
    user = EmulatedUser(
        id=world.next_user_id() if user_id is None else user_id,
        first_name=first_name,
        last_name=last_name,
        username=username,
        language_code=language_code,
        world=world,
    )
    world.add_account(user)
    return user


def add_group(
    world: World,
    *,
    title: str,
    members: Sequence[EmulatedUser] = (),
    bots: Sequence[EmulatedBot] = (),
    is_basic: bool = False,
    is_forum: bool = False,
) -> EmulatedChat:
    """Add a supergroup (or a basic group) with these users and bots, without any updates about it."""
    chat = world.add_chat("group" if is_basic else "supergroup", title)
    chat.is_forum = is_forum
    chat.members = {account.id: account for account in (*members, *bots)}
    chat.statuses = dict.fromkeys(chat.members, "member")
    if members:
        chat.statuses[members[0].id] = "creator"
    world.changes.bump()
    return chat


async def create_group(
    world: World, creator: EmulatedUser, *, title: str, members: Sequence[EmulatedUser], bots: Sequence[EmulatedBot]
) -> EmulatedChat:
    """Create a supergroup as a user does in a client, with the updates and service messages about it."""
    group = add_group(world, title=title, members=[creator])
    post_service(world, creator, Place(group), {"supergroup_chat_created": True})
    for account in (*bots, *(member for member in members if member is not creator)):
        await creator.add(group, account)
    return group


def add_direct_messages(
    world: World, *, title: str, admins: Sequence[EmulatedUser] = (), bots: Sequence[EmulatedBot] = ()
) -> EmulatedChat:
    """Add the direct messages of a channel, with these users and bots as administrators of the channel."""
    chat = world.add_chat("supergroup", title)
    chat.is_direct_messages = True
    chat.members = {account.id: account for account in (*admins, *bots)}
    chat.statuses = dict.fromkeys(chat.members, "administrator")
    world.changes.bump()
    return chat


def add_topic(world: World, chat: EmulatedChat, name: str) -> EmulatedTopic:
    """Add a topic to a supergroup (which becomes a forum) or to a private chat."""
    topic = EmulatedTopic(chat.next_message_id(), chat, name)
    topic.creator = next((member for member in chat.members.values() if not member.is_bot), None)
    chat.is_forum = chat.is_forum or chat.type == "supergroup"
    chat.topics[topic.id] = topic
    world.changes.bump()
    return topic
