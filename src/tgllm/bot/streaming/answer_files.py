"""Long answers as files."""

from dataclasses import dataclass
from typing import Any

from tgllm.api.clock import Clock
from tgllm.bot.delivery.given_files import GivenFiles
from tgllm.bot.delivery.text_files import TextFiles, first_messages
from tgllm.bot.renderer.renderer import INLINE_CHARS, Renderer
from tgllm.bot.rendering.notes import with_note
from tgllm.bot.rendering.payloads import Payload
from tgllm.bot.rendering.split import utf16_length
from tgllm.bot.streaming.outcomes import notes_of
from tgllm.bot.streaming.reasoning import with_thoughts
from tgllm.bot.streaming.tool_notes import sources_in_markdown
from tgllm.i18n import Catalogue
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.files.made import MOST_FILE_BYTES, MOST_FILES
from tgllm.services.files.storage.store import FileStorage

__all__ = ["FILE_NAME", "AnswerFiles"]

FILE_NAME = "answer.md"
"""Name of the file in the chat."""


@dataclass(frozen=True, slots=True)
class AnswerFiles:
    """Writes the files of answers."""

    storage: FileStorage
    clock: Clock
    over: int
    """UTF-16 units above which an answer is sent as a file, unless the chat has its own setting; 0: never."""

    async def document(
        self, renderer: Renderer, outcome: TurnOutcome, texts: Catalogue, language: str
    ) -> dict[str, Any] | None:
        """Write the file of an answer.

        Args:
            renderer: renders the messages that are sent if Telegram refuses the file.
            outcome: how the turn ended, with the chat's own setting.
            texts: the bot's texts.
            language: the user's.

        Returns:
            The part of an outbox row's payload that sends it; None if the answer is sent as messages.
        """
        if not self._wants(outcome):
            return None
        markdown = with_thoughts(outcome, texts("turn.thoughts", language), is_rich=True)
        if sources := sources_in_markdown(outcome.tools, texts, language):
            markdown = f"{markdown.rstrip()}\n\n{sources}\n"
        instead = with_note(await _instead(renderer, outcome.text), notes_of(outcome, texts, language))
        return await TextFiles(self.storage, self.clock).document(markdown, FILE_NAME, instead)

    async def of_tools(self, outcome: TurnOutcome, texts: Catalogue, language: str) -> tuple[list[dict[str, Any]], str]:
        """Return what sends the files that tools have made, and a note on those that can't be sent."""
        files, left_out = await GivenFiles(self.storage, self.clock).payloads(outcome.tools.files)
        if not left_out:
            return files, ""
        limit, names = f"{MOST_FILE_BYTES // 2**20} MB", ", ".join(left_out)
        return files, texts("send.files_not_sent", language, names=names, most=MOST_FILES, limit=limit)

    def _wants(self, outcome: TurnOutcome) -> bool:
        chosen = outcome.look.file_over
        limit = self.over if chosen is None else chosen
        return 0 < limit < utf16_length(outcome.text.strip())


async def _instead(renderer: Renderer, text: str) -> list[Payload]:
    # Chats that refuse files are rare: rendering a long answer for each file would be in vain.
    return await renderer.render(text, rich="never") if len(text) <= INLINE_CHARS else first_messages(text)
