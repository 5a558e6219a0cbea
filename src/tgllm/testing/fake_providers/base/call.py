"""A request to a fake server, with its body."""

import json
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web

from tgllm.testing.fake_providers.base.journal import FakeRequest

__all__ = ["Call", "Upload", "read_body"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file in a form."""

    name: str
    mime_type: str
    content: bytes


@dataclass(slots=True, eq=False)
class Call:
    """A request with its body and its entry in the journal."""

    request: web.Request
    recorded: FakeRequest
    content: bytes = b""
    """The raw body; empty for a form."""
    form: dict[str, str | Upload] = field(default_factory=dict[str, str | Upload])

    @property
    def json(self) -> object:
        """The body as JSON; None if it is empty or no JSON."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return None


async def read_body(call: Call) -> None:
    """Read the body, and record it in the journal."""
    if call.request.content_type == "multipart/form-data":
        await _read_form(call)
        return
    call.content = await call.request.read()
    body = call.json
    if isinstance(body, dict | list):
        call.recorded.body = body
    elif call.content:
        call.recorded.body = len(call.content)


async def _read_form(call: Call) -> None:
    async for part in await call.request.multipart():
        if not isinstance(part, BodyPartReader):
            continue
        content = bytes(await part.read())
        name = part.name or ""
        if part.filename is None:
            call.form[name] = content.decode()
        else:
            mime_type = part.headers.get("Content-Type", "application/octet-stream")
            call.form[name] = Upload(part.filename, mime_type, content)
    call.recorded.form_order = tuple(call.form)
    call.recorded.body = {name: _shown(value) for name, value in call.form.items()}


def _shown(value: str | Upload) -> object:
    if isinstance(value, str):
        return value
    return {"name": value.name, "mime_type": value.mime_type, "size": len(value.content)}
