"""Thought signatures: created with an answer, checked when a request returns them."""

import base64
import binascii
import hashlib
import itertools
import json
from collections.abc import Sequence

from tgllm.testing.fake_providers.gemini_api.tools import FunctionCall

__all__ = ["Signatures", "signed_calls"]

_DUMMY = "skip_thought_signature_validator"  # Source: Gemini API, "Thought signatures", migrating from other models


class Signatures:
    """The issued signatures, each valid for one model."""

    def __init__(self) -> None:
        self.last: str | None = None
        """The latest one, in base64."""
        self._models: dict[bytes, str] = {}
        self._calls: dict[bytes, str] = {}
        """What was signed of answers with calls of functions."""
        self._numbers = itertools.count(1)

    def make(self, model: str, calls: str = "") -> str:
        """Return a new signature of an answer by ``model``, in base64; ``calls`` are its calls as ``signed_calls``."""
        signature = hashlib.sha256(f"{model}:{next(self._numbers)}".encode()).digest()
        self._models[signature] = model
        if calls:
            self._calls[signature] = calls
        self.last = base64.b64encode(signature).decode()
        return self.last

    def knows(self, signature: str, model: str) -> bool:
        """Return whether a signature is valid for ``model``. Like protobuf JSON, it accepts both base64 alphabets."""
        raw = _decoded(signature)
        return raw == _DUMMY.encode() or (raw is not None and self._models.get(raw) == model)

    def fits(self, signature: str, calls: str) -> bool:
        """Return whether a signature is that of an answer with these calls."""
        raw = _decoded(signature)
        return raw == _DUMMY.encode() or (raw is not None and self._calls.get(raw, calls) == calls)


def signed_calls(calls: Sequence[FunctionCall]) -> str:
    """Return what is signed of calls."""
    return json.dumps([[call.id, call.name, call.args] for call in calls], sort_keys=True) if calls else ""


def _decoded(signature: str) -> bytes | None:
    if signature == _DUMMY:
        return _DUMMY.encode()
    try:
        # Clients that handle signatures as bytes send the dummy in base64 too.
        return base64.b64decode(signature.translate(str.maketrans("-_", "+/")), validate=True)
    except binascii.Error:
        return None
