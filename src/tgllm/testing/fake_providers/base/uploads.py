"""Files uploaded to a fake server."""

import itertools
from dataclasses import dataclass

from tgllm.testing.fake_providers.base.call import Call, Upload

__all__ = ["StoredFile", "Uploads"]


@dataclass(slots=True, eq=False)
class StoredFile:
    """A file; times are in seconds since 1970."""

    id: str
    name: str
    mime_type: str
    content: bytes
    purpose: str
    created_at: int
    expires_at: int | None = None

    @property
    def size(self) -> int:
        """Size in bytes."""
        return len(self.content)


class Uploads:
    """Files by id, in order of arrival. ``id_format`` is a format string for a number."""

    def __init__(self, id_format: str) -> None:
        self.files: dict[str, StoredFile] = {}
        self._id_format = id_format
        self._numbers = itertools.count(1)

    def new_id(self) -> str:
        """Return an unused id."""
        return self._id_format.format(next(self._numbers))

    def from_form(self, call: Call, now: float, lifetime: float | None) -> StoredFile | None:
        """Store the field ``file`` of a form with its ``purpose``; None if there is no such field.

        ``now`` is in seconds since 1970; ``lifetime`` is in seconds, None means no expiry.
        """
        upload = call.form.get("file")
        if not isinstance(upload, Upload):
            return None
        expires_at = None if lifetime is None else int(now + lifetime)
        purpose = str(call.form.get("purpose", ""))
        file = StoredFile(self.new_id(), upload.name, upload.mime_type, upload.content, purpose, int(now), expires_at)
        self.files[file.id] = file
        return file
