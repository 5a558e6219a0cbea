"""Parameters and files of an HTTP request, in every format of the Bot API."""

import json
from typing import Any, cast

from aiohttp import BodyPartReader, web

from tgllm.testing.emulator.methods.call import Upload
from tgllm.testing.emulator.protocol.errors import BotApiError, bad_request

__all__ = ["read_form", "read_json", "read_request"]


async def read_request(request: web.Request) -> tuple[dict[str, object], dict[str, Upload]]:
    """Return the raw parameters by name and the uploaded files by field name.

    Raises BotApiError 400 for an unreadable body, 413 for one that is too large.
    Source: Bot API, "Making requests" (query string, urlencoded, JSON, multipart).
    """
    try:
        return await _read(request)
    except web.HTTPRequestEntityTooLarge:
        raise BotApiError(413, "Request Entity Too Large") from None
    except (ValueError, LookupError) as error:
        raise bad_request(f"can't parse request: {error}") from None


async def _read(request: web.Request) -> tuple[dict[str, object], dict[str, Upload]]:
    params: dict[str, object] = dict(request.query)
    uploads: dict[str, Upload] = {}
    if request.content_type == "application/json":
        params.update(_json_object(await request.read()))
    elif request.content_type == "multipart/form-data":
        fields, uploads = await read_form(request)
        params.update(fields)
    elif request.content_type == "application/x-www-form-urlencoded":
        params.update((await request.post()).items())
    return params, uploads


def _json_object(body: bytes) -> dict[str, object]:
    if not body:
        return {}
    parsed = read_json(body)
    if not isinstance(parsed, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004 - invalid input, not a wrong argument
    return cast("dict[str, object]", parsed)


def read_json(text: str | bytes) -> Any:  # noqa: ANN401 - JSON of any shape
    """Parse JSON. Raises ValueError for invalid JSON, nesting that is too deep, and lone surrogates."""
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except RecursionError:
        raise ValueError("nested too deep") from None
    except UnicodeError:
        raise ValueError("strings must be encoded in UTF-8") from None
    except ValueError:
        raise ValueError("expected JSON") from None
    return value


async def read_form(request: web.Request) -> tuple[dict[str, str], dict[str, Upload]]:
    """Return the fields and files of a multipart form."""
    fields: dict[str, str] = {}
    files: dict[str, Upload] = {}
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or part.name is None:
            continue
        if part.filename is None:
            fields[part.name] = await part.text()
            continue
        mime = part.headers.get("Content-Type", "application/octet-stream")
        files[part.name] = Upload(part.filename, mime, bytes(await part.read(decode=False)))
    return fields, files
