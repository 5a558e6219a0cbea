"""Writing of a backup with files as a stream."""

import hashlib
import io
import os
import tarfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

from tgllm.db.file.facts import Blob
from tgllm.services.backups.archive import BLOB, CONTENTS, DATABASE, LABEL, Contents, Hashed, Label

__all__ = ["write_archive"]


def write_archive(
    target: BinaryIO,
    label: Label,
    database: Path,
    data_dir: Path,
    blobs: Iterable[Blob],
    plugins: Iterable[str] = (),
    *,
    compress: bool,
) -> Contents:
    """Write a backup to an open file; raises OSError.

    Blobs never change and are there before the database names them, so those of an earlier copy of the database are
    consistent with it. One that was deleted meanwhile, on purpose, is left out.

    Args:
        target: the file, at its end.
        label: the first member.
        database: the copy of the database.
        data_dir: the folder that the paths of the blobs are relative to.
        blobs: the files to include.
        plugins: files of plugins to include; one that is gone meanwhile is left out.
        compress: whether to compress with gzip.

    Returns:
        The last member.
    """
    sums: dict[str, str] = {}
    with tarfile.open(fileobj=target, mode="w|gz" if compress else "w|", format=tarfile.GNU_FORMAT) as archive:
        _add_bytes(archive, LABEL, label.dump(), sums, label.made_at)
        with database.open("rb") as stream:
            _add(archive, DATABASE, stream, sums, label.made_at)
        missing = tuple(blob.path for blob in blobs if not _add_blob(archive, data_dir, blob, sums))
        for name in plugins:
            _add_if_there(archive, data_dir, name, sums)
        contents = Contents(sums, missing)
        _add_bytes(archive, CONTENTS, contents.dump(), {}, label.made_at)
    return contents


def _add_blob(archive: tarfile.TarFile, data_dir: Path, blob: Blob, sums: dict[str, str]) -> bool:
    return BLOB.fullmatch(blob.path) is not None and _add_if_there(archive, data_dir, blob.path, sums)


def _add_if_there(archive: tarfile.TarFile, data_dir: Path, name: str, sums: dict[str, str]) -> bool:
    try:
        stream = (data_dir / name).open("rb")
    except FileNotFoundError:
        return False
    with stream:
        _add(archive, name, stream, sums, int(os.fstat(stream.fileno()).st_mtime * 1000))
    return True


def _add(archive: tarfile.TarFile, name: str, stream: BinaryIO, sums: dict[str, str], at: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = os.fstat(stream.fileno()).st_size, at // 1000, 0o600
    hashed = Hashed(stream)
    archive.addfile(info, hashed)
    sums[name] = hashed.sha256.hexdigest()


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes, sums: dict[str, str], at: int) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), at // 1000, 0o600
    archive.addfile(info, io.BytesIO(data))
    sums[name] = hashlib.sha256(data).hexdigest()
