"""Files in S3-compatible storage, by boto3, which is imported when the first call needs it."""

import hashlib
import json
import os
import threading
import uuid
from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from tgllm.api.clock import Clock
from tgllm.config.sections.s3 import S3Section
from tgllm.services.files.storage.folder import PART
from tgllm.services.files.storage.remote import RemoteFile, StorageRefused, StorageUnavailable
from tgllm.services.files.storage.s3_failures import failure_of, is_missing, missing_boto3

__all__ = ["S3Storage"]

CONNECT_SECONDS: Final = 5.0
READ_SECONDS: Final = 20.0
"""Time limits of a connection, and of each part of an answer."""
ATTEMPTS: Final = 3
"""Calls that are made in all if the server does not answer, or says to try again; with growing pauses."""
LEAST_BYTES_PER_SECOND: Final = 100_000
"""Speed below which a download is given up, after its first minute."""
_CHUNK: Final = 2**18
_SUM: Final = "sha256"
"""Metadata of an object: the SHA-256 of its content."""
_OWNER: Final = "tgllm-owner.json"
"""Object that names the bot whose files are under the prefix: the sweep of another one would remove them."""
_PROBE: Final = "tgllm-check-"
_MOST_REMOVED: Final = 1000
"""S3 API: DeleteObjects."""


class S3Storage:
    """Implementation of ``Remote``."""

    def __init__(self, settings: S3Section, clock: Clock) -> None:
        """Use a bucket; nothing is imported or called yet. The clock measures how long downloads take."""
        self._clock = clock
        self._settings = settings
        self._bucket = settings.bucket or ""
        self._made: Any = None
        self._making = threading.Lock()

    def put(self, path: str, source: Path) -> None:
        """Store a file under a path."""
        with source.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
            stream.seek(0)
            with self._in_words() as client:
                client.put_object(Bucket=self._bucket, Key=self._key(path), Body=stream, Metadata={_SUM: digest})

    def get(self, path: str, target: Path) -> bool:
        """Fetch a file; it appears under its name when it is complete and checked."""
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        part = target.with_name(f"{uuid.uuid4().hex}{PART}")
        try:
            for left in reversed(range(ATTEMPTS)):
                try:
                    if not self._download(path, part):
                        return False
                    break
                except StorageRefused:
                    raise
                except StorageUnavailable:
                    # boto3 repeats the call, but not the transfer of the content, of which the part is a sign.
                    if not left or not part.exists():
                        raise
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
        return True

    def has(self, path: str) -> bool:
        """Return whether there is a file with that path."""
        with self._in_words() as client:
            try:
                client.head_object(Bucket=self._bucket, Key=self._key(path))
            except Exception as error:
                if is_missing(error):
                    return False
                raise
        return True

    def remove(self, paths: Sequence[str]) -> None:
        """Remove files, as far as they exist."""
        keys = [self._key(path) for path in paths]
        with self._in_words() as client:
            for first in range(0, len(keys), _MOST_REMOVED):
                objects = [{"Key": key} for key in keys[first : first + _MOST_REMOVED]]
                answer = client.delete_objects(Bucket=self._bucket, Delete={"Objects": objects, "Quiet": True})
                if answer.get("Errors"):
                    raise StorageUnavailable("S3 did not remove all files")

    def remove_all(self, beginnings: Iterable[str]) -> None:
        """Remove the files whose paths begin so."""
        self.remove([file.path for beginning in beginnings for file in self.files(beginning)])

    def files(self, beginning: str) -> Iterator[RemoteFile]:
        """List the files whose paths begin so, page by page."""
        wanted: dict[str, Any] = {"Bucket": self._bucket, "Prefix": self._key(beginning)}
        while True:
            with self._in_words() as client:
                page = client.list_objects_v2(**wanted)
            for each in page.get("Contents", ()):
                path = str(each["Key"]).removeprefix(self._settings.prefix)
                yield RemoteFile(path, each["LastModified"].timestamp())
            if not page.get("IsTruncated"):
                return
            wanted["ContinuationToken"] = page["NextContinuationToken"]

    def check(self, bot_id: int | None, *, claims: bool) -> None:
        """Store, read and remove a small file, and check that the files under the prefix are those of this bot."""
        with self._in_words() as client:
            # Some servers make a bucket that is missing when something is stored in it.
            client.list_objects_v2(Bucket=self._bucket, Prefix=self._settings.prefix, MaxKeys=1)
        probe, content = f"{_PROBE}{uuid.uuid4().hex}", os.urandom(16)
        self._write(probe, content)
        if self._read(probe) != content:
            raise StorageRefused("S3 does not return what was stored: check s3.endpoint and s3.bucket.")
        self.remove([probe])
        if bot_id is None:
            return
        owner = self._read(_OWNER)
        if owner is None:
            if claims:
                self._write(_OWNER, json.dumps({"bot_id": bot_id}).encode())
        elif json.loads(owner).get("bot_id") != bot_id:
            raise StorageRefused(
                f"The files under {self._place()} belong to another bot. Give each bot a prefix of its own: s3.prefix."
            )

    def close(self) -> None:
        """Close the connections."""
        with self._making:
            if self._made is not None:
                self._made.close()

    def _write(self, path: str, content: bytes) -> None:
        with self._in_words() as client:
            client.put_object(Bucket=self._bucket, Key=self._key(path), Body=content)

    def _read(self, path: str) -> bytes | None:
        with self._in_words() as client:
            try:
                content: bytes = client.get_object(Bucket=self._bucket, Key=self._key(path))["Body"].read()
            except Exception as error:
                if is_missing(error):
                    return None
                raise
            return content

    def _download(self, path: str, part: Path) -> bool:
        with self._in_words() as client:
            try:
                answer = client.get_object(Bucket=self._bucket, Key=self._key(path))
            except Exception as error:
                if is_missing(error):
                    return False
                raise
            size, wanted = int(answer["ContentLength"]), answer.get("Metadata", {}).get(_SUM)
            until = self._clock.monotonic() + 60 + size / LEAST_BYTES_PER_SECOND
            digest = hashlib.sha256()
            with (
                closing(answer["Body"]) as body,
                os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as out,
            ):
                for chunk in body.iter_chunks(_CHUNK):
                    if self._clock.monotonic() > until:
                        raise StorageUnavailable("the download of a file takes too long")
                    digest.update(chunk)
                    out.write(chunk)
                written = out.tell()
        if written != size or wanted not in {None, digest.hexdigest()}:
            raise StorageUnavailable("a file arrived damaged from S3")
        return True

    def _key(self, path: str) -> str:
        return f"{self._settings.prefix}{path}"

    def _place(self) -> str:
        return f"{self._bucket}/{self._settings.prefix}"

    @contextmanager
    def _in_words(self) -> Generator[Any]:
        """Return the client; its errors become those of ``Remote``."""
        client = self._client()
        try:
            yield client
        except Exception as error:
            # Some errors of boto3 are OSErrors too, as are those of the disk.
            if isinstance(error, StorageUnavailable) or not _is_of_boto3(error):
                raise
            raise failure_of(error, self._settings) from error

    def _client(self) -> Any:  # noqa: ANN401  boto3 has no types
        # Clients may be used by several threads, but not made by them.
        with self._making:
            if self._made is None:
                self._made = _make_client(self._settings)
            return self._made


def _is_of_boto3(error: Exception) -> bool:
    return type(error).__module__.partition(".")[0] in {"boto3", "botocore", "s3transfer", "urllib3"}


def _make_client(settings: S3Section) -> Any:  # noqa: ANN401  boto3 has no types
    try:
        session = import_module("boto3.session").Session
        config = import_module("botocore.config").Config
    except ImportError:
        raise missing_boto3() from None
    access, secret = settings.access_key, settings.secret_key
    try:
        return session(
            aws_access_key_id=None if access is None else access.get_secret_value(),
            aws_secret_access_key=None if secret is None else secret.get_secret_value(),
            region_name=settings.region,
        ).client(
            "s3",
            endpoint_url=settings.endpoint,
            config=config(
                connect_timeout=CONNECT_SECONDS,
                read_timeout=READ_SECONDS,
                retries={"total_max_attempts": ATTEMPTS, "mode": "standard"},
                s3={"addressing_style": "path" if settings.path_style else "virtual"},
                signature_version="s3v4",
                # Not all servers know the newer checksums; ours is in the metadata.
                request_checksum_calculation="when_required",
                response_checksum_validation="when_required",
            ),
        )
    except Exception as error:
        raise failure_of(error, settings) from error
