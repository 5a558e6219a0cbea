"""Files API of Gemini: resumable uploads, processing, expiry."""

import base64
import datetime as dt
import hashlib
import itertools
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from tgllm.api.clock import Clock
from tgllm.testing.fake_providers.base.call import Call
from tgllm.testing.fake_providers.base.errors import Refusal
from tgllm.testing.fake_providers.gemini_api.body import FileData, UploadBody
from tgllm.testing.fake_providers.gemini_api.checks import read
from tgllm.testing.fake_providers.gemini_api.errors import GeminiErrors
from tgllm.testing.fake_providers.gemini_api.pages import page_of

__all__ = ["GeminiFile", "GeminiFiles"]

_LIFETIME_SECONDS = 48 * 3600.0
_MAX_FILE_BYTES = 2 * 1024**3
_ERRORS = GeminiErrors()


@dataclass(slots=True, eq=False)
class GeminiFile:
    """A file or an unfinished upload. Times are in seconds since 1970."""

    id: str
    display_name: str
    mime_type: str
    created_at: float
    content: bytearray = field(default_factory=bytearray)
    state: str = "PROCESSING"
    polls_left: int = 0
    """Number of requests for the file until it is ready."""
    digest: str = ""
    """SHA-256 of the whole content, in hex."""

    @property
    def name(self) -> str:
        """Resource name: ``files/...``."""
        return f"files/{self.id}"


class GeminiFiles:
    """Files and unfinished uploads."""

    def __init__(self, clock: Clock) -> None:
        self.files: dict[str, GeminiFile] = {}
        self.processing_polls = 1
        """Number of requests for a new file until it is ready; 0: ready immediately."""
        self.fails = False
        """Whether the processing of new files fails."""
        self.base_url = ""
        self._uploads: dict[str, GeminiFile] = {}
        self._clock = clock
        self._numbers = itertools.count(1)

    def routes(self) -> Iterable[tuple[str, str, Any]]:
        """Return the routes: HTTP method, path, handler."""
        return (
            ("POST", "/upload/{version:v1|v1beta}/files", self._upload),
            ("GET", "/{version:v1|v1beta}/files", self._list),
            ("GET", "/{version:v1|v1beta}/files/{file}", self._get),
            ("DELETE", "/{version:v1|v1beta}/files/{file}", self._delete),
        )

    def is_upload(self, request: web.Request) -> bool:
        """Return whether a request continues an upload, whose URL authorizes it without a key."""
        return request.query.get("upload_id") in self._uploads

    def check(self, data: FileData) -> None:
        """Raise Refusal for a file that does not exist or is not ready."""
        identifier = data.file_uri.rpartition("/files/")[2]
        file = self._living(identifier)
        if file is None:
            raise Refusal(_ERRORS.no_file(identifier))
        if file.state != "ACTIVE":
            raise Refusal(_ERRORS.not_ready(identifier))

    async def _upload(self, call: Call) -> web.StreamResponse:
        commands = {word.strip() for word in call.request.headers.get("X-Goog-Upload-Command", "").split(",")}
        if "start" in commands:
            return self._start(call)
        if not self.is_upload(call.request) or "upload" not in commands:
            raise Refusal(_ERRORS.invalid("Invalid upload command or upload id."))
        return self._receive(call, final="finalize" in commands)

    def _start(self, call: Call) -> web.StreamResponse:
        headers = call.request.headers
        if headers.get("X-Goog-Upload-Protocol") != "resumable":
            raise Refusal(_ERRORS.invalid("Only resumable uploads are served."))
        if int(headers.get("X-Goog-Upload-Header-Content-Length", "0")) > _MAX_FILE_BYTES:
            raise Refusal(_ERRORS.invalid("File size is too large."))
        number = next(self._numbers)
        file = GeminiFile(
            id=f"fake{number}",
            display_name=read(UploadBody, call.json or {}).file.display_name,
            mime_type=headers.get("X-Goog-Upload-Header-Content-Type", "application/octet-stream"),
            created_at=self._clock.now(),
        )
        self._uploads[f"U{number}"] = file
        url = f"{self.base_url}{call.request.path}?upload_id=U{number}&upload_protocol=resumable"
        return web.json_response({}, headers={"X-Goog-Upload-URL": url, "X-Goog-Upload-Status": "active"})

    def _receive(self, call: Call, *, final: bool) -> web.StreamResponse:
        upload_id = call.request.query["upload_id"]
        file = self._uploads[upload_id]
        if int(call.request.headers.get("X-Goog-Upload-Offset", "0")) != len(file.content):
            raise Refusal(_ERRORS.invalid("Upload offset does not match."))
        file.content += call.content
        if not final:
            return web.json_response({}, headers={"X-Goog-Upload-Status": "active"})
        del self._uploads[upload_id]
        file.digest = hashlib.sha256(file.content).hexdigest()
        self.files[file.id] = file
        file.polls_left = self.processing_polls
        if not file.polls_left:
            file.state = self._end_state()
        return web.json_response({"file": self._json(file)}, headers={"X-Goog-Upload-Status": "final"})

    def _end_state(self) -> str:
        return "FAILED" if self.fails else "ACTIVE"

    async def _get(self, call: Call) -> web.StreamResponse:
        file = self._file(call)
        file.polls_left -= 1
        if file.state == "PROCESSING" and file.polls_left <= 0:
            file.state = self._end_state()
        return web.json_response(self._json(file))

    async def _list(self, call: Call) -> web.StreamResponse:
        files = [self._json(file) for file in self.files.values() if self._living(file.id)]
        return web.json_response(page_of("files", files, call.request.query, default=10, limit=100))

    async def _delete(self, call: Call) -> web.StreamResponse:
        del self.files[self._file(call).id]
        return web.json_response({})

    def _file(self, call: Call) -> GeminiFile:
        identifier = call.request.match_info["file"]
        file = self._living(identifier)
        if file is None:
            raise Refusal(_ERRORS.no_file(identifier))
        return file

    def _living(self, identifier: str) -> GeminiFile | None:
        file = self.files.get(identifier)
        if file is None or self._clock.now() >= file.created_at + _LIFETIME_SECONDS:
            return None
        return file

    def _json(self, file: GeminiFile) -> dict[str, Any]:
        return {
            "name": file.name,
            "displayName": file.display_name,
            "mimeType": file.mime_type,
            "sizeBytes": str(len(file.content)),
            "createTime": _time(file.created_at),
            "updateTime": _time(file.created_at),
            "expirationTime": _time(file.created_at + _LIFETIME_SECONDS),
            "sha256Hash": base64.b64encode(file.digest.encode()).decode(),
            "uri": f"{self.base_url}/v1beta/{file.name}",
            "state": file.state,
            "source": "UPLOADED",
        }


def _time(seconds: float) -> str:
    return dt.datetime.fromtimestamp(seconds, dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
