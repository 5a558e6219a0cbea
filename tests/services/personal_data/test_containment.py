"""Texts in an exported Markdown document stay where they are."""

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tgllm.observe.visible import is_safe
from tgllm.services.personal_data.containment import contained, inline

# Other work on the machine must not fail a test.
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

PARSER = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])

PIECES = (
    "\n", "\n\n", " ", "    ", "\t", "#", "## ", "# x", "===", "---", "-", "- ", "> ", "1. ", "* ", "```", "````",
    "~~~", "`", "``", "\\", "\\`", "|", "| a |", "|---|", "<b>", "<h2>x</h2>", "</blockquote>", "<!--", "-->", "<?",
    "<script>", "<![CDATA[", "<a href='", "'>", "x", "word", "[a]: /u", "[a]", "&lt;", "```html", "\r\n", "\r",
    "\x1b", "\u202e", "\u2028", "## Assistant (p/m), 2026-01-01 10:00 UTC",
)  # fmt: skip


def document(text: str) -> str:
    return f"## User\n\n{contained(text)}\n\n## Assistant\n\nend\n"


def assert_contained(text: str) -> None:
    tokens = PARSER.parse(document(text))
    depth, headings = 0, []
    for token, following in zip(tokens, [*tokens[1:], None], strict=True):
        depth += token.nesting if token.type.startswith("blockquote") else 0
        if token.type == "heading_open" and not depth:
            assert following is not None
            headings.append(following.content)
        assert token.type != "html_block", ascii(text)
        assert not [child for child in token.children or () if child.type == "html_inline"], ascii(text)
    assert headings == ["User", "Assistant"], ascii(text)
    assert [token.content for token in tokens[-3:]] == ["", "end", ""], ascii(text)
    assert is_safe(document(text))


@UNHURRIED
@given(st.lists(st.sampled_from(PIECES), max_size=14).map("".join))
@example("```\nx\n```\n`\n`<h2>x</h2>`")
@example("a | b\n--|--\n`a | <b>x`")
@example("- ```\n```\n<h2>x</h2>\n```")
@example("````\n```\n<b>")
@example("x\n---")
def test_no_text_leaves_its_place(text: str) -> None:
    assert_contained(text)


@UNHURRIED
@given(st.text())
def test_any_text(text: str) -> None:
    assert_contained(text)


@pytest.mark.parametrize(
    "text",
    ["Why *is* it?", "two\n\nlines", "a\n\n---\n\nb", "- a\n- b", "1 < 2 and 3 > 2", "`<div>` is a tag",
     "```html\n<div>\n# no heading\n```\n\nend", "| a | b |\n|---|---|\n| 1 | 2 |", "C# is a language", "#hashtag",
     "**bold** [link](https://x.example)", "\u0645\u06cc\u200c\u062e"],
)  # fmt: skip
def test_ordinary_text_is_as_it_was(text: str) -> None:
    assert contained(text) == text
    assert_contained(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# Title\n\ntext", "> # Title\n>\n> text"),
        ("```python\nopen", "> ```python\n> open"),
        ("a <b>c</b>", "a &lt;b>c&lt;/b>"),
        ("x\x1b[2J\u202e", "x\\x1b[2J\\u202e"),
        ("\u05e9\u200f!", "\u05e9!"),
    ],
)
def test_others_are_contained(text: str, shown: str) -> None:
    assert contained(text) == shown


@UNHURRIED
@given(st.text(st.characters() | st.sampled_from("\\`*_{}[]<>#+-.!|&~$\n")))
@example("__0__ a_b _c_")
@example("](x) ![a](b) <b> `c` *d* _e_ &lt; ~~f~~")
def test_a_name_is_no_markdown(name: str) -> None:
    shown = inline(name, 200)
    tokens = PARSER.parse(f"# {shown or '-'}, today")

    assert [token.type for token in tokens] == ["heading_open", "inline", "heading_close"]
    (_, words, _) = tokens
    assert {child.type for child in words.children or ()} <= {"text", "text_special"}


@pytest.mark.parametrize("name", ["Ann Lee", "why.txt", "scripted/model-1", "snake_case", "A. B.", "Жанна (1)"])
def test_an_ordinary_name_is_as_it_was(name: str) -> None:
    assert inline(name, 200) == name


@pytest.mark.parametrize("piece", ["-", "`", "- ", "<b", "# ", "`a` <b> ", "\n```\n", "|`", " ", "~~~"])
def test_a_long_text_takes_no_more_than_its_length(piece: str) -> None:
    # Where the time grows with the square of the length, this ends by the time limit of a test.
    contained(piece * 100_000 + "x")
