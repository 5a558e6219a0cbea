"""Messages: commands are run from the command table, texts are answered by the model."""

from dataclasses import replace

from aiogram.types import Message

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import command_in, is_own, question_of
from tgllm.bot.turns.albums import album_of
from tgllm.bot.turns.prompt import replied_text, told
from tgllm.bot.turns.quotes import quotes_of
from tgllm.bot.turns.split_texts import whole_text
from tgllm.bot.turns.start import run_turn
from tgllm.bot.ui.command_table import LiveCommands, ParsedCommand, may_use, parse_command
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.db.engine.unit import Unit
from tgllm.db.tables import outbox

__all__ = ["MessageHandler"]


class MessageHandler:
    """Handler of messages."""

    def __init__(self, commands: LiveCommands) -> None:
        self._commands = commands

    async def handle(self, event: Message, scope: Scope) -> None:
        """Answer a message of an approved user."""
        command = command_in(event, scope.parts.username)
        if command is not None:
            await self._command(_with_place(command, event), event, scope)
            return
        if scope.row.control:
            # Such as /stop@other_bot: it skipped the queue, so a turn may be running in its lane.
            await scope.end()
            return
        if event.text is None:
            await self._attached(event, scope)
            return
        whole = await whole_text(event, scope)
        words = whole.written.stripped() if len(whole.message_ids) > 1 else question_of(event, scope)
        # A text that only names the bot asks about the message to which it replies.
        is_bare = not words.text
        words = whole.written.stripped() if is_bare else words
        markdown = markdown_of(words)
        quotes = await quotes_of(event, scope, told(event, scope, markdown))
        if is_bare and not (quotes and words.text):
            await scope.reply(scope.text("turn.only_mention" if words.text else "turn.unsupported_message"))
            return
        question = told(event, scope, markdown, quotes)
        await run_turn(scope, question, whole.message_ids, title=words.text)

    async def _attached(self, event: Message, scope: Scope) -> None:
        """Answer the caption of pictures and files, and say once for each album that their contents are not read."""
        album = await album_of(event, scope)
        command = parse_command(album.written, scope.parts.username) if is_own(event) else None
        if command is not None:
            # The caption of an album may stand below any of its items.
            await self._command(_with_place(command, event), event, scope)
            return
        if not album.words.text:
            replies = [] if album.is_told else message_rows(scope.lane, scope.text("turn.unsupported_message"))
            replies += scope.parts.acknowledgements.taken_away(scope.row, album.message_ids)
            await scope.end(replies=replies)
            return
        count, markdown = len(album.message_ids), markdown_of(album.words)
        quotes = await quotes_of(event, scope, told(event, scope, markdown, attached=count))
        question = told(event, scope, markdown, quotes, count)
        effects = [] if album.is_told else [_say_after(scope, scope.text("turn.only_caption", count=count))]
        await run_turn(scope, question, album.message_ids, title=album.words.text, effects=effects)

    async def _command(self, parsed: ParsedCommand, event: Message, scope: Scope) -> None:
        command = self._commands.table.find(parsed.name)
        if command is None:
            await self._unknown(parsed.name, event, scope)
        elif not may_use(scope.user, command.access):
            await scope.reply(scope.text(f"access.not_{command.access}"))
        else:
            await command.run(scope, parsed)

    async def _unknown(self, name: str, event: Message, scope: Scope) -> None:
        """Reply that a command is unknown; in a group only if it is for this bot: other bots get bare commands too."""
        nearest = self._commands.table.nearest(name, scope.user)
        # A command with another bot's name is not handled here, so a name is this bot's.
        is_named = "@" in (event.text or event.caption or "/").split(maxsplit=1)[0]
        if nearest is not None:
            await scope.reply(scope.text("turn.unknown_command", name=name, nearest=nearest))
        elif scope.chat.is_private or is_named:
            await scope.reply(scope.text("turn.unknown_command_bare", name=name))
        else:
            await scope.end()


def _say_after(scope: Scope, text: str) -> Unit:
    now = scope.now
    return lambda conn: outbox.add(conn, message_rows(scope.lane, text), now)


def _with_place(command: ParsedCommand, event: Message) -> ParsedCommand:
    """Return the command with the ids of its message and of the replied one."""
    replied = event.reply_to_message
    return replace(
        command,
        message_ids=(event.message_id,),
        reply_to=None if replied is None else replied.message_id,
        reply_text=replied_text(event),
    )
