"""Responses with the content of a file: whole or a range, and with injected faults."""

import re
from http import HTTPStatus

from aiohttp import web

from tgllm.testing.emulator.limits.downloads import DownloadFault, DownloadFaultKind, FileDownload
from tgllm.testing.emulator.protocol.errors import BotApiError
from tgllm.testing.emulator.state.records import StoredFile
from tgllm.testing.emulator.world.world import World

__all__ = ["send_file"]

_CHUNK = 16 * 1024
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


async def send_file(world: World, request: web.Request, file: StoredFile) -> web.StreamResponse:
    """Respond with a file. Raises BotApiError for an injected error."""
    wanted = _RANGE.fullmatch(request.headers.get("Range", ""))
    start = int(wanted[1]) if wanted else 0
    download = FileDownload(file.path, start)
    world.downloads.append(download)
    fault = world.downloads.take_fault(is_range=wanted is not None)
    kind = None if fault is None else fault.kind
    if fault is not None and kind is DownloadFaultKind.STATUS:
        fault.reached.set()
        download.status = fault.status
        world.changes.bump()
        raise BotApiError(fault.status, HTTPStatus(fault.status).phrase, retry_after=fault.retry_after)
    is_whole = wanted is None or kind is DownloadFaultKind.WHOLE
    first = 0 if is_whole else start + (kind is DownloadFaultKind.SHIFTED)
    response = _head(file, first, is_whole=is_whole, is_measured=kind is not DownloadFaultKind.END)
    download.status = response.status
    world.changes.bump()
    await response.prepare(request)
    if response.status != HTTPStatus.REQUESTED_RANGE_NOT_SATISFIABLE:
        await _body(world, request, response, file.content[first:], download, fault)
    return response


def _head(file: StoredFile, first: int, *, is_whole: bool, is_measured: bool) -> web.StreamResponse:
    headers = {"X-Content-Type-Options": "nosniff", "Content-Type": "application/octet-stream"}
    if is_whole:
        response = web.StreamResponse(headers=headers)
    elif first >= file.size:
        return web.StreamResponse(status=416, headers={**headers, "Content-Range": f"bytes */{file.size}"})
    else:
        headers["Content-Range"] = f"bytes {first}-{file.size - 1}/{file.size}"
        response = web.StreamResponse(status=206, headers=headers)
    if is_measured:
        response.content_length = file.size - first
    return response


async def _body(
    world: World,
    request: web.Request,
    response: web.StreamResponse,
    content: bytes,
    download: FileDownload,
    fault: DownloadFault | None,
) -> None:
    stops = fault is not None and fault.kind in {DownloadFaultKind.CUT, DownloadFaultKind.END, DownloadFaultKind.HOLD}
    first_part = content[: fault.after] if stops and fault is not None else content
    await _write(response, first_part, download)
    if fault is None or not stops:
        return
    fault.reached.set()
    world.changes.bump()
    if fault.kind is DownloadFaultKind.CUT and request.transport is not None:
        # What was written is flushed by the kernel, but the announced rest never comes.
        request.transport.close()
    elif fault.kind is DownloadFaultKind.HOLD:
        await fault.released.wait()
        await _write(response, content[fault.after :], download)


async def _write(response: web.StreamResponse, content: bytes, download: FileDownload) -> None:
    for place in range(0, len(content), _CHUNK):
        await response.write(content[place : place + _CHUNK])
        download.sent += len(content[place : place + _CHUNK])
