"""Answers of reading processes as values of the contract.

Every part is checked, since the processes read foreign files.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from tgllm.api.errors import ErrorParam, FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits, PagePicture
from tgllm.services.reading.process import Answer
from tgllm.services.reading.values import Prepared
from tgllm.services.reading.wire import WireError

__all__ = ["Breach", "Crash", "extracted_from", "failure_from", "prepared_from"]

T = TypeVar("T")

_PLACE = re.compile(r"[\w.-]{1,100}:\d{1,7}")
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,63}", re.IGNORECASE)
_PARAM = re.compile(r"[a-z][a-z0-9_]{0,31}")
_MIME_TYPE = re.compile(r"image/[a-z0-9.+-]{1,40}")
_MOST_WORDS = 200
_OWN_PARAMS = frozenset({"message", "code", "self", "name"})


@dataclass(frozen=True, slots=True)
class Breach:
    """The handler has returned something else than the contract says."""

    words: str
    """What it did, such as ``returned str instead of Extracted``."""


@dataclass(frozen=True, slots=True)
class Crash:
    """The handler has raised an error that is none of the contract."""

    kind: str
    """Name of its class; its message may quote the file."""
    module: str
    """Module that was not found, if that is the error."""
    place: str = ""
    """File and line in the handler, such as ``plugin.py:12``; empty if unknown."""


def extracted_from(answer: Answer, limits: ExtractionLimits) -> Extracted:
    """Return what a handler has extracted.

    Raises:
        WireError: the answer has another form, or exceeds the limits.
    """
    given = _fields(answer.header.get("read"))
    listed = _items(given.get("pictures"))
    if len(answer.blobs) != 1 + len(listed) or len(listed) > limits.max_pictures:
        raise WireError("the number of pictures is wrong")
    try:
        text = answer.blobs[0].decode()
    except UnicodeDecodeError:
        raise WireError("the text is no UTF-8") from None
    if len(text) > limits.max_chars:
        raise WireError("the text is too long")
    pages = given.get("pages")
    return Extracted(
        text,
        truncated=_of(given.get("truncated"), bool),
        pages=None if pages is None else _of(pages, int),
        pictures=tuple(_page(each, content) for each, content in zip(listed, answer.blobs[1:], strict=True)),
        without_text=_of(given.get("without_text"), int),
        encoding=_of(given.get("encoding"), str),
    )


def prepared_from(answer: Answer, path: Path, target: Path) -> Prepared:
    """Return a prepared picture.

    Raises:
        WireError: the answer has another form.
    """
    given = _fields(answer.header.get("picture"))
    return Prepared(
        target if _of(given.get("changed"), bool) else path,
        _mime_type(given.get("mime")),
        _of(given.get("size"), int),
        _of(given.get("width"), int),
        _of(given.get("height"), int),
    )


def failure_from(header: Mapping[str, Any], name: str) -> FileUnreadable | Breach | Crash | None:
    """Return how reading has failed; None if it has not.

    Args:
        header: header of the answer.
        name: name of the file, for the error.

    Raises:
        WireError: the answer has another form.
    """
    if "breach" in header:
        return Breach(_of(header["breach"], str)[:_MOST_WORDS])
    if "crash" in header:
        place = header.get("at")
        is_place = isinstance(place, str) and _PLACE.fullmatch(place)
        return Crash(
            _identifier(header["crash"]), _identifier(header.get("module", "")), str(place) if is_place else ""
        )
    return _refusal(header, name) if "code" in header else None


def _refusal(header: Mapping[str, Any], name: str) -> FileUnreadable:
    code = _of(header["code"], str)
    params: dict[str, ErrorParam] = {
        key: value for key, value in _fields(header.get("params")).items() if _is_param(key, value)
    }
    if code == "file_too_large" and "limit" not in params:
        # Its text is about the size of the upload.
        code = "file_too_large_to_read"
    return FileUnreadable(
        f"the file handler refused the file: {code}"[:100],
        code=code if _CODE.fullmatch(code) else FileUnreadable.default_code,
        name=name,
        **params,
    )


def _identifier(given: object) -> str:
    words = _of(given, str)[:_MOST_WORDS]
    return words if all(part.isidentifier() for part in words.split(".")) else ""


def _is_param(key: str, value: object) -> bool:
    if not _PARAM.fullmatch(key) or key in _OWN_PARAMS or (isinstance(value, float) and not math.isfinite(value)):
        return False
    return value is None or isinstance(value, str | int | float)


def _page(given: object, content: bytes) -> PagePicture:
    parts = _items(given)
    if len(parts) != 2:
        raise WireError("a picture has other parts")
    page, mime_type = parts
    return PagePicture(_of(page, int), content, _mime_type(mime_type))


def _mime_type(given: object) -> str:
    mime_type = _of(given, str)
    if not _MIME_TYPE.fullmatch(mime_type):
        raise WireError("the type of a picture is none")
    return mime_type


def _fields(value: Any) -> dict[str, Any]:  # noqa: ANN401  JSON
    if not isinstance(value, dict):
        raise WireError("a value is no object")
    return cast("dict[str, Any]", value)


def _items(value: Any) -> list[Any]:  # noqa: ANN401  JSON
    if not isinstance(value, list):
        raise WireError("a value is no list")
    return cast("list[Any]", value)


def _of(value: Any, kind: type[T]) -> T:  # noqa: ANN401  JSON
    """Return a value that must be of a type."""
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise WireError(f"a value is no {kind.__name__}")
    return value
