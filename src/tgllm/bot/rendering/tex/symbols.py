# ruff: noqa: RUF001 - the tables contain symbols that look like letters
"""Characters for LaTeX commands."""

from collections.abc import Mapping

__all__ = ["ACCENTS", "BLACKBOARD", "DELIMITERS", "FUNCTIONS", "LOWERED", "RAISED", "SPACED", "SPACES", "SYMBOLS"]


def _table(words: str) -> dict[str, str]:
    pairs = words.split()
    return dict(zip(pairs[::2], pairs[1::2], strict=True))


SPACED: Mapping[str, str] = _table("""
    times × cdot · div ÷ pm ± mp ∓ ast ∗ star ⋆ circ ∘ bullet • le ≤ leq ≤ leqslant ≤ ge ≥ geq ≥ geqslant ≥ lt < gt >
    ne ≠ neq ≠ approx ≈ equiv ≡ sim ∼ simeq ≃ cong ≅ propto ∝ ll ≪ gg ≫ lesssim ≲ gtrsim ≳ asymp ≍ doteq ≐ triangleq ≜
    coloneqq ≔ prec ≺ succ ≻ preceq ⪯ succeq ⪰ in ∈ notin ∉ ni ∋ subset ⊂ subseteq ⊆ subsetneq ⊊ nsubseteq ⊈ supset ⊃
    supseteq ⊇ cup ∪ cap ∩ sqcup ⊔ sqcap ⊓ uplus ⊎ land ∧ wedge ∧ lor ∨ vee ∨ oplus ⊕ ominus ⊖ otimes ⊗ odot ⊙
    setminus ∖ to → rightarrow → longrightarrow ⟶ gets ← leftarrow ← longleftarrow ⟵ leftrightarrow ↔ Rightarrow ⇒
    Longrightarrow ⟹ Leftarrow ⇐ Leftrightarrow ⇔ Longleftrightarrow ⟺ implies ⇒ impliedby ⇐ iff ⇔ mapsto ↦
    longmapsto ⟼ hookrightarrow ↪ rightharpoonup ⇀ rightleftharpoons ⇌ leadsto ⇝ vdash ⊢ models ⊨ mid ∣ nmid ∤
    parallel ∥ perp ⊥ bmod mod
""")
"""Relations and operators, which are written between spaces."""

SYMBOLS: Mapping[str, str] = _table("""
    alpha α beta β gamma γ delta δ epsilon ε varepsilon ε zeta ζ eta η theta θ vartheta ϑ iota ι kappa κ lambda λ mu μ
    nu ν xi ξ omicron ο pi π varpi ϖ rho ρ varrho ϱ sigma σ varsigma ς tau τ upsilon υ phi φ varphi φ chi χ psi ψ
    omega ω Gamma Γ Delta Δ Theta Θ Lambda Λ Xi Ξ Pi Π Sigma Σ Upsilon Υ Phi Φ Psi Ψ Omega Ω
    emptyset ∅ varnothing ∅ forall ∀ exists ∃ nexists ∄ neg ¬ lnot ¬ top ⊤ bot ⊥ complement ∁
    uparrow ↑ downarrow ↓ updownarrow ↕ nearrow ↗ searrow ↘ infty ∞ partial ∂ nabla ∇ sum ∑ prod ∏ coprod ∐ int ∫
    iint ∬ iiint ∭ oint ∮ bigcup ⋃ bigcap ⋂ bigvee ⋁ bigwedge ⋀ bigoplus ⨁ bigotimes ⨂ angle ∠ triangle △ square □
    Box □ blacksquare ■ diamond ⋄ checkmark ✓ dagger † ddagger ‡ ldots … dots … dotsc … dotsb … cdots ⋯ vdots ⋮
    ddots ⋱ hbar ℏ hslash ℏ ell ℓ Re ℜ Im ℑ wp ℘ imath ı jmath ȷ aleph ℵ beth ℶ prime ′ degree ° celsius ℃ colon :
    therefore ∴ because ∵ surd √ S § P ¶ pounds £ euro € copyright © AA Å
""")
"""Letters and other symbols."""

DELIMITERS: Mapping[str, str] = _table("""
    langle ⟨ rangle ⟩ lfloor ⌊ rfloor ⌋ lceil ⌈ rceil ⌉ lbrace { rbrace } lbrack [ rbrack ] vert | lvert | rvert |
    Vert ‖ lVert ‖ rVert ‖ | ‖ { { } } uparrow ↑ downarrow ↓ backslash \\
""")

_FUNCTIONS = """
    sin cos tan cot sec csc arcsin arccos arctan arccot sinh cosh tanh coth log ln lg exp lim limsup liminf max min sup
    inf det dim arg argmax argmin gcd lcm deg hom ker Pr sgn sign tr rank diag span
"""
FUNCTIONS = frozenset(_FUNCTIONS.split())

SPACES: Mapping[str, str] = {
    ",": " ", ";": " ", ":": " ", ">": " ", " ": " ", "\n": " ", "!": "", "quad": " ", "qquad": " ", "enspace": " ",
    "thinspace": " ", "/": "", "allowbreak": "",
}  # fmt: skip

ACCENTS: Mapping[str, str] = {
    "hat": "\u0302", "widehat": "\u0302", "bar": "\u0304", "overline": "\u0305", "underline": "\u0332",
    "vec": "\u20d7", "overrightarrow": "\u20d7", "dot": "\u0307", "ddot": "\u0308", "tilde": "\u0303",
    "widetilde": "\u0303", "check": "\u030c", "breve": "\u0306", "acute": "\u0301", "grave": "\u0300",
    "mathring": "\u030a",
}  # fmt: skip
"""Combining characters for commands that put something above or below a letter."""

BLACKBOARD = str.maketrans("CEFHNPQRZ1", "ℂ𝔼𝔽ℍℕℙℚℝℤ𝟙")
RAISED = str.maketrans("0123456789+-=()nix", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁼⁽⁾ⁿⁱˣ")
LOWERED = str.maketrans("0123456789+-=()aeijnmkx", "₀₁₂₃₄₅₆₇₈₉₊₋₌₍₎ₐₑᵢⱼₙₘₖₓ")
