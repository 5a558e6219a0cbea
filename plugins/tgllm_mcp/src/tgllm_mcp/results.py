"""Results of calls: what the model reads, the files and links that people get."""

import base64
import binascii
import json
import mimetypes
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from urllib.parse import urlsplit

from mcp_types import (
    AudioContent,
    BlobResourceContents,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    ResourceLink,
    TextContent,
    TextResourceContents,
)

from tgllm.api.files import OutgoingFile
from tgllm.api.tools import Source, ToolOutput
from tgllm_mcp.naming import clean_text

__all__ = ["output_of"]

_MOST_FILES = 10
_MOST_SOURCES = 20
_MOST_TEXT = 200_000
"""Characters; the host cuts what is left to what the model takes."""
_MOST_BYTES = 20 * 1024 * 1024


@dataclass(slots=True)
class _Parts:
    texts: list[str] = field(default_factory=list[str])
    files: list[OutgoingFile] = field(default_factory=list[OutgoingFile])
    sources: list[Source] = field(default_factory=list[Source])
    bytes: int = 0

    def add_file(self, data: str, mime_type: str, name: str) -> None:
        """Add a file from base64, and a note for the model, who does not see it."""
        if len(self.files) >= _MOST_FILES or self.bytes + len(data) * 3 // 4 > _MOST_BYTES:
            self.texts.append(f"[{name} is left out: there are too many files, or they are too large]")
            return
        try:
            content = base64.b64decode(data, validate=True)
        except (binascii.Error, ValueError):
            self.texts.append(f"[{name} is left out: it is damaged]")
            return
        self.bytes += len(content)
        self.files.append(OutgoingFile(name, content, mime_type))
        self.texts.append(f"[{name}, {mime_type}, {len(content)} bytes: it is sent to the person with your answer]")

    def add_source(self, uri: str, title: str) -> None:
        if uri.startswith(("https://", "http://")) and len(self.sources) < _MOST_SOURCES and len(uri) <= 2_000:
            self.sources.append(Source(uri, clean_text(title, 200)))


def output_of(result: CallToolResult) -> ToolOutput:
    """Return the result of a call as the host takes it."""
    parts = _Parts()
    for number, block in enumerate(result.content, 1):
        _add(parts, block, number)
    text = _clipped(parts.texts)
    if result.structured_content is not None and not _says_it_already(result):
        text = "\n\n".join(filter(None, (text, json.dumps(result.structured_content, ensure_ascii=False))))
    return ToolOutput(
        text[:_MOST_TEXT] or ("The call has failed." if result.is_error else "The call succeeded, without a result."),
        tuple(parts.sources),
        tuple(parts.files),
        is_error=result.is_error,
    )


def _add(parts: _Parts, block: ContentBlock, number: int) -> None:
    match block:
        case TextContent(text=text):
            parts.texts.append(text)
        case ImageContent(data=data, mime_type=mime_type) | AudioContent(data=data, mime_type=mime_type):
            kind = _mime_type(mime_type)
            parts.add_file(data, kind, f"{block.type}-{number}{_ending(kind)}")
        case ResourceLink():
            title = block.title or block.name
            parts.texts.append(" ".join(filter(None, (f"[{title}]({block.uri})", block.description))))
            parts.add_source(str(block.uri), title)
        case EmbeddedResource(resource=TextResourceContents() as resource):
            parts.texts.append(f"{resource.uri}:\n{resource.text}")
            parts.add_source(str(resource.uri), "")
        case EmbeddedResource(resource=BlobResourceContents() as resource):
            kind = _mime_type(resource.mime_type or "")
            parts.add_file(resource.blob, kind, _file_name(str(resource.uri), kind, number))
        case _:
            parts.texts.append("[a part of the result is of a kind that is not known here]")


def _says_it_already(result: CallToolResult) -> bool:
    """Whether a text has the structured content, as the protocol asks of servers for older clients."""
    for block in result.content:
        if isinstance(block, TextContent):
            try:
                said: object = json.loads(block.text)
            except (ValueError, RecursionError):
                said = block.text
            if result.structured_content in (said, {"result": said}):
                return True
    return False


def _clipped(texts: Iterable[str]) -> str:
    return "\n\n".join(text for text in texts if text)[:_MOST_TEXT]


def _mime_type(value: str) -> str:
    kind = value.partition(";")[0].strip().lower()
    return kind if 3 <= len(kind) <= 100 and kind.count("/") == 1 and kind.isascii() else "application/octet-stream"


def _ending(kind: str) -> str:
    return mimetypes.guess_extension(kind) or ".bin"


def _file_name(uri: str, kind: str, number: int) -> str:
    try:
        name = PurePosixPath(urlsplit(uri).path).name
    except ValueError:
        name = ""
    name = clean_text(name, 80).replace("\n", " ")
    return name if "." in name else f"{name or f'file-{number}'}{_ending(kind)}"
