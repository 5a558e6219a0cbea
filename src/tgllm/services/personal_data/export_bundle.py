"""Export of a conversation with its files, as one zip. What writes it blocks: call it in a thread."""

import shutil
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from tgllm.db.tables.files import File
from tgllm.services.files.outgoing_names import mime_of, outgoing_name
from tgllm.services.personal_data.conversation import Exported, Say, as_json, as_markdown

__all__ = ["MOST_BUNDLE_BYTES", "Bundle", "write_bundle"]

MOST_BUNDLE_BYTES: Final = 50 * 2**20 - 2**16
"""Largest zip, with some room for the form of the upload. Bot API: sendDocument."""
_OF_ENTRY = 1000
"""Bytes that an entry takes at most besides its content."""
_PACKED = ("image/", "audio/", "video/", "application/zip", "application/pdf", "application/vnd.openxml")


@dataclass(frozen=True, slots=True)
class Bundle:
    """What a zip contains."""

    files: int
    left_out: Sequence[str]
    """Names of files that are too large, or not there any more."""


def write_bundle(path: Path, data_dir: Path, exported: Exported, say: Say) -> Bundle:
    """Write a conversation as Markdown and JSON with its files; both refer to the files in the zip.

    Files that do not fit are left out, in favour of the following ones, and named.

    Args:
        path: of the zip; an existing file is replaced.
        data_dir: the bot's data folder.
        exported: the conversation.
        say: texts in the language of the recipient.

    Raises:
        OSError: it can't be written.
    """
    files = [file for said in exported.messages for file in said.attached]
    room = MOST_BUNDLE_BYTES - _size_of_texts(exported, files, say)
    places: dict[int, str] = {}
    left_out: list[str] = []
    members: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bundle:
        for file in files:
            known = members.get((file.sha256, file.path))
            if known is not None:
                places[file.id] = known
                continue
            member = f"files/{_free(outgoing_name(file.original_name, mime_of(file.mime)), taken)}"
            if file.size + _OF_ENTRY > room or not _add(bundle, data_dir / file.path, member, file):
                left_out.append(member.removeprefix("files/"))
                continue
            room -= file.size + _OF_ENTRY
            places[file.id] = members[file.sha256, file.path] = member
        for name, text in _texts(exported, say, places):
            bundle.writestr(_info(name, exported.now / 1000), text, zipfile.ZIP_DEFLATED)
    return Bundle(len(members), left_out)


def _texts(exported: Exported, say: Say, places: Mapping[int, str]) -> Iterator[tuple[str, str]]:
    yield "conversation.md", as_markdown(exported, say, places)
    yield "conversation.json", as_json(exported, places)


def _size_of_texts(exported: Exported, files: Sequence[File], say: Say) -> int:
    """Return an upper limit of the size of the texts, as if no file had a place and each name were long."""
    return sum(len(text.encode()) for _, text in _texts(exported, say, {})) + _OF_ENTRY * (2 + len(files))


def _add(bundle: zipfile.ZipFile, source: Path, member: str, file: File) -> bool:
    """Copy a file into the zip; return False if it is not there any more."""
    info = _info(member, file.created_at / 1000)
    info.compress_type = zipfile.ZIP_STORED if file.mime.startswith(_PACKED) else zipfile.ZIP_DEFLATED
    try:
        content = source.open("rb")
    except OSError:
        return False
    with content, bundle.open(info, "w") as out:
        shutil.copyfileobj(content, out)
    return True


def _info(name: str, seconds: float) -> zipfile.ZipInfo:
    at = datetime.fromtimestamp(max(seconds, 315_532_800.0), UTC)  # zip has no times before 1980
    return zipfile.ZipInfo(name, at.timetuple()[:6])


def _free(name: str, taken: set[str]) -> str:
    """Return the name, with a number if another file has it in any case."""
    stem, dot, ending = name.rpartition(".")
    number, free = 1, name
    while free.lower() in taken:
        number += 1
        free = f"{stem}-{number}{dot}{ending}"
    taken.add(free.lower())
    return free
