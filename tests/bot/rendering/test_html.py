"""HTML that models write into their Markdown."""

import re
from collections.abc import Callable, Sequence

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tgllm.bot.rendering.payloads import EntityText, Payload, RichMessage, RichMode
from tgllm.bot.rendering.render import render, render_draft

Check = Callable[[Payload], None]
Shown = Callable[[Sequence[Payload]], str]
relaxed = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)

NAMES = ["b", "i", "u", "s", "code", "sub", "mark", "a", "span", "q", "p", "ul", "ol", "li", "table", "tr", "td"]
TAGS = [
    *(f"<{name}>" for name in NAMES),
    *(f"</{name}>" for name in NAMES),
    "<br>", "<hr>", '<a href="https://e.com">', "<pre>", "</pre>", "<details>", "</details>", "<foo>", "<!-- ", "-->",
]  # fmt: skip
PIECES = st.lists(
    st.sampled_from([*TAGS, "bd", "é🎉", " ", "\n", "\n\n", "- ", "> ", "**", "`", "||", "|", "  "]), max_size=16
).map("".join)


def shown(source: str) -> tuple[str, list[tuple[str, str]]]:
    """The text of an answer and its entities."""
    (message,) = render(source, rich="never")
    assert isinstance(message, EntityText)
    data = message.text.encode("utf-16-le")
    entities = [
        (entity.type, data[2 * entity.offset : 2 * (entity.offset + entity.length)].decode("utf-16-le"))
        for entity in message.entities
    ]
    return message.text, entities


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<b>x</b> <strong>y</strong>", "x y", [("bold", "x"), ("bold", "y")]),
        ("<i>x</i> <em>y</em>", "x y", [("italic", "x"), ("italic", "y")]),
        ("<u>x</u> <ins>y</ins>", "x y", [("underline", "x"), ("underline", "y")]),
        ("<s>x</s> <del>y</del> <strike>z</strike>", "x y z", [("strikethrough", char) for char in "xyz"]),
        ("<kbd>Ctrl</kbd>+<kbd>C</kbd>", "Ctrl+C", [("code", "Ctrl"), ("code", "C")]),
        ("<code>a*b*c &lt;x&gt; $y$</code>", "a*b*c <x> $y$", [("code", "a*b*c <x> $y$")]),
        ("<mark>x</mark>", "x", [("underline", "x")]),
        ("<tg-spoiler>x</tg-spoiler>", "x", [("spoiler", "x")]),
        ("H<sub>2</sub>O, m<sup>2</sup>, x<sub>i+1</sub>, 1<sup>st</sup>", "H₂O, m², xᵢ₊₁, 1ˢᵗ", []),
        ("x<sup>n·q</sup>, x<sub>вода</sub>, text<sup>[1]</sup>", "x^(n·q), x_(вода), text[1]", []),
        ("a<br>b<br/>c<BR />d", "a\nb\nc\nd", []),
        ("a<br>\nb\n<br>\nc<br><br>d", "a\nb\nc\n\nd", []),
        ("x <input type=checkbox checked> y", "x ☑ y", []),
        ("| a |\n|-|\n| <code>x\\|y</code> |", "a\n---\nx|y", [("pre", "a\n---\nx|y")]),
        ('<a href="https://e.com">x</a>', "x", [("text_link", "x")]),
        ("<a href='javascript:f'>x</a> <a name=t>y</a>", "x (javascript:f) y", [("code", "javascript:f")]),
        ('<span style="color:red">x</span> <font size=2>y</font>', "x y", []),
        ('<img src="https://e.com/a.png" alt="A">', "A", [("text_link", "A")]),
        ("<q>x</q>", "“x”", []),
        ('<B Class="z">x</B>', "x", [("bold", "x")]),
        (
            "**<u>x</u>** and <b>y *z*</b>",
            "x and y z",
            [("underline", "x"), ("bold", "x"), ("bold", "y z"), ("italic", "z")],
        ),
        ("# <u>x</u>", "x", [("underline", "x"), ("bold", "x")]),
        ("[<b>x</b>](https://e.com)", "x", [("text_link", "x"), ("bold", "x")]),
        ("<b>a\n\nb</b> c", "a\n\nb c", [("bold", "a"), ("bold", "b")]),
        ("<b>\nx\n</b>", "x", [("bold", "x")]),
        ("&lt;b&gt; &copy; &#128512; &hearts;", "<b> © 😀 ♥", []),
    ],
)
def test_formats_of_html_are_formats(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    assert shown(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("List<i> and Map<b, c>", "List<i> and Map<b, c>", []),
        ("<b>never closed", "<b>never closed", []),
        ("never opened</b>", "never opened</b>", []),
        ("<b>x <i>y</b> z</i>", "x y z", [("bold", "x y"), ("italic", "y"), ("italic", " z")]),
        ("<b>x <i>y</b> z", "x <i>y z", [("bold", "x <i>y")]),
        ("<b>x<b>y</b>z</b>", "xyz", [("bold", "xyz")]),
        ("<foo bar=1>x</foo> <x-y/>", "<foo bar=1>x</foo> <x-y/>", []),
        ("<script>alert(1)</script>", "<script>alert(1)</script>", []),
        ("<script>\nalert(1)\n</script>", "<script>\nalert(1)\n</script>", []),
        ("`<b>x</b>`", "<b>x</b>", [("code", "<b>x</b>")]),
        ("```\n<b>x</b>\n```", "<b>x</b>", [("pre", "<b>x</b>")]),
        (r"\<b>x\</b>", "<b>x</b>", []),
        ("<!-- x --> y", "<!-- x --> y", []),
        ("<div> begins a block.", "<div> begins a block.", []),
        ("<li>x</li>", "<li>x</li>", []),
        ("<pre>\nnever closed", "<pre>\nnever closed", []),
        ("</ul>", "</ul>", []),
    ],
)
def test_other_tags_are_text(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    assert shown(source) == (text, entities)


@pytest.mark.parametrize(
    ("source", "text", "entities"),
    [
        ("<ul>\n<li>a</li>\n<li>**b**</li>\n</ul>\nc", "• a\n• b\n\nc", [("bold", "b")]),
        ("<ul><li>a<li>b</ul>", "• a\n• b", []),
        ("<ol start=3>\n  <li>a\n    <ul><li>x</li></ul>\n  </li>\n  <li>b</li>\n</ol>", "3. a\n  • x\n4. b", []),
        ("Text:\n<ul>\n\n<li>a</li>\n\n</ul>", "Text:\n\n• a", []),
        ("so <ul><li>a</li><li>b</li></ul>", "so \n• a\n• b", []),
        ("<p>a <b>b</b></p>\n<p>c</p>", "a b\n\nc", [("bold", "b")]),
        ("<h2>T</h2>\ntext", "T\n\ntext", [("bold", "T")]),
        ("a\n<hr>\nb", "a\n\n———\n\nb", []),
        ("<blockquote>a <i>b</i></blockquote>", "a b", [("blockquote", "a b"), ("italic", "b")]),
        ("<blockquote>\n\n- a\n\n</blockquote>\nb", "• a\n\nb", [("blockquote", "• a")]),
        ("<div align=center>\n\n# T\n\n</div>", "T", [("bold", "T")]),
        ('<pre><code class="language-py">a &lt; b\n\n  c</code></pre>', "a < b\n\n  c", [("pre", "a < b\n\n  c")]),
        (
            "<table>\n<tr><th>a</th><th>z</th></tr>\n\n<tr><td>b</td></tr>\n</table>",
            "a | z\n--+--\nb |",
            [("pre", "a | z\n--+--\nb |")],
        ),
        ("<table><tbody><tr><td>a<td>`b`</table>", "a | b\n--+--", [("pre", "a | b\n--+--")]),
        ("<dl><dt>T</dt><dd>d</dd></dl>", "T\n\nd", []),
        (
            "<details>\n<summary><b>S</b></summary>\n<p>x</p>\n</details>",
            "S\nx",
            [("bold", "S"), ("expandable_blockquote", "x")],
        ),
    ],
)
def test_blocks_of_html_are_blocks(source: str, text: str, entities: list[tuple[str, str]]) -> None:
    assert shown(source) == (text, entities)


def test_rich_messages_have_the_formats_of_html() -> None:
    source = "H<sub>2</sub><sup>+</sup> <mark>m</mark> <u>u</u> ||s||\n\n<table><tr><td>a</td></tr></table>"
    (message,) = render(source)
    assert isinstance(message, RichMessage)
    paragraph, table = message.blocks
    assert [part if isinstance(part, str) else part["type"] for part in paragraph["text"]] == [
        "H", "subscript", "superscript", " ", "marked", " ", "underline", " ", "spoiler",
    ]  # fmt: skip
    assert table["type"] == "table"


@pytest.mark.parametrize(
    ("prefix", "text"),
    [
        ("a <b>bo", "a bo"), ("a <b>bo</", "a bo"), ("a <", "a"), ('a <a href="https', "a"), ("<ul>\n<li>x", "• x"),
        ("<table><tr><td>a</td><td>", "a |\n--+-"), ("||secr", "secr"), ("> [!NO", ""), ("x < y", "x < y"),
    ],
)  # fmt: skip
def test_html_that_is_half_written_is_formatted(prefix: str, text: str) -> None:
    assert render_draft(prefix).text == text


@relaxed
@given(PIECES, st.sampled_from(["never", "always"]))
def test_whatever_the_html_no_text_is_lost_and_messages_are_valid(
    check_payload: Check, shown: Shown, source: str, mode: RichMode
) -> None:
    payloads = render(source, rich=mode)
    for payload in payloads:
        check_payload(payload)
    words = re.findall("[bdé🎉]", re.sub(r"<[^<>]*>", "", source))
    output = iter(shown(payloads))
    assert all(word in output for word in words)
    draft = render_draft(source)
    if draft.text:
        check_payload(draft)


@pytest.mark.parametrize(
    ("summary", "text"),
    [
        ("<b>Click *me*</b>", "Click me"),
        ("**Show** the `code_x` &amp; more", "Show the code_x & more"),
        ("H<sub>2</sub>O and $x_1^2$", "H₂O and x₁²"),
        ("<h3>Title</h3>", "Title"),
        ("List<String>", "List<String>"),
        ("[a](https://e.org/a_b) \\*b\\*", "a *b*"),
        ("1. 5*3*2 and a_b_c", "1. 5*3*2 and a_b_c"),
        ("two\nlines", "two lines"),
        ("<br>", "…"),
        ("", "…"),
    ],
)
def test_a_summary_is_the_text_of_its_markdown(summary: str, text: str) -> None:
    source = f"<details>\n<summary>{summary}</summary>\n\nx\n\n</details>"
    assert shown(source) == (f"{text}\nx", [("bold", text), ("expandable_blockquote", "x")])
