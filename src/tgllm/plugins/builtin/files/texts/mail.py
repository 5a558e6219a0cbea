"""Reader of mails: headers, words, attachments and forwarded mails."""

import re
from collections.abc import Iterator
from email import policy
from email.errors import MessageError
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path
from typing import BinaryIO, cast

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text, one_line
from tgllm.plugins.builtin.files.shared.encoding import decode
from tgllm.plugins.builtin.files.shared.reading import read_file
from tgllm.plugins.builtin.files.shared.sizes import size_words
from tgllm.plugins.builtin.files.texts.html import write_html
from tgllm.plugins.builtin.files.texts.inner import LARGEST, write_inner

__all__ = ["extract", "write"]

_MOST_BYTES = 64 * 1024 * 1024
_DEEPEST = 5
_MOST_PARTS = 500
_SHOWN = ("From", "To", "Cc", "Reply-To", "Date", "Subject")
_BROKEN = (MessageError, LookupError, ValueError, TypeError, AttributeError, RecursionError)
"""What the standard library raises for headers and parts that are malformed."""


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return the headers, the words as Markdown and the list of attachments; small texts of those are read too."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, _name: str, builder: TextBuilder) -> str:
    """Add a mail."""
    data = stream.read(_MOST_BYTES)
    is_cut = bool(stream.read(1))
    message = BytesParser(policy=policy.default).parsebytes(_trimmed(data))
    _write_message(message, builder, 0)
    builder.truncated = builder.truncated or is_cut
    return ""


def _trimmed(data: bytes) -> bytes:
    """Return a mail without what may precede its headers: a byte order mark, blank lines, the line of a mailbox."""
    data = data.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    return data.partition(b"\n")[2] if data.startswith((b"From ", b">From ")) else data


def _write_message(message: EmailMessage, builder: TextBuilder, depth: int) -> None:
    headers = [f"{name}: {value}" for name in _SHOWN if (value := _header(message, name))]
    builder.add("\n".join(headers))
    body, is_html = _body(message)
    if body is not None:
        words = _words(body)
        if is_html:
            write_html(words, builder)
        else:
            builder.add(clean_text(words))
    attachments = list(_attachments(message, body))
    files = [part for part in attachments if part.get_content_type() != "message/rfc822"]
    if files:
        builder.add("\n".join(["Attachments:", *(f"- {_name(part)} ({size_words(_size(part))})" for part in files)]))
    for part in attachments:
        if builder.full:
            return
        if part.get_content_type() == "message/rfc822":
            _write_forwarded(part, builder, depth)
        else:
            _write_attachment(part, builder)


def _write_forwarded(part: EmailMessage, builder: TextBuilder, depth: int) -> None:
    inside = cast("object", part.get_payload())
    message = cast("list[object]", inside)[0] if isinstance(inside, list) and inside else None
    if depth >= _DEEPEST or not isinstance(message, EmailMessage):
        builder.add("(A forwarded mail is not shown.)")
        return
    subject = _header(cast("EmailMessage", message), "Subject")
    builder.mark("file", f"forwarded mail: {subject or 'no subject'}")
    _write_message(cast("EmailMessage", message), builder, depth + 1)


def _write_attachment(part: EmailMessage, builder: TextBuilder) -> None:
    content = _payload(part)
    if len(content) <= LARGEST:
        write_inner(content, _name(part), builder)


def _body(message: EmailMessage) -> tuple[EmailMessage | None, bool]:
    """Return the part with the words, and whether it is HTML: plain text if it says as much."""
    try:
        plain = message.get_body(("plain",))
        html = message.get_body(("html",))
    except _BROKEN:
        return (message if not message.is_multipart() and message.get_content_maintype() == "text" else None), False
    parts = [cast("EmailMessage", part) for part in (plain, html) if part is not None]
    if len(parts) == 2 and len(_words(parts[0]).split()) * 10 < len(re.sub(r"<[^>]*>", " ", _words(parts[1])).split()):
        # Some programs write only "This mail is HTML" as plain text.
        return parts[1], True
    return (parts[0], parts[0] is html) if parts else (None, False)


def _attachments(message: EmailMessage, body: EmailMessage | None) -> Iterator[EmailMessage]:
    """Yield the parts beside the words, but not those of forwarded mails, nor the words in another form."""
    waiting = [message]
    for _ in range(_MOST_PARTS):
        if not waiting:
            return
        part = waiting.pop(0)
        kind = part.get_content_type()
        if kind == "message/rfc822" and part is not message:
            yield part
        elif part.is_multipart():
            waiting[:0] = [each for each in part.iter_parts() if isinstance(each, EmailMessage)]
        elif part is not body and part is not message and not _is_alternative(part, body):
            yield part


def _is_alternative(part: EmailMessage, body: EmailMessage | None) -> bool:
    """Return whether a part has the words in another form: they are HTML and plain text."""
    return body is not None and part.get_content_type() in {"text/plain", "text/html"} and not part.get_filename()


def _words(part: EmailMessage) -> str:
    """Return the decoded text of a part."""
    content = _payload(part)
    charset = part.get_content_charset() or ""
    try:
        return content.decode(charset) if charset not in {"", "us-ascii", "ascii"} else decode(content)
    except (LookupError, ValueError):
        return decode(content)


def _payload(part: EmailMessage) -> bytes:
    try:
        content = part.get_payload(decode=True)
    except _BROKEN:
        return b""
    return content if isinstance(content, bytes) else b""


def _size(part: EmailMessage) -> int:
    return len(_payload(part))


def _name(part: EmailMessage) -> str:
    try:
        name = part.get_filename()
    except _BROKEN:
        name = None
    return one_line(name or part.get_content_type()).replace("/", "_") if name else part.get_content_type()


def _header(message: EmailMessage, name: str) -> str:
    """Return a header on one line, or "" if there is none; a malformed one as it is written."""
    raw = next((str(value) for key, value in message.raw_items() if key.lower() == name.lower()), "")
    if any("\udc80" <= character <= "\udcff" for character in raw):
        # Bytes that should have been encoded words.
        return one_line(decode(raw.encode("utf-8", "surrogateescape")))
    try:
        return one_line(str(message.get(name) or ""))
    except _BROKEN:
        return one_line(raw)
