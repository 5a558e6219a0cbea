"""What an answer that is still being written shows of markup that is not complete yet."""

import pytest

from tgllm.bot.rendering.render import render_draft


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        # Brackets that begin no link.
        ("from [0, 1", "from [0, 1"),
        ("from [0, 1)", "from [0, 1)"),
        ("[-1, 1]", "[-1, 1]"),
        ("take a[i", "take a[i"),
        ("take a[i]", "take a[i]"),
        ("see [b][a]", "see [b][a]"),
        ("call `x[0", "call x[0"),
        ("call `[1, 2", "call [1, 2"),
        ("call `a <b", "call a <b"),
        # Links.
        ("see [the docs", "see the docs"),
        ("see [the docs](https://e.org/a_(b", "see the docs"),
        ("see [the docs](https://e.org/a_(b)_c", "see the docs"),
        ('see [the docs](https://e.org "The ti', "see the docs"),
        ("see[1](https://e.org", "see1"),
        ("see ![a cat](https://e.org/c", "see a cat"),
        ("see <https://e.org/a", "see https://e.org/a"),
        # Fences.
        ("```pyt", ""),
        ("Look:\n\n```pyt", "Look:"),
        ("```py\nx = 1\n`", "x = 1"),
        ("```py\nx = 1\n``", "x = 1"),
        ("- a\n  ```py\n  x = 1\n  ``", "• a\nx = 1"),
        ("~~~py\nx = 1\n~~", "x = 1"),
        ("````md\n```py\nx\n```", "```py\nx"),
        ("Look:\n\n```py\n", "Look:"),
        ("- a\n- ```py\n", "• a\n•"),
        # Formulas.
        (r"so \[ \lim", "so"),
        (r"so \[ \lim_{x} y", "so limₓ y"),
        (r"so \[ \begin{al", "so"),
        (r"so \[ x \\[2pt", "so x"),
        (r"so \[ x + \boxed{", "so x +"),
        ("so \\", "so"),
        ("so \\\\", "so \\"),
        ("so $", "so"),
        ("so $x", "so $x"),
        ("so $x^", "so x"),
        (r"so $x_{n+1} = \fr", "so xₙ₊₁ ="),
        (r"so $\alpha$ and $\mathbb{R}^", "so α and ℝ"),
        ("so $MY_VAR and $5", "so $MY_VAR and $5"),
        ("so 5$", "so 5$"),
        # Footnotes.
        ("so[^", "so"),
        ("so[^not", "so"),
        ("so[^1] it[^note-2], is `[^1]` and [^a-z]*", "so[1] it[note-2], is [^1] and [^a-z]"),
        ("so[^1]\n\n[^1]: Te", "so[1]\n\n[1] Te"),
        # Summaries.
        ("<details>\n<summary>", "…"),
        ("<details>\n<summary>How <b>it</b> wo", "How it wo"),
        ("<details>\n<summary>The `co", "The co"),
        # Tags of nothing yet, and entities.
        ("- a\n- <b>", "• a\n•"),
        ("so <kbd><b>", "so"),
        ('<pre><code class="language-py">', ""),
        ('<pre><code class="language-py">a = b', "a = b"),
        ("<ul><li><b>On", "• On"),
        ("a &l", "a"),
        ("a &#12", "a"),
        ("a &amp; b && c", "a & b && c"),
        # A quotation mark behind the marks of emphasis.
        ('he said **"', "he said"),
        ("he said *'", "he said"),
        ('he said **"Yes', 'he said "Yes'),
        ('a "**b**"', 'a "b"'),
    ],
)
def test_a_draft_shows_no_part_of_markup(prefix: str, text: str) -> None:
    assert render_draft(prefix).text == text
