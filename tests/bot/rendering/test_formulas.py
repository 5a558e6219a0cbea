"""Formulas as Unicode text."""

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tgllm.bot.rendering.formulas import readable_formula
from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage
from tgllm.bot.rendering.render import render, render_draft
from work_support import lines_run

Check = Callable[[Payload], None]

relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

FORMULAS = [
    # Superscripts and subscripts.
    (r"e^{-t/2}", "e^(-t/2)"),
    (r"T_{env}", "T_(env)"),
    (r"x_{i,j}", "x_(i,j)"),
    (r"x_1^2 + x_2^{10} - x^{2}_{i}", "x₁² + x₂¹⁰ - x²ᵢ"),
    (r"A^{-1} A^T x^{(n)} x^{(a,b)} x^* {}^{14}C", "A⁻¹ A^T x⁽ⁿ⁾ x^(a,b) x^* ¹⁴C"),
    (r"e^{x^{y^z}} a_{b_{c_d}}", "e^(x^(y^z)) a_(b_(c_d))"),
    (r"E^{\frac{a}{b}} x^{1/2} x^\frac12 y_\text{max}", "E^(a/b) x^(1/2) x^(1/2) yₘₐₓ"),
    (r"f'(x) f''^2 x^{\prime} x^\prime 90^\circ 90^{\circ}", "f'(x) f''² x′ x′ 90° 90°"),
    (r"\sum_{i=1}^{n} i \int_0^\infty \prod_{k \in K}", "∑ᵢ₌₁ⁿ i ∫₀^∞ ∏_(k ∈ K)"),
    (r"x^(2) x^(a+b) x_(i)", "x² x^(a+b) xᵢ"),
    (r"x^{} y_{ } z^", "x y z"),
    # Fractions and roots.
    (r"\frac{a}{b} \dfrac{1}{2} \frac{a+b}{c}", "a/b 1/2 (a+b)/c"),
    (r"\frac{-b \pm \sqrt{b^2-4ac}}{2a}", "(-b ± √(b²-4ac))/2a"),
    (r"\frac{1}{2}mv^2, 2\frac{1}{2}, \frac{a}{b}^2", "(1/2)mv², 2(1/2), (a/b)²"),
    (r"\frac{\frac{a}{b}}{c} {a \over b} {n \choose k}", "(a/b)/c a/b C(n, k)"),
    (r"\sqrt{x} \sqrt{x+1} \sqrt[3]{8} \sqrt[n]{2} \sqrt2", "√x √(x+1) ∛8 ⁿ√2 √2"),
    (r"\binom{n}{k} \left( \frac{a}{b} \right)^2", "C(n, k) (a/b)²"),
    # Brackets.
    (r"\left\{ x \in \mathbb{R} \mid x > 0 \right\}", "{x ∈ ℝ ∣ x > 0}"),
    (r"\left. \frac{df}{dx} \right|_{x=0} \left\{ a, b \right.", "df/dx|ₓ₌₀ {a, b}"),
    (r"|x| \|x\| \lVert x\rVert \lfloor x\rfloor \big( x \big)", "|x| ‖x‖ ‖ x‖ ⌊ x⌋ ( x )"),
    (r"[0, 1) \cup (2, 3] x_{[0,1)}", "[0, 1) ∪ (2, 3] x_([0,1))"),
    (r"\{1,2,3\} 10{,}000 {a}b", "{1,2,3} 10,000 ab"),
    # Environments.
    (r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}^{-1}", "(a, b; c, d)⁻¹"),
    (r"\left[\begin{array}{cc} 1 & 0 \\[2pt] 0 & 1 \end{array}\right]", "[1, 0; 0, 1]"),
    (r"\begin{cases} x, & \text{if } x > 0 \\ -x & \text{otherwise} \end{cases}", "{x, if x > 0; -x, otherwise}"),
    (r"\begin{aligned} a &= b + c \\ &= d \end{aligned}", "a = b + c\n= d"),
    (r"\begin{align*} a &= b \\ \end{align*}", "a = b"),
    # Words, functions, operators.
    (r"\sin\theta\cos x + \log_2 n + x\sin^2y", "sin θ cos x + log₂ n + x sin² y"),
    (r"\lim_{h \to 0} \frac{f(x+h)-f(x)}{h}", "lim_(h → 0) (f(x+h)-f(x))/h"),
    (r"\text{cost} = \$5 \times 3 = \$15\,\text{per day}", "cost = $5 × 3 = $15 per day"),
    (r"\operatorname{argmin}_x f(x) \mathrm{d}x \boxed{42} \textbf{so}", "argminₓ f(x) dx 42 so"),
    (r"a\times b\le c\pm d, \pm 1, x=-\frac{a}{b}", "a × b ≤ c ± d, ± 1, x=-a/b"),
    (r"\alpha_{\beta\gamma} \Omega \varphi \hbar \ell", "α_(βγ) Ω φ ℏ ℓ"),
    (r"\hat{x} \vec{v} \overline{AB} \vec{AB} \hat{abc} \dot x", "x̂ v⃗ A̅B̅ AB⃗ hat(abc) ẋ"),
    (r"x \not\in A, a \equiv b \pmod{7}, a \bmod b", "x ∉ A, a ≡ b (mod 7), a mod b"),
    (r"\ce{2H2 + O2 -> 2H2O} \mathrm{H_2O}", "2H₂ + O₂ → 2H₂O H₂O"),
    (r"a \overset{!}{=} b \xrightarrow{f} c \underset{x}{\max}", "a =^! b →^f c maxₓ"),
    (r"P(A \mid B) = \frac{P(B|A)P(A)}{P(B)}", "P(A ∣ B) = (P(B|A)P(A))/(P(B))"),
    # What is unknown, or unfinished.
    (r"\foo{x}^2 + \oiiint_S y + \bar", r"\foo{x}² + \oiiint_S y +"),
    (r"e^{-t/", "e^(-t/)"),
    (r"\frac{a}{b", "a/b"),
    (r"\frac{a", "a"),
    (r"\left( a", "(a)"),
    (r"\begin{cases} a & b", "{a, b}"),
]

NAMES = (
    r"\alpha \times \frac \sqrt \text \mathrm \hat \overline \sin \lim \sum \left( \right) \left. \right| \foo \, \le"
    r" \binom \operatorname \prime \circ \begin{pmatrix} \end{pmatrix} \begin{cases} \end{cases} \over \not \ce \mathbb"
)
PARTS = st.sampled_from([*NAMES.split(), *"abnix123+-=/,.|'^_&  ", "\\\\", "(x)", "{ab}", "^{-t/2}", "_{i,j}", "[2]"])
TEX = st.recursive(
    st.lists(PARTS, max_size=6).map("".join),
    lambda inner: st.lists(inner | PARTS | inner.map(lambda tex: f"{{{tex}}}"), max_size=5).map("".join),
    max_leaves=12,
)
PLAIN_TEX = TEX.filter(lambda tex: r"\text" not in tex and r"\ce" not in tex)
SMALL = str.maketrans("ₐ", "a")
BRACKETS = {")": "(", "}": "{", "]": "["}


def is_balanced(text: str) -> bool:
    opened: list[str] = []
    for char in text:
        if char in BRACKETS.values():
            opened.append(char)
        elif char in BRACKETS and (not opened or opened.pop() != BRACKETS[char]):
            return False
    return not opened


@pytest.mark.parametrize(("tex", "text"), FORMULAS)
def test_a_formula_is_readable(tex: str, text: str) -> None:
    assert readable_formula(tex) == text


@pytest.mark.parametrize("text", [text for _, text in FORMULAS])
def test_a_readable_formula_stays_as_it_is(text: str) -> None:
    assert " ".join((readable_formula(text) or "").split()) == " ".join(text.split())


@pytest.mark.parametrize(
    "tex", ["", " ", r"\begin{x}", r"\begin{tikzpicture} a \end{tikzpicture}", "a}b", r"a \right)"]
)
def test_what_characters_cannot_show_is_none(tex: str) -> None:
    assert readable_formula(tex) is None


@pytest.mark.parametrize("tex", [text for text, _ in FORMULAS if "[0, 1)" not in text])
def test_formulas_are_balanced(tex: str) -> None:
    assert is_balanced(readable_formula(tex) or "")


@relaxed
@given(TEX)
def test_whatever_the_formula_it_is_balanced_and_keeps_its_letters(tex: str) -> None:
    text = readable_formula(tex)
    if text is None:
        return
    if is_balanced(tex.replace(r"\left.", "").replace(r"\right|", "")):
        assert is_balanced(text), text
    said = re.sub(r"\\(?:begin|end)\{\w+\}|\\[A-Za-z]+|[^ab]", "", tex)
    shown = text.translate(SMALL)
    assert shown.count("a") >= said.count("a")
    assert shown.count("b") >= said.count("b")


@relaxed
@given(PLAIN_TEX)
def test_whatever_the_formula_its_text_is_a_fixed_point(tex: str) -> None:
    text = readable_formula(tex)
    if text is not None and is_balanced(text) and not set(text) & set("\\{"):
        again = readable_formula(text)
        assert again is not None
        assert " ".join(again.split()) == " ".join(text.split())


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("> $$\n> x^2\n> + y\n> $$\n> end", "x² + y\n\nend"),
        ("> \\[\n> x^2\n> \\]", "x²"),
        ("> > $$\n> > x\n> > $$", "> x"),
        ("> - $$\n>   x^2\n>   $$", "• x²"),
        ("- \\[\n  a^2\n  - 1\n  \\]\n- $$b$$", "• a² - 1\n• b"),
        ("- x\n  $$\\begin{aligned} a &= b \\\\ c &= d \\end{aligned}$$", "• x\n  a = b\n  c = d"),
        ("\\[ a \\\\[2pt] b \\]", "a\nb"),
        ("| a | b |\n|-|-|\n| \\(x^2\\) | $$y_1$$ |", "a  | b\n---+---\nx² | y₁"),
        ("costs \\(\\$5 \\times 3 = \\$15\\)", "costs $5 × 3 = $15"),
        ("$\\$5 \\cdot 2$ and $$\\$5 + x^2$$", "$5 · 2 and $5 + x²"),
        ("$\\text{price } \\$5$", "price $5"),
        ("**$e^{-t/2}$** and *$T_{env}$*", "e^(-t/2) and T_(env)"),
    ],
)
def test_formulas_in_quotes_lists_and_tables(source: str, text: str, check_payload: Check) -> None:
    (message,) = render(source, rich="never")
    assert isinstance(message, EntityText)
    assert message.text == text
    (rich,) = render(source)
    assert isinstance(rich, RichMessage)
    check_payload(rich)
    assert rich.degraded() == (message,)
    # The last row of a table is shown when it has ended.
    assert render_draft(f"{source}\n") == message


@pytest.mark.parametrize(
    "source", ["$5 and $10", "it is \\$5 and \\$10", "\\\\(x\\\\)", "from $5 to \\$10", "5$ and 10$", "`$x^2$ \\(y\\)`"]
)
def test_what_is_no_formula(source: str) -> None:
    (message,) = render(source)
    assert isinstance(message, EntityText)


def drafts(source: str) -> Sequence[str]:
    return [render_draft(source[:end]).text for end in range(len(source) + 1)]


@pytest.mark.parametrize(
    "source",
    [
        "So $$\n\\frac{a}{b} = \\sqrt{x_1^2} \\\\\n$$",
        "So \\(e^{-t/2}\\)",
        "So \\[ x \\\\[2pt] y_{ij} \\]",
        "> $$\n> x^{2}\n> $$",
        "- $$x^{ab}",
    ],
)
def test_a_growing_formula_is_readable(source: str) -> None:
    shown = drafts(source)
    for text in shown:
        assert "{" not in text.replace("\\frac{}", "")
        assert "$$" not in text
        assert is_balanced(text)


def test_code_in_a_growing_answer_opens_no_formula() -> None:
    assert render_draft("Write `\\[` and `$$`\nbefore x^2").text == "Write \\[ and $$\nbefore x^2"


@pytest.mark.parametrize(
    "repeated",
    [*"{([^_ ", "x_{a,b}", "x^{", r"\sin", r"\frac12x", r"\sqrt{x}", "a&b\\\\", r"\foo{a}", r"\ ", r"\not", r"\left(",
     r"\begin{cases}a", r"\text{a}", r"\over", r"\hat", "{a,b}"],
)  # fmt: skip
@pytest.mark.parametrize("before", ["", r"\begin{matrix}", r"\left("])
def test_the_work_is_proportional_to_the_length(before: str, repeated: str) -> None:
    def work(times: int) -> int:
        return lines_run(lambda: readable_formula(before + repeated * times))

    assert work(2000) < 5 * work(500) + 1000
