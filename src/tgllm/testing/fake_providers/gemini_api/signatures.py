"""Thought signatures: created with an answer, checked when a request returns them."""

import base64
import binascii
import hashlib
import itertools

__all__ = ["Signatures"]

_DUMMY = "skip_thought_signature_validator"  # Source: Gemini API, "Thought signatures", migrating from other models


class Signatures:
    """The issued signatures, each valid for one model."""

    def __init__(self) -> None:
        self.last: str | None = None
        """The latest one, in base64."""
        self._models: dict[bytes, str] = {}
        self._numbers = itertools.count(1)

    def make(self, model: str) -> str:
        """Return a new signature of an answer by ``model``, in base64."""
        signature = hashlib.sha256(f"{model}:{next(self._numbers)}".encode()).digest()
        self._models[signature] = model
        self.last = base64.b64encode(signature).decode()
        return self.last

    def knows(self, signature: str, model: str) -> bool:
        """Return whether a signature is valid for ``model``. Like protobuf JSON, it accepts both base64 alphabets."""
        if signature == _DUMMY:
            return True
        try:
            raw = base64.b64decode(signature.translate(str.maketrans("-_", "+/")), validate=True)
        except binascii.Error:
            return False
        # Clients that handle signatures as bytes send the dummy in base64 too.
        return raw == _DUMMY.encode() or self._models.get(raw) == model
