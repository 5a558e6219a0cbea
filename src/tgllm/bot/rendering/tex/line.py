"""Text of a formula while it is written."""

from tgllm.bot.rendering.tex.scripts import fraction

__all__ = ["Line"]

_BEFORE_SIGN = frozenset("([{⟨⌊⌈|‖,;=<>+-^_/")
_OPERAND_STARTS = frozenset("(√∛∜\\")


class Line:
    """Joins operands and operators with the spaces and parentheses that keep their meaning."""

    def __init__(self) -> None:
        self._pieces: list[str] = []
        self._is_fraction = False
        """Whether the last piece is a fraction without parentheses."""
        self._is_name = False
        """Whether the last piece is the name of a function."""

    def text(self) -> str:
        """Return what has been written."""
        return "".join(self._pieces)

    def add(self, text: str) -> None:
        """Add an operand, or any other characters."""
        if not text:
            return
        if self._is_operand(text[0]):
            if self._is_fraction:
                self._pieces[-1] = f"({self._pieces[-1]})"
            elif self._is_name and text[0] != "(":
                self._pieces.append(" ")
        self._push(text)

    def script(self, text: str) -> None:
        """Add a superscript or subscript to what is before it."""
        if text:
            if self._is_fraction:
                self._pieces[-1] = f"({self._pieces[-1]})"
            self._push(text, is_name=self._is_name)

    def operator(self, text: str) -> None:
        """Add a relation or operator between spaces; at the start it is a sign."""
        last = self._last()
        self._push(f"{text} " if not last or last in _BEFORE_SIGN else f" {text} ")

    def name(self, text: str) -> None:
        """Add the name of a function."""
        self._push(f" {text}" if self._last().isalnum() else text, is_name=True)

    def fraction(self, above: str, below: str) -> None:
        """Add a fraction, in parentheses if it is a factor."""
        last = self._pieces[-1][-1:] if self._pieces else ""
        text = fraction(above, below)
        is_factor = last == ")" or last.isalnum()
        if self._is_name:
            text = f" {text}"
        self._push(f"({text})" if is_factor and not self._is_name else text)
        self._is_fraction = not is_factor

    def _push(self, text: str, *, is_name: bool = False) -> None:
        self._pieces.append(text)
        self._is_fraction = False
        self._is_name = is_name

    def _last(self) -> str:
        """Return the last character that is no space."""
        for piece in reversed(self._pieces):
            if stripped := piece.rstrip():
                return stripped[-1]
        return ""

    @staticmethod
    def _is_operand(char: str) -> bool:
        return char.isalnum() or char in _OPERAND_STARTS
