"""Long answers as files."""

import asyncio
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tgllm.api.clock import Clock
from tgllm.bot.delivery.fallbacks import with_fallback
from tgllm.bot.delivery.files import document_payload
from tgllm.bot.rendering.split import utf16_length
from tgllm.bot.streaming.outcomes import final_payloads
from tgllm.bot.streaming.reasoning import with_thoughts
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.personal_data.export_files import write_exports

__all__ = ["FILE_NAME", "AnswerFiles"]

FILE_NAME = "answer.md"
"""Name of the file in the chat."""

log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class AnswerFiles:
    """Writes the files of answers."""

    data_dir: Path
    clock: Clock
    over: int
    """UTF-16 units above which an answer is sent as a file, unless the chat has its own setting; 0: never."""

    async def document(self, outcome: TurnOutcome, texts: Catalogue, language: str) -> dict[str, Any] | None:
        """Write the file of an answer.

        Args:
            outcome: how the turn ended, with the chat's own setting.
            texts: the bot's texts.
            language: the user's.

        Returns:
            The part of an outbox row's payload that sends it; None if the answer is sent as messages.
        """
        if not self._wants(outcome):
            return None
        now = self.clock.now()
        markdown = with_thoughts(outcome, texts("turn.thoughts", language), is_rich=True)
        as_texts = replace(outcome, look=replace(outcome.look, rich="never"))
        try:
            (path,) = await asyncio.to_thread(lambda: write_exports(self.data_dir, [markdown], now))
        except OSError as error:
            log.error("answer.no_file", error=type(error).__name__)
            return None
        return with_fallback(document_payload(path, FILE_NAME), final_payloads(as_texts, texts, language))

    def _wants(self, outcome: TurnOutcome) -> bool:
        chosen = outcome.look.file_over
        limit = self.over if chosen is None else chosen
        return 0 < limit < utf16_length(outcome.text)
