"""Files of a turn: received before the model is asked, and made into parts of the request."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace

from tgllm.api import FileUnreadable, TgllmError
from tgllm.db.database import Database
from tgllm.db.tables import files
from tgllm.services.conversations.loader import TurnContext
from tgllm.services.conversations.request import RequestBuilder
from tgllm.services.conversations.turn import FileWait, ShownEvent, Turn, TurnOutcome
from tgllm.services.files.attachment import Downloader
from tgllm.services.files.file_service import FileService
from tgllm.services.files.gathering.materials import NOTHING, AttachedFiles, Materials, Stage, Wanted
from tgllm.services.files.gathering.receiver import Arrival, Received
from tgllm.services.files.spoken import is_spoken, is_wordless, with_words
from tgllm.services.files.true_names import shown_name
from tgllm.services.turns.running import RunningTurn

__all__ = ["NO_FILES", "GatheredFiles", "QuestionFiles", "check_usable"]


_PDF = "application/pdf"


@dataclass(frozen=True, slots=True)
class GatheredFiles:
    """Files of a turn."""

    attached: tuple[int, ...] = ()
    """Ids of the files of the question."""
    materials: Materials = NOTHING
    unread: tuple[TgllmError, ...] = ()
    """Why files of the question can't be received or read."""

    def question(self, turn: Turn) -> Turn:
        """Return the question with the words of its voice messages."""
        return replace(turn, text=with_words(turn.text, self.materials.words)) if self.materials.words else turn

    def add_to(self, outcome: TurnOutcome) -> TurnOutcome:
        """Return the result of the turn with what was received and read."""
        return replace(
            outcome,
            attached=self.attached,
            read=tuple(self.materials.notes),
            unread=self.unread,
            transcripts=tuple(self.materials.words),
        )


NO_FILES = GatheredFiles()
"""Files of a turn without any."""


class QuestionFiles:
    """Gathers the files of turns."""

    def __init__(self, service: FileService | None, database: Database, requests: RequestBuilder) -> None:
        """Use a service; None: no file can be received."""
        self._service = service
        self._database = database
        self._requests = requests

    async def receive(
        self,
        turn: Turn,
        downloader: Downloader | None,
        show: Callable[[ShownEvent], None],
        handle: RunningTurn,
    ) -> Received:
        """Receive the attachments of a turn.

        Raises:
            TimeoutError: the turn was stopped.
            DatabaseError: the database can't be used.
        """
        if not turn.attachments and not turn.file_ids:
            return Received()
        known = await self._database.read(lambda conn: files.list_by_id(conn, turn.file_ids)) if turn.file_ids else []
        if not turn.attachments:
            return Received(known)
        if self._service is None or downloader is None:
            names = [shown_name(each.name, each.kind) for each in turn.attachments]
            return Received(known, [FileUnreadable("no source", code="file_not_received", name=name) for name in names])
        async with asyncio.timeout(None) as deadline:
            with handle.interruptible(deadline):
                came = await self._service.receive(
                    Arrival(turn.id, turn.person_id), turn.attachments, downloader, _shower(show)
                )
        return Received([*known, *came.files], came.failures)

    async def made_here(self, context: TurnContext) -> TurnContext:
        """Return the context with those files of earlier answers that are on disk, fetched if necessary."""
        if not context.made or self._service is None:
            return context
        return replace(context, made=await self._service.made_here(context.made))

    async def gather(
        self,
        turn: Turn,
        context: TurnContext,
        received: Received,
        show: Callable[[ShownEvent], None],
        handle: RunningTurn,
        *,
        less_than: Materials | None = None,
    ) -> GatheredFiles:
        """Read the files of a question and of the history, as far as the model needs it.

        Args:
            turn: the question.
            context: the state of its chat.
            received: the files of the question.
            show: called before something takes long.
            handle: handle to stop the turn.
            less_than: files of a request that was too long: texts take half of their room, and a PDF goes as text.

        Raises:
            FileUnreadable: the question consists of files, and none of them can be used.
            ContextTooLong: question and system prompt alone exceed the context size.
            TimeoutError: the turn was stopped.
            DatabaseError: the database can't be used.
        """
        attached = tuple(file.id for file in received.files if file.turn_id == turn.id)
        if self._service is None or not (received.files or received.failures or context.files):
            return GatheredFiles(attached, unread=tuple(received.failures))
        history = [(message_id, context.files[message_id]) for message_id in sorted(context.files, reverse=True)]
        wanted = Wanted(
            question=AttachedFiles(
                received.files, [str(each.params.get("name", "")) for each in received.failures], turn.text
            ),
            history=history,
            spoken={each.key for each in turn.attachments if is_spoken(each, turn.message_ids)},
            mime_types=[mime for mime in context.mime_types if less_than is None or mime != _PDF],
            earlier=[row.text for row in context.history if row.role == "user"],
            room=_room(self._requests.room_for_files(turn, context), less_than),
            estimate=self._requests.estimator(context.model),
            conversation_id=context.conversation_id,
            language=turn.user.language[:2],
            owner=turn.user.id,
        )
        async with asyncio.timeout(None) as deadline:
            with handle.interruptible(deadline):
                materials = await self._service.materials(wanted, _shower(show))
        return GatheredFiles(attached, materials, (*received.failures, *materials.failures))


def check_usable(turn: Turn, gathered: GatheredFiles) -> None:
    """Check that there is something to ask.

    Raises:
        TgllmError: the question consists of files, and none of them can be used.
    """
    files_of_question = len(turn.attachments) + len(turn.file_ids)
    has_words = turn.has_words and not is_wordless(turn.text)
    if not has_words and gathered.unread and len(gathered.unread) >= files_of_question:
        raise gathered.unread[0]


def _room(room: int, less_than: Materials | None) -> int:
    """Return the tokens that files may take: all, or half of what they took in a request that was too long."""
    if less_than is None:
        return room
    # The true tokens of files that were sent as they are, are not known.
    return room // 2 if less_than.has_files else min(room, less_than.tokens) // 2


def _shower(show: Callable[[ShownEvent], None]) -> Callable[[Stage, str], None]:
    return lambda stage, name: show(FileWait(stage, name))
