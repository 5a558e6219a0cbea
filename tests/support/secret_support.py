"""Search for a secret everywhere where one could be kept or sent."""

import base64
import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from urllib.parse import quote

from tgllm.testing.scripted import ScriptedProvider

__all__ = ["find_secret_everywhere"]


def find_secret_everywhere(
    secret: str, folder: Path, provider: ScriptedProvider | None = None, texts: Iterable[str] = ()
) -> list[str]:
    """Where the secret is, in any form: files (database, write-ahead log, journal, backups), requests, and texts.

    Args:
        secret: the secret.
        folder: all files below it are searched.
        provider: its requests are searched.
        texts: such as the output of the log, and what the bot has said.
    """
    found = [
        f"file {path.name}"
        for path in folder.rglob("*")
        if path.is_file() and any(form in path.read_bytes() for form in _forms(secret))
    ]
    asked = [repr(request) for request in provider.requests] if provider is not None else []
    found += [f"request {number}" for number, request in enumerate(asked) if secret in request]
    return found + [f"text {number}" for number, text in enumerate(texts) if secret in text]


def _forms(secret: str) -> Iterator[bytes]:
    plain = secret.encode()
    yield plain
    yield secret.encode("utf-16-le")
    yield json.dumps(secret)[1:-1].encode()
    yield quote(secret, safe="").encode()
    yield base64.b64encode(plain).rstrip(b"=")[:-1]
