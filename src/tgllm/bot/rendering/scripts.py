# ruff: noqa: RUF001 - the tables contain characters that look like letters
"""Superscript and subscript as Unicode characters, for messages without these formats."""

__all__ = ["raised_or_lowered"]

_RAISED = dict(
    zip(
        "0123456789+-−=()abcdefghijklmnoprstuvwxyzABDEGHIJKLMNOPRTUVW",
        "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ᵃᵇᶜᵈᵉᶠᵍʰⁱʲᵏˡᵐⁿᵒᵖʳˢᵗᵘᵛʷˣʸᶻᴬᴮᴰᴱᴳᴴᴵᴶᴷᴸᴹᴺᴼᴾᴿᵀᵁⱽᵂ",
        strict=True,
    )
)
_LOWERED = dict(zip("0123456789+-−=()aehijklmnoprstuvx", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎ₐₑₕᵢⱼₖₗₘₙₒₚᵣₛₜᵤᵥₓ", strict=True))
_AS_THEY_ARE = frozenset(" ,.®™*†‡°′″")


def raised_or_lowered(text: str, *, is_raised: bool) -> str | None:
    """Return the text as small characters; None if there are none for some of it."""
    table = _RAISED if is_raised else _LOWERED
    if not all(char in table or char in _AS_THEY_ARE for char in text):
        return None
    return "".join([table.get(char, char) for char in text])
