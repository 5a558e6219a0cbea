"""LaTeX formulas as Unicode text, for messages that can't show LaTeX."""

from tgllm.bot.rendering.tex.tokens import paired, tokens
from tgllm.bot.rendering.tex.writer import TooDeepError, UnknownEnvironmentError, Writer

__all__ = ["readable_formula"]


def readable_formula(tex: str) -> str | None:
    r"""Return ``\frac{a}{2} \le x^2`` as ``a/2 ≤ x²``; None if characters can't show the formula.

    Commands without a character stay as they are.
    """
    items = tokens(tex)
    if (pairs := paired(items)) is None:
        return None
    try:
        text = Writer(items, pairs).text()
    except (TooDeepError, UnknownEnvironmentError):
        return None
    lines = [" ".join(line.split()) for line in text.split("\n")]
    return "\n".join([line for line in lines if line]) or None
