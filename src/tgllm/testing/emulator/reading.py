"""The parameters and files of an HTTP request, in each form the Bot API takes."""

import json
from typing import Any, cast

from aiohttp import BodyPartReader, web

from tgllm.testing.emulator.errors import bad_request
from tgllm.testing.emulator.methods.call import Upload

__all__ = ["read_form", "read_request"]


async def read_request(request: web.Request) -> tuple[dict[str, object], dict[str, Upload]]:
    """The raw parameters by name and the uploaded files by field name.

    Source: Bot API, "Making requests" (query string, urlencoded, JSON, multipart).
    """
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
    try:
        parsed: Any = json.loads(body)
    except ValueError:
        parsed = None
    if not isinstance(parsed, dict):
        raise bad_request("can't parse request: expected a JSON object")
    return cast("dict[str, object]", parsed)


async def read_form(request: web.Request) -> tuple[dict[str, str], dict[str, Upload]]:
    """The fields and the files of a multipart form."""
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
