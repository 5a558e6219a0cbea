"""Writing of a folder at once: all of its files, or none."""

import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from tgllm.api.errors import PluginError

__all__ = ["check_room", "write_folder"]


def check_room(folder: Path) -> None:
    """Check that a folder is not there yet, or is empty.

    Raises:
        PluginError: it can't be made.
    """
    try:
        if folder.is_dir():
            if any(folder.iterdir()):
                raise PluginError(f"{folder} is not empty: choose another folder with --path, or empty it first.")
        elif folder.exists() or folder.is_symlink():
            raise PluginError(f"{folder} is a file: choose another folder with --path.")
        elif not folder.parent.is_dir():
            raise PluginError(f"There is no folder {folder.parent}: make it first, or choose another with --path.")
    except OSError as error:
        raise _unwritable(folder, error) from None


def write_folder(folder: Path, files: Mapping[str, str]) -> None:
    """Write files, by their path, into a folder that is not there or is empty.

    Raises:
        PluginError: that fails; nothing is left behind.
    """
    # In the same folder, since a name can't change to another file system; an empty folder that is there stays itself.
    is_there = folder.is_dir()
    draft = (folder if is_there else folder.parent) / f".tgllm-new-{secrets.token_hex(4)}"
    moved: list[Path] = []
    try:
        draft.mkdir()
        for path, text in files.items():
            target = draft / path
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text, encoding="utf-8")
        if is_there:
            # A generator, so that ``moved`` has what was moved before a failure.
            moved.extend(entry.rename(folder / entry.name) for entry in sorted(draft.iterdir()))
            draft.rmdir()
        else:
            draft.rename(folder)
    except BaseException as error:
        for path in (draft, *moved):
            _remove(path)
        if isinstance(error, OSError):
            raise _unwritable(folder, error) from None
        raise


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _unwritable(folder: Path, error: OSError) -> PluginError:
    return PluginError(f"{folder} can't be written: {error.strerror or error}. Choose another folder with --path.")
