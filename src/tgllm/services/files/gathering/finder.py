"""What there is of each file of a request: the file itself, its text, what was said in it, or a remark."""

import asyncio
from dataclasses import dataclass, field, replace
from pathlib import Path

from tgllm.api import DatabaseError, FilePart, FileUnreadable, TextPart, TgllmError
from tgllm.db.tables.file_texts import FileText
from tgllm.db.tables.files import File
from tgllm.i18n import Catalogue
from tgllm.services.files.blobs import BlobStore
from tgllm.services.files.document_text import Document
from tgllm.services.files.gathering.file_reader import FileReader
from tgllm.services.files.gathering.materials import AttachedFiles, PartsUnit, Show, Wanted, parts_unit
from tgllm.services.files.gathering.pictures import PictureDesk
from tgllm.services.files.gathering.taking import sees, way_of
from tgllm.services.files.names import quoted_name
from tgllm.services.files.true_names import shown_name

__all__ = ["Finder", "Found", "Reading", "Whole"]

_SPOKEN = frozenset({"voice", "video_note"})
"""Kinds in which people speak instead of writing."""

_BYTES_PER_TOKEN = 3
"""Of a text, on the careful side."""


@dataclass(frozen=True, slots=True)
class Whole:
    """A file that is sent as it is."""

    part: FilePart
    stays: bool
    """Whether it stays in the context, as a document does."""
    label: str = ""
    """Remark with its name."""


@dataclass(frozen=True, slots=True)
class Reading:
    """What was read of a document."""

    name: str
    text: FileText
    pictures: tuple[int, ...] = ()
    """Pages that are sent as pictures."""
    parts: PartsUnit = "parts"


@dataclass(slots=True)
class Found:
    """What was found of the files of one message, in their order."""

    slots: list[Whole | Document | TextPart] = field(default_factory=list["Whole | Document | TextPart"])
    """A file as it is, a document whose text is to be chosen, or a remark."""
    readings: list[Reading] = field(default_factory=list[Reading])
    words: list[str] = field(default_factory=list[str])
    """What was said."""
    failures: list[TgllmError] = field(default_factory=list[TgllmError])


class Finder:
    """Looks at files for a model."""

    def __init__(self, store: BlobStore, reader: FileReader, pictures: PictureDesk, texts: Catalogue) -> None:
        self._store = store
        self._reader = reader
        self._pictures = pictures
        self._texts = texts

    async def find(self, attached: AttachedFiles, wanted: Wanted, show: Show, *, is_current: bool) -> Found:
        """Return what there is of the files of one message.

        Args:
            attached: the files.
            wanted: the request.
            show: called before something takes long.
            is_current: whether they belong to the question, and not to an earlier message.

        Raises:
            DatabaseError: the database can't be used.
        """
        found = Found()
        for file in attached.files:
            name = shown_name(file.original_name, file.kind)
            try:
                await self._add(found, file, name, attached, wanted, show, is_current=is_current)
            except DatabaseError:
                raise
            except TgllmError as error:
                found.failures.append(error)
                found.slots.append(self._remark("prompt.file_unread", name))
        for name in attached.missing:
            remark = self._remark("prompt.file_missing", name)
            found.slots.append(self._remark("prompt.file_unread", name) if is_current else remark)
        return found

    def left_out(self, name: str) -> TextPart:
        """Return the remark that a file has no room."""
        return self._remark("prompt.file_left_out", name)

    async def _add(
        self,
        found: Found,
        file: File,
        name: str,
        attached: AttachedFiles,
        wanted: Wanted,
        show: Show,
        *,
        is_current: bool,
    ) -> None:
        way = way_of(file, wanted.mime_types)
        if way == "native" and file.mime.startswith("text/") and not await self._is_short_text(file, name, wanted.room):
            way = "text"
        match way:
            case "picture":
                part = await self._pictures.part(file, wanted.mime_types, wanted.owner)
                found.slots.append(Whole(part, stays=False, label=self._label(file)))
            case "native":
                if not await self._store.has(file.path, file.size, name):
                    raise FileUnreadable("its content is not on disk", code="file_gone", name=name)
                part = FilePart(
                    self._store.path(file.path),
                    file.mime,
                    file.size,
                    file.sha256,
                    name,
                    pages=await self._reader.pages(file, owner=wanted.owner),
                    seconds=file.seconds,
                )
                found.slots.append(Whole(part, stays=file.kind not in _SPOKEN, label=self._label(file)))
            case "speech":
                await self._hear(found, file, name, attached, wanted, show, is_current=is_current)
            case "text":
                show("read", name)
                reading = await self._reader.read(file, sees=sees(wanted.mime_types), owner=wanted.owner)
                if sees(wanted.mime_types):
                    reading = await self._with_pictures(reading, name)
                self._add_document(found, file, name, reading, sees_pages=sees(wanted.mime_types), current=is_current)

    async def _with_pictures(self, reading: FileText, name: str) -> FileText:
        """Return what was read of a document with those of its pictures that are there."""
        there = [
            each for each in reading.pictures or () if await self._store.has(str(each["path"]), int(each["size"]), name)
        ]
        return replace(reading, pictures=there)

    async def _is_short_text(self, file: File, name: str, room: int) -> bool:
        """Return whether a model can read a text as it is: it fits into the context as a whole, and is UTF-8."""
        if file.size > room * _BYTES_PER_TOKEN:
            return False
        await self._store.has(file.path, file.size, name)
        return await asyncio.to_thread(_is_utf8, self._store.path(file.path))

    async def _hear(
        self,
        found: Found,
        file: File,
        name: str,
        attached: AttachedFiles,
        wanted: Wanted,
        show: Show,
        *,
        is_current: bool,
    ) -> None:
        show("listen", name)
        heard = await self._reader.hear(file, wanted.language)
        if not heard.chars:
            raise FileUnreadable("there is no speech in it", code="file_no_speech", name=name)
        if is_current and file.key in wanted.spoken:
            # They become the text of the question.
            found.words.append(heard.text)
        elif heard.text and heard.text not in attached.text:
            # Otherwise the question has them as its text.
            await self._reader.keep_text(heard)
            self._add_document(found, file, name, heard, sees_pages=False, current=is_current)

    def _add_document(
        self, found: Found, file: File, name: str, reading: FileText, *, sees_pages: bool, current: bool
    ) -> None:
        pictures = (reading.pictures or []) if sees_pages else []
        if reading.chars:
            found.slots.append(
                Document(
                    sha256=file.sha256,
                    name=name,
                    mime=file.mime,
                    pages=reading.pages,
                    truncated=reading.truncated,
                    current=current,
                )
            )
        for each in pictures:
            label = self._texts("prompt.file_page", name=quoted_name(name), page=each["page"]) + "\n"
            path = self._store.path(str(each["path"]))
            part = FilePart(path, str(each["mime"]), int(each["size"]), str(each["sha256"]), name)
            found.slots.append(Whole(part, stays=True, label=label))
        shown = tuple(int(each["page"]) for each in pictures)
        found.readings.append(Reading(name, reading, shown, parts_unit(file.mime)))

    def _label(self, file: File) -> str:
        """Return the remark with the name that the sender has given a file; empty if there is none."""
        if not file.original_name or file.kind in _SPOKEN:
            return ""
        return self._texts("prompt.file_here", name=quoted_name(file.original_name)) + "\n"

    def _remark(self, key: str, name: str) -> TextPart:
        return TextPart(self._texts(key, name=quoted_name(name)) + "\n")


def _is_utf8(path: Path) -> bool:
    """Return whether a file is UTF-8; also if it is gone, which its reader reports."""
    try:
        path.read_bytes().decode()
    except UnicodeDecodeError:
        return False
    except OSError:
        return True
    return True
