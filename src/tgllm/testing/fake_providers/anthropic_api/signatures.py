"""Signatures of reasoning: created with an answer, checked when a request returns the reasoning."""

import base64
import hashlib
import itertools

__all__ = ["Signatures"]


class Signatures:
    """The signed blocks of reasoning, each of one model."""

    def __init__(self) -> None:
        self.last: str | None = None
        """The latest signature."""
        self._signed: dict[str, tuple[str, str]] = {}
        self._numbers = itertools.count(1)

    def sign(self, model: str, thinking: str) -> str:
        """Return a new signature for the text of a block as it was sent, possibly without words."""
        raw = hashlib.sha256(f"{model}:{next(self._numbers)}".encode()).digest()
        self.last = base64.b64encode(raw).decode()
        self._signed[self.last] = (model, thinking)
        return self.last

    def knows(self, signature: str, thinking: str, model: str | None) -> bool:
        """Return whether a block is as it was sent, and by ``model``; None: by any."""
        signed = self._signed.get(signature)
        return signed is not None and signed[1] == thinking and model in {None, signed[0]}
