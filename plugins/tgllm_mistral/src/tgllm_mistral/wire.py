"""Wire format of the Mistral API (Mistral API: chat completion, reasoning, vision, document QnA)."""

from collections.abc import Iterator

from tgllm.api.events import StreamEvent
from tgllm.api.types import FilePart, Json, JsonObject
from tgllm.providers.attachments import IMAGE_TYPES, check_size, data_url
from tgllm.providers.json_values import as_list, as_object, as_text
from tgllm.providers.openai_chat import Body
from tgllm.providers.openai_reader import ChatReader

__all__ = ["DOCUMENT_TYPES", "MistralReader", "document", "image", "is_image", "thinking"]

DOCUMENT_TYPES = frozenset(
    {
        "application/epub+zip",
        "application/msword",
        "application/pdf",
        "application/rtf",
        "application/vnd.ms-powerpoint",
        "application/vnd.oasis.opendocument.text",
        "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "application/xml",
        "text/csv",
        "text/plain",
        "text/rtf",
        "text/xml",
    }
)
"""Document types that every chat model accepts."""

_MAX_IMAGE = 10 * 10**6
_MAX_DOCUMENT = 50 * 10**6


class MistralReader(ChatReader):
    """Reader of answers whose content may be a list of reasoning and text chunks."""

    def __init__(self) -> None:
        """Create a reader for one answer."""
        super().__init__()
        self._signature = ""

    def read_delta(self, delta: JsonObject) -> Iterator[StreamEvent]:
        """Yield reasoning and text in their order in the delta, and keep the signature of the reasoning."""
        for chunk in map(as_object, as_list(delta.get("content"))):
            self._signature = as_text(chunk.get("signature")) or self._signature
        yield from super().read_delta(delta)

    def provider_data(self) -> JsonObject | None:
        """Return the reasoning, which the API expects on later turns."""
        if not self.reasoning:
            return None
        signature = {"signature": self._signature} if self._signature else {}
        return {"thinking": "".join(self.reasoning), **signature}


def thinking(data: JsonObject | None) -> list[Json]:
    """Return the reasoning of an earlier answer as a chunk of its message; empty if there is none."""
    text = as_text((data or {}).get("thinking"))
    if not text:
        return []
    signature = as_text((data or {}).get("signature"))
    chunk: Body = {"type": "thinking", "thinking": [{"type": "text", "text": text}], "closed": True}
    return [{**chunk, "signature": signature} if signature else chunk]


def image(part: FilePart) -> Body:
    """Encode an image of at most 10 MB.

    Raises:
        Unsupported: the file is larger, or no longer exists.
    """
    check_size(part, _MAX_IMAGE)
    return {"type": "image_url", "image_url": data_url(part)}


def document(part: FilePart) -> Body:
    """Encode a document of at most 50 MB.

    Raises:
        Unsupported: the file is larger, or no longer exists.
    """
    check_size(part, _MAX_DOCUMENT)
    name: Body = {"document_name": part.name} if part.name else {}
    return {"type": "document_url", "document_url": data_url(part), **name}


def is_image(part: FilePart) -> bool:
    """Return whether the file is sent as an image."""
    return part.mime_type in IMAGE_TYPES
