"""Header of GGUF files (ggml: docs/gguf.md)."""

import struct
from collections.abc import Mapping
from io import SEEK_CUR, BufferedReader
from pathlib import Path
from types import MappingProxyType
from typing import TypeAlias

__all__ = ["BadFile", "Value", "read_header"]

Value: TypeAlias = int | float | bool | str | tuple[int, ...]

_MAGIC = b"GGUF"
_VERSIONS = {2, 3}
_MAX_KEYS = 2**16
_MAX_TEXT = 2**20
_MAX_NUMBERS = 4096
"""Length of an array of numbers that is kept, such as one number for each layer; a longer one is skipped."""
_STRING, _ARRAY = 8, 9
_SCALARS = {0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f", 7: "<?", 10: "<Q", 11: "<q", 12: "<d"}
_INTEGERS = {0, 1, 2, 3, 4, 5, 10, 11}


class BadFile(ValueError):
    """The file is no GGUF file, or is truncated in its header."""


def read_header(path: Path) -> Mapping[str, Value]:
    """Return the metadata of a file, without long texts and long arrays.

    Raises:
        BadFile: the file is no GGUF file, or its header is broken.
        OSError: the file can't be read.
    """
    with path.open("rb") as file:
        return MappingProxyType(_Reader(file, path.stat().st_size).read())


class _Reader:
    def __init__(self, file: BufferedReader, size: int) -> None:
        self._file = file
        self._size = size

    def read(self) -> dict[str, Value]:
        if self._bytes(4) != _MAGIC:
            raise BadFile("it is no GGUF file")
        if (version := self._number("<I")) not in _VERSIONS:
            raise BadFile(f"its version {version} of GGUF is not supported")
        self._number("<Q")  # the number of tensors
        count = self._number("<Q")
        if count > _MAX_KEYS:
            raise BadFile("its header is broken")
        found: dict[str, Value] = {}
        for _ in range(int(count)):
            key, kind = self._text(), int(self._number("<I"))
            if (value := self._value(kind)) is not None:
                found[key] = value
        return found

    def _value(self, kind: int) -> Value | None:
        if kind == _STRING:
            return self._text()
        if kind == _ARRAY:
            return self._array()
        if kind not in _SCALARS:
            raise BadFile("its header is broken")
        return self._number(_SCALARS[kind])

    def _array(self) -> tuple[int, ...] | None:
        kind, count = int(self._number("<I")), int(self._number("<Q"))
        if kind == _STRING:
            # Each string takes at least eight bytes, so a false count ends at the end of the file.
            for _ in range(count):
                self._skip(int(self._number("<Q")))
            return None
        if kind not in _SCALARS:
            raise BadFile("its header is broken")
        if kind not in _INTEGERS or count > _MAX_NUMBERS:
            self._skip(count * struct.calcsize(_SCALARS[kind]))
            return None
        return tuple(int(self._number(_SCALARS[kind])) for _ in range(count))

    def _number(self, form: str) -> int | float | bool:
        (number,) = struct.unpack(form, self._bytes(struct.calcsize(form)))
        return number

    def _text(self) -> str:
        length = int(self._number("<Q"))
        if length > _MAX_TEXT:
            self._skip(length)
            return ""
        return self._bytes(length).decode(errors="replace")

    def _bytes(self, length: int) -> bytes:
        data = self._file.read(length)
        if len(data) < length:
            raise BadFile("it is truncated: its header ends too early")
        return data

    def _skip(self, length: int) -> None:
        if self._file.tell() + length > self._size:
            raise BadFile("it is truncated: its header ends too early")
        self._file.seek(length, SEEK_CUR)
