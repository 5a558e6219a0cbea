"""What is said in the benchmarks."""

from typing import Final

__all__ = ["ANSWER", "PIECES", "QUESTION"]

QUESTION: Final = "How much is seven times six, and why?"
PIECES: Final = tuple(f"word{number:02d} " for number in range(20))
"""What the model answers, piece by piece."""
ANSWER: Final = "".join(PIECES).strip()
"""What is to appear in the chat."""
