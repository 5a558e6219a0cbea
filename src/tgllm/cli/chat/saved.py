"""Files that a model or its tools have made, copied to the current folder."""

import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from tgllm.api import OutgoingFile
from tgllm.services.files.made import MadeFile
from tgllm.services.files.outgoing_names import mime_of, outgoing_name

__all__ = ["save"]

MOST_TRIES = 1000


def save(made: Sequence[MadeFile], folder: Path, given: Sequence[OutgoingFile] = ()) -> Sequence[Path]:
    """Copy files to a folder under their names; nothing there is overwritten.

    Args:
        made: files of the model.
        folder: where they are copied to.
        given: files of the tools.

    A file that can't be written there, such as in a folder of the system, stays in the data folder only.

    Returns:
        The paths, in the order of the files.
    """
    sources = [(file.part.path, file.part.name or file.part.path.name) for file in made]
    for number, file in enumerate(given, 1):
        if isinstance(file.content, Path):
            sources.append((file.content, outgoing_name(file.name, mime_of(file.mime_type), number)))
    return [_save(path, name, folder) for path, name in sources]


def _save(source: Path, name: str, folder: Path) -> Path:
    for path in _free(folder, name):
        try:
            with (
                source.open("rb") as content,
                os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o666), "wb") as out,
            ):
                shutil.copyfileobj(content, out)
        except FileExistsError:
            continue
        except OSError:
            break
        return path
    return source


def _free(folder: Path, name: str) -> Iterator[Path]:
    base = Path(name)
    yield folder / name
    for number in range(2, MOST_TRIES):
        yield folder / f"{base.stem}-{number}{base.suffix}"
