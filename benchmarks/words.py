"""Texts of the benchmarks."""

from typing import Final

__all__ = ["ANSWER", "PIECES", "QUESTION"]

QUESTION: Final = "How much is seven times six, and why?"
PIECES: Final = tuple(f"word{number:02d} " for number in range(20))
"""The model's answer, in pieces."""
ANSWER: Final = "".join(PIECES).strip()
"""The answer as it appears in the chat."""
