"""Answers that are complete, but deviate from the format of the API, as sent by gateways and by other services.

docs/reference/provider-errors.md says where each of them comes from.
"""

import gzip
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

__all__ = [
    "BREAKS",
    "DEVIATIONS",
    "ERROR_FORMS",
    "Body",
    "Sent",
    "break_off",
    "deviate",
    "in_form",
    "is_possible",
]

_STREAM = "text/event-stream"
_JSON = "application/json"
_DONE = "[DONE]"

Chunk: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Sent:
    """An answer as the API sends it."""

    chunks: Sequence[Chunk]
    """The documents of its stream."""
    whole: Any
    """The document of an answer without streaming."""
    has_done: bool
    """Whether the API ends its streams with ``[DONE]``."""

    @property
    def lines(self) -> list[str]:
        """The data of each event."""
        return [*map(_dump, self.chunks), *([_DONE] if self.has_done else [])]


@dataclass(frozen=True, slots=True)
class Body:
    """A response body."""

    content: bytes
    content_type: str = _STREAM
    encoding: str = ""
    """Value of ``Content-Encoding``."""
    is_cut: bool = False
    """Whether the connection is aborted after the content."""


Change: TypeAlias = Callable[[Sent], Body]


def _dump(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)


def _events(lines: Sequence[str], form: str = "data: {}\n\n") -> bytes:
    return "".join(form.replace("{}", line) for line in lines).encode()


def _each(form: str) -> Change:
    return lambda sent: Body(_events(sent.lines, form))


def _ends(end: bytes) -> Change:
    return lambda sent: Body(_events(sent.lines).replace(b"\n", end))


def _several_lines(sent: Sent) -> Body:
    pretty = [json.dumps(chunk, ensure_ascii=False, indent=1) for chunk in sent.chunks]
    texts = [f"data: {text}".replace("\n", "\ndata: ") for text in (*pretty, *sent.lines[len(pretty) :])]
    return Body("".join(f"{text}\n\n" for text in texts).encode())


def _then(tail: bytes, *, is_cut: bool = False) -> Change:
    """Return the change that replaces ``[DONE]`` by other bytes."""
    return lambda sent: Body(_events(list(map(_dump, sent.chunks))) + tail, is_cut=is_cut)


def _between(*strange: str | Chunk) -> Change:
    """Return the change that puts documents without a part of the answer in front of it, and between its parts."""
    added = [item if isinstance(item, str) else _dump(item) for item in strange]
    return lambda sent: Body(_events([text for line in sent.lines for text in (*added, line)]))


def _document(indent: int | None, content_type: str = _JSON, before: str = "") -> Change:
    return lambda sent: Body(
        (before + json.dumps(sent.whole, ensure_ascii=False, indent=indent)).encode(), content_type
    )


def _choices(change: Callable[[Chunk], Chunk], form: str = "data: {}\n\n") -> Change:
    """Return the change of each choice of the chunks of OpenAI's format."""

    def changed(sent: Sent) -> Body:
        chunks = [{**chunk, "choices": [change(choice) for choice in chunk["choices"]]} for chunk in sent.chunks]
        return Body(_events(replace(sent, chunks=chunks).lines, form))

    return changed


def _as_message(choice: Chunk) -> Chunk:
    return {("message" if name == "delta" else name): value for name, value in choice.items()}


def _in_parts(choice: Chunk) -> Chunk:
    delta: Chunk = choice["delta"]
    content = delta.get("content")
    parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
    return {**choice, "delta": {**delta, "content": parts}}


def _repeated(sent: Sent) -> Body:
    """Return a stream whose last chunk repeats the whole answer."""
    last = {**sent.whole["choices"][0], "delta": {"content": ""}}
    return Body(_events([*map(_dump, sent.chunks[:-1]), _dump({**sent.chunks[-1], "choices": [last]}), _DONE]))


def _usage_apart(sent: Sent) -> Body:
    usage, chunks = sent.whole["usage"], [{**chunk, "usage": None} for chunk in sent.chunks]
    return Body(_events(replace(sent, chunks=[*chunks, {"choices": [], "usage": usage}]).lines))


def _usage_everywhere(sent: Sent) -> Body:
    usage = sent.whole["usage"]
    return Body(_events(replace(sent, chunks=[{**chunk, "usage": usage} for chunk in sent.chunks]).lines))


def _packed(sent: Sent) -> Body:
    return Body(gzip.compress(_events(sent.lines)), encoding="gzip")


_ANY_API: Mapping[str, Change] = {
    "empty data": _each("data:\n\ndata: \n\ndata: {}\n\n"),
    "comments": _each(": keep-alive\n\n:\ndata: {}\n:\n\n"),
    "other fields": _each("id: 7\nevent: message\nretry: 3000\ndata: {}\n\n"),
    "carriage returns": _ends(b"\r"),
    "carriage returns and line feeds": _ends(b"\r\n"),
    "byte order mark": lambda sent: Body(b"\xef\xbb\xbf" + _events(sent.lines)),
    "no space": _each("data:{}\n\n"),
    "data twice": _each("data: data: {}\n\n"),
    "several lines": _several_lines,
    "no blank lines": _each("data: {}\n"),
    "no last line end": lambda sent: Body(_events(sent.lines).rstrip()),
    "json lines": lambda sent: Body(_events(list(map(_dump, sent.chunks)), "{}\n"), "application/x-ndjson"),
    "json": _document(None),
    "pretty json": _document(2),
    "json called a stream": _document(None, _STREAM),
    "json after blank lines": _document(2, before="\n\n  \n"),
    "json after comments": _document(None, _STREAM, before=": keep-alive\n\n"),
    "chunks as a list": lambda sent: Body(_dump(list(sent.chunks)).encode(), _JSON),
    "stream called json": lambda sent: Body(_events(sent.lines), _JSON),
    "stream called a file": lambda sent: Body(_events(sent.lines), "application/octet-stream"),
    "gzip": _packed,
    "cut after the end": _then(b"", is_cut=True),
    "truncated after the end": _then(b'data: {"usage": {"prompt_to'),
    "error after the end": _then(b'event: error\ndata: {"error": {"message": "closed", "code": 502}}\n\n'),
    "pings": _between("ping", {}, {"type": "ping"}),
}
"""For every API; the answer ends with a finish reason."""

_OPENAI: Mapping[str, Change] = {
    "no [DONE]": _then(b""),
    "no finish reason": _choices(lambda choice: {**choice, "finish_reason": None}),
    "empty finish reason": _choices(lambda choice: {**choice, "finish_reason": ""}),
    "no choices": _between({"id": "x"}, {"choices": None}, {"choices": []}, {"id": "x", "error": None}),
    "no delta": _between({"choices": [{"index": 0, "delta": None}]}, {"choices": [{}]}, {"choices": [None]}),
    "no content": _between({"choices": [{"delta": {"content": None}}]}, {"choices": [{"delta": {"content": []}}]}),
    "content in parts": _choices(_in_parts),
    "message": _choices(_as_message),
    "message at the end": _repeated,
    "usage apart": _usage_apart,
    "usage everywhere": _usage_everywhere,
}
"""For APIs in OpenAI's format."""

DEVIATIONS: Mapping[str, Change] = {**_ANY_API, **_OPENAI}
"""Every deviation, by its name in the documentation."""

ERROR_FORMS: Mapping[str, Callable[[str], Body]] = {
    "json": lambda words: Body(_dump({"error": {"message": words, "type": "server_error"}}).encode(), _JSON),
    "pretty json": lambda words: Body(json.dumps({"error": {"message": words}}, indent=2).encode(), _JSON),
    "text in json": lambda words: Body(_dump({"error": words}).encode(), _JSON),
    "event": lambda words: Body(_events([_dump({"error": {"message": words}})])),
    "event: error": lambda words: Body(_events([_dump({"message": words})], "event: error\ndata: {}\n\n")),
    "event: error with text": lambda words: Body(_events([words], "event: error\ndata: {}\n\n")),
    "text in an event": lambda words: Body(_events([words])),
    "detail": lambda words: Body(_dump({"detail": words}).encode(), _JSON),
    "page": lambda words: Body(f"<html><head><title>{words}</title></head><body>x</body></html>".encode(), "text/html"),
    "text": lambda words: Body(words.encode(), "text/plain"),
}
"""Forms of an error in place of an answer with the status 200."""


_TROUBLE = b'{"error": {"message": "The upstream failed", "type": "server_error", "code": 502}}'

BREAKS: Mapping[str, Callable[[bytes], Body]] = {
    "cut": lambda text: Body(text, is_cut=True),
    "end": Body,
    "half an event": lambda text: Body(text + b'data: {"id": "x", "choi'),
    "half an event, cut": lambda text: Body(text + b'data: {"id": "x", "choi', is_cut=True),
    "error event": lambda text: Body(text + b"data: " + _TROUBLE + b"\n\n"),
    "error event and [DONE]": lambda text: Body(text + b"data: " + _TROUBLE + b"\n\ndata: [DONE]\n\n"),
    "event: error": lambda text: Body(text + b"event: error\ndata: " + _TROUBLE + b"\n\n"),
    "event: error and [DONE]": lambda text: Body(text + b"event: error\ndata: " + _TROUBLE + b"\n\ndata: [DONE]\n\n"),
    "error page": lambda text: Body(text + b"<html><head><title>502 Bad Gateway</title></head></html>\n"),
}
"""Ends of a stream that are none of an answer, each after the events of its beginning."""


def is_possible(name: str, *, has_done: bool) -> bool:
    """Return whether an API has a deviation; ``has_done`` tells whether it has OpenAI's format."""
    return DEVIATIONS.keys() >= {name} and (has_done or name not in _OPENAI)


def deviate(name: str, sent: Sent) -> Body:
    """Return an answer with a deviation."""
    return DEVIATIONS[name](sent)


def in_form(form: str, words: str) -> Body:
    """Return an error in place of an answer."""
    return ERROR_FORMS[form](words)


def break_off(form: str, events: bytes) -> Body:
    """Return an answer that begins with ``events`` and breaks."""
    return BREAKS[form](events)
