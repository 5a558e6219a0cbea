"""HTML as Markdown."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import html

CASES = {
    "title": ("<title>Hi &amp; bye</title><p>x", "# Hi & bye\n\nx"),
    "title beside a heading": ("<title>T</title><h1>H</h1><p>x", "# H\n\nx"),
    "headings": ("<h1>A</h1><h3>B <b>C</b></h3>text", "# A\n\n### B C\n\ntext"),
    "paragraphs": ("<p>one\n  two</p><div>three<br>four</div>", "one two\n\nthree\nfour"),
    "spaces": ("<p><b>a</b> <i>b</i>c&nbsp;d</p>", "a bc d"),
    "link": ('<a href="https://e.org/x">here</a>', "[here](https://e.org/x)"),
    "link that is its text": ('<a href="https://e.org">https://e.org</a>', "https://e.org"),
    "link in words": ('see <a href="/a"> the <b>page</b></a>, ok', "see [the page](/a), ok"),
    "script link": ('<a href=" java\nscript:alert(1)">click</a>', "click"),
    "data link": ('<a href="data:text/html,x">click</a> <a href="#top">top</a>', "click top"),
    "list": ("<ul><li>a<li>b</ul>c", "- a\n- b\n\nc"),
    "numbered list": ("<ol start=9><li>a</li><li>b</li></ol>", "9. a\n10. b"),
    "nested lists": ("<ul><li>a<ol><li>b</li></ol></li><li>c</li></ul>", "- a\n  1. b\n- c"),
    "table": (
        "<table><tr><th>A</th><th>B</th></tr><tr><td>1<td>x|y</table>",
        "| A | B |\n| --- | --- |\n| 1 | x\\|y |",
    ),
    "wide cells": (
        "<table><tr><td colspan=2>A</td></tr><tr><td>1</td><td><p>2</p><p>3</p></td></tr></table>",
        "| A |  |\n| --- | --- |\n| 1 | 2 3 |",
    ),
    "caption": ("<table><caption>C</caption><tr><td>1</td><td>2</td></tr></table>", "C\n\n| 1 | 2 |\n| --- | --- |"),
    "layout": ("<table><tr><td><table><tr><td>a</td><td>b</td></tr></table></td><td>c</td></tr></table>", "a b\n\nc"),
    "code": ("use <code>a`b</code> and <code>c</code>", "use `` a`b `` and `c`"),
    "block of code": ('<pre><code class="language-js">a\n  b\n</code></pre>', "```js\na\n  b\n```"),
    "fences in code": ("<pre>a\n```\n</pre>", "````\na\n```\n````"),
    "quote": ("<blockquote><p>a</p></blockquote>b", "> a\n\nb"),
    "picture": ('<img src=x alt="A cat"> <img src=y>', "![A cat]"),
    "terms": ("<dl><dt>A</dt><dd>first</dd></dl>b", "- A\n  first\n\nb"),
    "not shown": (
        (
            "<body><script>a()</script><style>b{}</style><noscript>n</noscript><template>t</template><!-- c -->"
            '<p hidden>d</p><p style="color:red;display: none">e</p><p style="visibility:hidden">f</p>'
            '<span style="font-size:0">g</span><span style="opacity:0">h</span><span aria-hidden=true>i</span>seen'
        ),
        "seen",
    ),
    "shown": ('<span style="font-size:0.9em;opacity:0.5">a</span><p style="display:block">b', "a\n\nb"),
    "a mark of parts": ("<p>[page 3]</p><p>x</p>", "\\[page 3]\n\nx"),
    "unclosed": ("<p>a<b>b<table><tr><td>c", "ab\n\nc"),
    "two paragraphs in one line": ("<p>a</p><p>b</p>", "a\n\nb"),
}


@pytest.mark.parametrize(("page", "markdown"), CASES.values(), ids=CASES)
def test_a_page_becomes_markdown(page: str, markdown: str) -> None:
    assert read(html, page).text == markdown


@pytest.mark.parametrize(
    ("head", "encoding"),
    [
        ('<meta charset="windows-1251">', "cp1251"),
        ('<meta http-equiv="Content-Type" content="text/html; charset=koi8-r">', "koi8-r"),
        ('<?xml version="1.0" encoding="cp866"?>', "cp866"),
        ('<meta charset="utf-8">', "utf-8"),
        ('<meta charset="windows-1251">', "utf-8"),
        ("", "utf-16"),
    ],
)
def test_the_declared_encoding_counts_unless_the_bytes_prove_another(head: str, encoding: str) -> None:
    found = read(html, f"{head}<p>Съешь ещё</p>".encode(encoding))

    assert (found.text, found.encoding) == ("Съешь ещё", "")


@pytest.mark.parametrize("declared", ["no-such", "utf-16", "hex", "rot13", "idna"])
def test_a_wrong_declaration_is_ignored(declared: str) -> None:
    page = f"<meta charset={declared}><p>Съешь ещё этих мягких булок".encode("cp1251")

    assert read(html, page).text == "Съешь ещё этих мягких булок"


def test_a_page_that_is_nested_too_deep_is_read_without_its_structure() -> None:
    found = read(html, "<style>x</style>" + "<div>" * 100_000 + "a &amp; b<script>s()</script>" + "</div>" * 100_000)

    assert found.text.split() == ["a", "&", "b"]


def test_depth_within_bounds_is_no_recursion() -> None:
    assert read(html, "<div><span>" * 900 + "deep").text == "deep"


def test_a_long_page_is_cut() -> None:
    found = read(html, "<p>some words</p>" * 10_000, max_chars=1000)

    assert found.truncated
    assert set(found.text.split()) == {"some", "words"}


def test_a_page_without_words_is_empty() -> None:
    with pytest.raises(FileUnreadable) as caught:
        read(html, "<html><body><img src=x></body></html>")

    assert caught.value.code == "file_empty"


TAGS = (
    "<p> </p> <table> </table> <tr> </tr> <td> </td> <li> <ul> </ul> <ol> <pre> </pre> <code> </code> <a> </a> <dl> "
    "<dt> <blockquote> </blockquote> <h1> </h1> <br> <b> </b> text & < > [page"
)


@given(st.lists(st.sampled_from(TAGS.split()), max_size=40).map("".join))
def test_any_page_is_read(page: str) -> None:
    with contextlib.suppress(FileUnreadable):
        read(html, page, max_chars=200)
