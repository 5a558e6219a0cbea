"""Thought signatures: made with an answer, and known again when they come back."""

import base64
import binascii
import hashlib
import itertools

__all__ = ["Signatures"]

_DUMMY = "skip_thought_signature_validator"  # Gemini API: thought signatures, migrating from other models


class Signatures:
    """The signatures that were given out, each for one model."""

    def __init__(self) -> None:
        self.last: str | None = None
        """The latest one, in base64."""
        self._models: dict[bytes, str] = {}
        self._numbers = itertools.count(1)

    def make(self, model: str) -> str:
        """A new signature of an answer by ``model``, in base64."""
        signature = hashlib.sha256(f"{model}:{next(self._numbers)}".encode()).digest()
        self._models[signature] = model
        self.last = base64.b64encode(signature).decode()
        return self.last

    def knows(self, signature: str, model: str) -> bool:
        """Whether a signature may be shown to ``model``. Both alphabets of base64 are taken, as protobuf does."""
        if signature == _DUMMY:
            return True
        try:
            raw = base64.b64decode(signature.translate(str.maketrans("-_", "+/")), validate=True)
        except binascii.Error:
            return False
        # What clients know as bytes they send encoded.
        return raw == _DUMMY.encode() or self._models.get(raw) == model
