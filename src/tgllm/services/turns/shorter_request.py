"""A shorter request for one that was too long for the model: less history, and less of the documents."""

from collections.abc import Callable
from dataclasses import dataclass

from tgllm.api import ChatRequest, TextPart
from tgllm.services.conversations.history import with_less_history, with_smaller_files
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.turn import ShownEvent, Turn
from tgllm.services.files.gathering.receiver import Received
from tgllm.services.turns.question_files import GatheredFiles, QuestionFiles
from tgllm.services.turns.running import RunningTurn

__all__ = ["ShorterRequest"]


@dataclass(slots=True)
class ShorterRequest:
    """Makes the shorter request of a turn."""

    files: QuestionFiles
    turn: Turn
    context: TurnContext
    received: Received
    gathered: GatheredFiles
    """Files of the request, then those of the shorter one."""
    summary: TextPart | None
    """Summary at the beginning of the request; it is kept."""
    show: Callable[[ShownEvent], None]
    handle: RunningTurn

    async def make(self, request: ChatRequest) -> ChatRequest | None:
        """Return the shorter request; None if there is nothing to leave out.

        Raises:
            TgllmError: the documents can't be read.
            TimeoutError: the turn was stopped.
        """
        before = self.gathered.materials
        if not before.has_content:
            return with_less_history(request, self.summary)
        smaller = await self.files.gather(
            self.turn, self.context, self.received, self.show, self.handle, less_than=before
        )
        if len(smaller.materials.failures) > len(before.failures):
            # Such as a scanned PDF: the model would answer without it.
            return None
        self.gathered = smaller
        return with_smaller_files(request, before, smaller.materials, self.summary)
