# ruff: noqa: RUF001 - symbols that look like letters
"""Names of LaTeX commands and environments, by how they are written."""

from collections.abc import Mapping

__all__ = [
    "ARROWS", "BINOMIALS", "DROPPED", "FRACTIONS", "IN_SETS", "LINES", "MATRICES", "OPENINGS", "OTHERS", "PAIRS",
    "STACKED", "STYLES", "SWITCHES", "TEXTS", "WITH_COLUMNS",
]  # fmt: skip


def _words(words: str) -> frozenset[str]:
    return frozenset(words.split())


TEXTS = frozenset({"ce", "text", "textbf", "textit", "textrm", "textsf", "texttt", "textnormal", "mbox", "hbox"})
STYLES = _words(
    "mathrm mathbf mathit mathsf mathtt mathcal mathfrak mathscr mathnormal boldsymbol bm boxed fbox cancel overbrace"
    " underbrace mathop mathbin mathrel mathord ensuremath"
)
SWITCHES = _words(
    "displaystyle textstyle scriptstyle limits nolimits nonumber notag hline rm bf it big Big bigg Bigg bigl bigr Bigl"
    " Bigr biggl biggr Biggl Biggr bigm middle"
)
DROPPED = frozenset({"color", "textcolor", "colorbox", "label", "hspace", "vspace", "phantom", "hphantom", "vphantom"})
FRACTIONS = frozenset({"frac", "dfrac", "tfrac", "cfrac"})
BINOMIALS = frozenset({"binom", "dbinom", "tbinom"})
STACKED: Mapping[str, str] = {"overset": "^", "stackrel": "^", "underset": "_"}
PAIRS = {"(": ")", "[": "]", "{": "}", "⟨": "⟩", "⌊": "⌋", "⌈": "⌉"}
OPENINGS = {closing: opening for opening, closing in PAIRS.items()}
MATRICES: Mapping[str, tuple[str, str]] = {
    "matrix": ("", ""), "array": ("", ""), "tabular": ("", ""), "smallmatrix": ("", ""), "pmatrix": ("(", ")"),
    "bmatrix": ("[", "]"), "Bmatrix": ("{", "}"), "vmatrix": ("|", "|"), "Vmatrix": ("‖", "‖"), "cases": ("{", "}"),
    "dcases": ("{", "}"), "rcases": ("{", "}"),
}  # fmt: skip
LINES = _words("align aligned alignat gather gathered split equation eqnarray multline flalign")
WITH_COLUMNS = frozenset({"array", "tabular", "alignat"})
IN_SETS = frozenset(",;:|∣")
ARROWS = {"xrightarrow": "→", "xleftarrow": "←"}
OTHERS = frozenset({"operatorname", "operatorname*", "mathbb", "pmod", "tag", "substack", "not", *ARROWS})
