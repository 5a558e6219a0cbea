# ruff: noqa: RUF001 - the table contains symbols that look like letters
"""LaTeX formulas as Unicode text, for messages that can't show LaTeX."""

import re
from collections.abc import Mapping

__all__ = ["readable_formula"]

_TABLE = """
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ
    nu ν xi ξ pi π rho ρ sigma σ tau τ upsilon υ phi φ varphi φ chi χ psi ψ omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ
    Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
    times × cdot · div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet • le ≤ leq ≤ ge ≥ geq ≥ lt < gt > ne ≠ neq ≠ approx ≈
    equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫ in ∈ notin ∉ subset ⊂ subseteq ⊆ supset ⊃ supseteq ⊇ cup ∪ cap ∩
    emptyset ∅ varnothing ∅ forall ∀ exists ∃ neg ¬ land ∧ wedge ∧ lor ∨ vee ∨ oplus ⊕ otimes ⊗ setminus ∖
    to → rightarrow → leftarrow ← leftrightarrow ↔ Rightarrow ⇒ Leftarrow ⇐ Leftrightarrow ⇔ implies ⇒ iff ⇔ mapsto ↦
    uparrow ↑ downarrow ↓ infty ∞ partial ∂ nabla ∇ sum ∑ prod ∏ int ∫ oint ∮ angle ∠ perp ⊥ parallel ∥ triangle △
    ldots … dots … cdots ⋯ vdots ⋮ hbar ℏ ell ℓ Re ℜ Im ℑ aleph ℵ prime ′ degree ° mid ∣ langle ⟨ rangle ⟩ lfloor ⌊
    rfloor ⌋ lceil ⌈ rceil ⌉ therefore ∴ because ∵
"""
_PAIRS = _TABLE.split()
_SYMBOLS: Mapping[str, str] = dict(zip(_PAIRS[::2], _PAIRS[1::2], strict=True))
_FUNCTIONS = "sin cos tan cot sec csc arcsin arccos arctan sinh cosh tanh log ln lg exp lim max min sup inf det dim arg"
_NAMES = frozenset(_FUNCTIONS.split())
_SPACES = {",": " ", ";": " ", ":": " ", " ": " ", "!": "", "quad": "  ", "qquad": "  ", "left": "", "right": ""}
_ESCAPED = frozenset("%$#&_")

_RAISED = str.maketrans("0123456789+-=()nix", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ")
_LOWERED = str.maketrans("0123456789+-=()aeijnmkx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₙₘₖₓ")

_COMMAND = re.compile(r"\\([A-Za-z]++|.)")
_WRAPPED = re.compile(r"\\(?:text|textbf|textit|mathrm|mathbf|mathit|mathsf|mathcal|operatorname|boxed)\{([^{}\\]*+)\}")
_FRACTION = re.compile(r"\\[dt]?frac\{([^{}]*+)\}\{([^{}]*+)\}")
_ROOT = re.compile(r"\\sqrt\{([^{}]*+)\}")
_SCRIPT = re.compile(r"([\^_])(?:\{([^{}\\]*+)\}|([^\s{}\\^_]))")
_GROUP = re.compile(r"(?<![A-Za-z\]}])\{([^{}]*+)\}")
MOST_LEVELS = 12


def readable_formula(tex: str) -> str | None:
    r"""Return ``\frac{a}{2} \le x^2`` as ``a/2 ≤ x²``; None if characters can't show the formula."""
    text = _COMMAND.sub(_symbol, tex)
    for _ in range(MOST_LEVELS):
        before = text
        text = _WRAPPED.sub(r"\1", text)
        text = _SCRIPT.sub(_script, text)
        text = _FRACTION.sub(lambda found: f"{_grouped(found[1])}/{_grouped(found[2])}", text)
        text = _ROOT.sub(lambda found: f"√{_grouped(found[1])}", text)
        text = _GROUP.sub(r"\1", text)
        if text == before:
            break
    if any(char in text for char in "\\{}&"):
        return None
    return " ".join(text.split())


def _symbol(found: re.Match[str]) -> str:
    """Return a command's character; unknown commands stay for the next steps or make the formula unreadable."""
    name = found[1]
    if name in _NAMES:
        return name
    if name in _ESCAPED:
        return name
    return _SYMBOLS.get(name, _SPACES.get(name, found[0]))


def _script(found: re.Match[str]) -> str:
    mark, content = found[1], found[2] if found[2] is not None else found[3]
    small = content.translate(_RAISED if mark == "^" else _LOWERED)
    if not any(char in small for char in content):
        return small
    return mark + (content if len(content) == 1 else f"({content})")


def _grouped(content: str) -> str:
    content = content.strip()
    return content if content.isalnum() else f"({content})"
