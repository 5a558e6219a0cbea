"""What a plugin's command gets: its message, the message to which that replies, and their files."""

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import replace

from aiogram.types import Message, User

from tgllm.api import (
    Answers,
    Attachment,
    ChatInfo,
    CommandCall,
    CommandInfo,
    FilePart,
    FileUnreadable,
    RepliedMessage,
    UserInfo,
)
from tgllm.bot.replies.chats import handle_of
from tgllm.bot.scope import Scope
from tgllm.bot.turns.attachments import attachments_in
from tgllm.bot.turns.prompt import quoted_part, replied_message, replied_whole
from tgllm.bot.ui.command_table import ParsedCommand
from tgllm.bot.updates.formats.written import Written
from tgllm.bot.updates.parsing import parse_update
from tgllm.bot.updates.raw import content_of, turn_id_of
from tgllm.bot.updates.values import as_id, as_mapping
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.files import File
from tgllm.db.tables.inbox import InboxRow
from tgllm.db.tables.plugins import messages
from tgllm.db.tables.plugins.messages import PluginMessage
from tgllm.db.tables.users import SeenUser
from tgllm.plugins.owned import OwnedCommand
from tgllm.services.chats.group_mode import GroupMode
from tgllm.services.files import attachment as files
from tgllm.services.files.gathering.receiver import Arrival
from tgllm.services.people.names import full_name
from tgllm.services.people.standing import find_person

__all__ = ["Listing", "call_of"]

Listing = Callable[[UserInfo, ChatInfo], Sequence[CommandInfo]]

_ANSWERS: Mapping[GroupMode, Answers] = {"always": "all", "mention": "addressed", "never": "commands"}


async def call_of(scope: Scope, parsed: ParsedCommand, owned: OwnedCommand, listing: Listing) -> CommandCall:
    """Return the call of a plugin's command.

    Args:
        scope: the update.
        parsed: the command.
        owned: the command's row and its plugin.
        listing: lists the commands that a user may use in a chat.
    """
    return CommandCall(
        owned.command.name,
        parsed.args,
        scope.user,
        scope.chat,
        owned.context,
        tuple(listing(scope.user, scope.chat)),
        _ANSWERS[scope.group_mode],
        scope.chat.is_private or scope.parts.sees_all,
        turn_id_of(scope.row.update_id),
        await _replied(scope, parsed, owned.plugin_id),
        tuple(_attachments(scope, parsed.attachments, "own")),
        _sent_at(scope.row),
    )


def _sent_at(row: InboxRow) -> float:
    content = content_of(row)
    received_at = row.received_at / 1000
    return float(min(as_id(content.get("edit_date")) or as_id(content.get("date")) or received_at, received_at))


async def _replied(scope: Scope, parsed: ParsedCommand, plugin_id: str) -> RepliedMessage | None:
    """Return the message to which a command replies; None if others in the chat can't see it."""
    if parsed.reply_to is None:
        return None
    event = parse_update(scope.row.payload, scope.parts.bot).event
    replied = replied_message(event) if isinstance(event, Message) else None
    if replied is None or not isinstance(event, Message):
        return None
    whole = replied_whole(replied)
    part = quoted_part(event, whole)
    sender = None if replied.sender_chat is not None else replied.from_user
    is_own = sender is not None and sender.id == scope.parts.bot_id
    message, author = await scope.read(lambda conn: _known(conn, scope, replied.message_id, sender, plugin_id))
    raw = as_mapping(content_of(scope.row).get("reply_to_message"))
    found = attachments_in(raw, scope.parts.downloads.most_bytes)
    return RepliedMessage(
        _text_of(whole, None if part is None else part.written),
        author,
        is_own,
        None if message is None else handle_of(message, is_new=False),
        tuple(_attachments(scope, found, "reply")),
    )


def _text_of(whole: Written, part: Written | None) -> str:
    return (whole if part is None else part).text


def _known(
    conn: Connection, scope: Scope, message_id: int, sender: User | None, plugin_id: str
) -> tuple[PluginMessage | None, UserInfo | None]:
    """Return the plugin's message with that id of Telegram, and the person who wrote it."""
    message = messages.find_sent(conn, plugin_id, scope.lane.key, message_id)
    if sender is None or sender.is_bot:
        return message, None
    seen = SeenUser(sender.id, sender.username, sender.first_name, sender.last_name, sender.language_code)
    stored = find_person(conn, sender.id, scope.now)
    if stored is None:
        return message, UserInfo(sender.id, full_name(seen), None, sender.username, sender.language_code or "")
    return message, replace(stored, name=full_name(seen), username=sender.username)


def _attachments(scope: Scope, found: Sequence[files.Attachment], place: str) -> Iterator[Attachment]:
    for number, each in enumerate(found):
        # Each has a place of its own: a repetition after a crash finds what was downloaded before.
        arrival = Arrival(f"{turn_id_of(scope.row.update_id)}:{place}{number}", scope.user.id)
        yield Attachment(each.name, each.mime or "application/octet-stream", each.size, _fetching(scope, each, arrival))


def _fetching(scope: Scope, found: files.Attachment, arrival: Arrival) -> Callable[[], Awaitable[FilePart]]:
    async def fetch() -> FilePart:
        received = await scope.core.files.receive(arrival, [found], scope.parts.downloads, lambda _stage, _name: None)
        for failure in received.failures:
            raise failure
        for file in received.files:
            return _part(scope, file)
        raise FileUnreadable("the file was not received", code="file_not_received", name=found.name or "")

    return fetch


def _part(scope: Scope, file: File) -> FilePart:
    path = scope.core.storage.path(file.path)
    return FilePart(path, file.mime, file.size, file.sha256, file.original_name, seconds=file.seconds)
