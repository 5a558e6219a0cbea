"""Messages: commands are run from the command table, texts and files are answered by the model."""

from dataclasses import replace

from aiogram.types import Message

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.scope import Scope
from tgllm.bot.turns.addressing import command_in, is_own, question_of
from tgllm.bot.turns.albums import album_of
from tgllm.bot.turns.attachments import attachments_in, without_repeats
from tgllm.bot.turns.forwards import forwards_with
from tgllm.bot.turns.prompt import replied_text, told
from tgllm.bot.turns.quotes import quotes_of
from tgllm.bot.turns.readable import content_beside, content_remark
from tgllm.bot.turns.split_texts import whole_text
from tgllm.bot.turns.start import run_turn
from tgllm.bot.turns.transcripts import correction_of
from tgllm.bot.ui.command_table import LiveCommands, ParsedCommand, may_use, parse_command
from tgllm.bot.updates.formats.markdown import markdown_of
from tgllm.bot.updates.raw import content_of
from tgllm.services.files.attachment import Attachment

__all__ = ["MessageHandler"]


class MessageHandler:
    """Handler of messages."""

    def __init__(self, commands: LiveCommands) -> None:
        self._commands = commands

    async def handle(self, event: Message, scope: Scope) -> None:
        """Answer a message of an approved user."""
        command = command_in(event, scope.parts.username)
        # The items of an album belong to the command in its caption, but a command that stops something can't wait.
        if command is not None and (event.media_group_id is None or scope.row.control):
            files = attachments_in(content_of(scope.row), scope.parts.downloads.most_bytes)
            await self._command(_with_place(command, event, files), event, scope)
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
        corrected = None if is_bare else await correction_of(event, scope, markdown)
        if corrected is not None:
            await run_turn(scope, corrected.text, corrected.message_ids, branch=corrected.branch, title=words.text)
            return
        forwards = await forwards_with(event, scope)
        quoted = await quotes_of(event, scope, told(event, scope, markdown))
        if is_bare and not ((quoted.remarks or quoted.attachments) and words.text):
            await scope.reply(scope.text("turn.only_mention" if words.text else "turn.unsupported_message"))
            return
        await run_turn(
            scope,
            "\n".join([told(event, scope, markdown, quoted.remarks), *forwards.texts]),
            [*whole.message_ids, *forwards.message_ids],
            title=words.text,
            attachments=without_repeats([*quoted.attachments, *forwards.attachments]),
        )

    async def _attached(self, event: Message, scope: Scope) -> None:
        """Answer pictures and files, with the words of their captions, and other contents that can be read."""
        album = await album_of(event, scope)
        command = parse_command(album.written, scope.parts.username) if is_own(event) else None
        if command is not None:
            # The caption of an album may stand below any of its items.
            placed = _with_place(command, event, album.attachments)
            await self._command(replace(placed, message_ids=tuple(album.message_ids)), event, scope)
            return
        has_words = bool(album.words.text)
        content = content_beside(event, scope, album.attachments, has_words=has_words)
        if not (content or album.words.text):
            unreadable = message_rows(scope.lane, scope.text("turn.unsupported_message"))
            farewell = scope.parts.acknowledgements.taken_away(scope.row, album.message_ids)
            await scope.end(replies=[*unreadable, *farewell])
            return
        remark = content_remark(content, scope, album.attachments, has_words=has_words)
        shown = "\n".join(each for each in (remark, markdown_of(album.words)) if each)
        quoted = await quotes_of(event, scope, told(event, scope, shown))
        question = told(event, scope, shown, quoted.remarks)
        files = without_repeats([*quoted.attachments, *album.attachments])
        await run_turn(
            scope,
            question,
            album.message_ids,
            title=album.words.text or content,
            attachments=files,
            has_words=has_words or not album.attachments,
        )

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


def _with_place(command: ParsedCommand, event: Message, files: tuple[Attachment, ...]) -> ParsedCommand:
    """Return the command with the ids of its message and of the replied one, and the files of its message."""
    replied = event.reply_to_message
    return replace(
        command,
        message_ids=(event.message_id,),
        reply_to=None if replied is None else replied.message_id,
        reply_text=replied_text(event),
        attachments=files,
    )
