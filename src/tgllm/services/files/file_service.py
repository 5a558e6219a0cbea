"""Files of questions: received, stored, and turned into parts of requests."""

from collections.abc import Mapping, Sequence

from tgllm.api import FilePart
from tgllm.observe.logs import get_logger
from tgllm.services.files.attachment import Attachment, Downloader
from tgllm.services.files.document_chooser import ChosenText, DocumentChooser
from tgllm.services.files.gathering.finder import Finder, Reading
from tgllm.services.files.gathering.layout import Layout
from tgllm.services.files.gathering.materials import FileNote, Materials, Show, Wanted
from tgllm.services.files.gathering.receiver import Arrival, Received, Receiver
from tgllm.services.files.storage.remote import StorageUnavailable
from tgllm.services.files.storage.store import FileStorage

__all__ = ["FileService"]

log = get_logger(__name__)

_MOST_EARLIER = 3
"""Earlier questions that help to choose from a document."""


class FileService:
    """Receives the files of questions, and makes the parts of requests from them."""

    def __init__(self, receiver: Receiver, finder: Finder, chooser: DocumentChooser, storage: FileStorage) -> None:
        """Create the service.

        Args:
            receiver: receives attachments.
            finder: looks at them for a model.
            chooser: chooses from the texts of documents.
            storage: holds the contents.
        """
        self._receiver = receiver
        self._finder = finder
        self._chooser = chooser
        self._storage = storage

    async def receive(
        self, arrival: Arrival, attachments: Sequence[Attachment], downloader: Downloader, show: Show
    ) -> Received:
        """Receive the attachments of a turn; see ``Receiver``.

        Raises:
            DatabaseError: the database can't be used.
        """
        return await self._receiver.receive(arrival, attachments, downloader, lambda name: show("download", name))

    async def made_here(self, made: Mapping[int, Sequence[FilePart]]) -> Mapping[int, Sequence[FilePart]]:
        """Return files of earlier answers, by message, without those that are not there or can't be fetched."""
        here: dict[int, Sequence[FilePart]] = {}
        for message_id, parts in made.items():
            try:
                here[message_id] = [part for part in parts if await self._storage.fetch(part.path)]
            except StorageUnavailable as error:
                log.warning("files.storage_away", error=str(error))
        return here

    async def materials(self, wanted: Wanted, show: Show) -> Materials:
        """Return the parts of a request that are made of files.

        Raises:
            DatabaseError: the database can't be used.
        """
        layout = Layout(wanted.room, self._finder.left_out)
        current = await self._finder.find(wanted.question, wanted, show, is_current=True)
        layout.add(None, current)
        for message_id, attached in wanted.history:
            layout.add(message_id, await self._finder.find(attached, wanted, show, is_current=False))
        chosen: Mapping[str, ChosenText] = {}
        if layout.documents:
            chosen = await self._chooser.choose(
                layout.documents,
                wanted.question.text,
                wanted.earlier[-_MOST_EARLIER:],
                layout.left,
                wanted.estimate,
                conversation=wanted.conversation_id,
            )
        items = layout.items(chosen, wanted.estimate)
        question = items.pop(None)
        history = {message_id: each for message_id, each in items.items() if message_id is not None and each}
        notes = [_note(reading, chosen.get(reading.text.sha256)) for reading in current.readings]
        return Materials(question, history, current.words, notes, current.failures)


def _note(reading: Reading, chosen: ChosenText | None) -> FileNote:
    text = reading.text
    is_cut = chosen is not None and not chosen.is_whole
    return FileNote(
        reading.name,
        text.chars,
        text.pages,
        text.truncated,
        text.without_text,
        text.encoding,
        chosen.shown if chosen is not None and is_cut else (),
        chosen.tokens if chosen is not None and is_cut else 0,
        reading.pictures,
        reading.parts,
    )
