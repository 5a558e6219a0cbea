"""Plain text and source code."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import text


def test_prose_is_returned_as_it_is() -> None:
    found = read(text, "Hello\r\n\r\n\r\n  indented\rend\n", "a.txt")

    assert found.text == "Hello\n\n\n  indented\nend"
    assert (found.truncated, found.pages, found.encoding) == (False, None, "")


@pytest.mark.parametrize(
    ("name", "code", "language"),
    [
        (".py", "print(1)", "python"),
        ("Main.JAVA", "class A {}", "java"),
        ("a.sql", "SELECT 1", "sql"),
        ("a.yaml", "a: 1", "yaml"),
        ("Makefile", "all:", "make"),
        ("blob", "#!/usr/bin/env -S python3 -u\nprint(1)", "python"),
        ("blob", "#!/bin/bash\necho 1", "sh"),
    ],
)
def test_code_is_fenced_with_its_language(name: str, code: str, language: str) -> None:
    assert read(text, code + "\n", name).text == f"```{language}\n{code}\n```"


@pytest.mark.parametrize("inside", ["```", "````", "`````text", "x = '```'"])
def test_the_fence_is_longer_than_those_inside(inside: str) -> None:
    found = read(text, f"a\n{inside}\nb\n", "a.py").text
    fence = found.partition("python")[0]

    assert found == f"{fence}python\na\n{inside}\nb\n{fence}"
    assert fence not in inside


def test_code_keeps_its_blank_lines_and_indentation() -> None:
    code = "def f():\n\n\n    return 1\n\n\n\ndef g():\n\treturn 2"

    assert read(text, code, "a.py").text == f"```python\n{code}\n```"


def test_long_code_is_cut_at_a_line_and_the_fence_is_closed() -> None:
    found = read(text, "value = 1\n" * 10_000, "a.py", 1000)

    assert found.truncated
    lines = found.text.split("\n")
    assert (lines[0], lines[-1]) == ("```python", "```")
    assert set(lines[1:-1]) == {"value = 1"}
    assert len(found.text) > 950


def test_long_prose_is_cut_at_a_word() -> None:
    found = read(text, "word " * 1_000_000, "a.txt", 997)

    assert found.truncated
    assert set(found.text.split()) == {"word"}


def test_only_what_is_returned_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    original = text.TextBuilder.line
    monkeypatch.setattr(text.TextBuilder, "line", lambda self, line: lines.append(line) or original(self, line))

    read(text, "0123456789\n" * 500_000, "a.log", 10_000)

    assert sum(map(len, lines)) < 200_000


def test_escapes_of_terminals_and_controls_are_left_out() -> None:
    found = read(text, "\x1b[1;31mred\x1b[0m\x1b]0;title\x07 a\x00\x08b\ufeff\n", "a.log")

    assert found.text == "red ab"


def test_lines_that_look_like_marks_of_parts_are_escaped() -> None:
    assert read(text, "a\n[page 3]\nsee [page 3]\n").text == "a\n\\[page 3]\nsee [page 3]"


def test_a_guessed_encoding_is_named() -> None:
    found = read(text, "Привет, как дела?".encode("koi8-r"))

    assert (found.text, found.encoding) == ("Привет, как дела?", "koi8_r")


@pytest.mark.parametrize("content", [b"", b"  \n\t\r\n", b"\xef\xbb\xbf", b"\xff\xfe"])
def test_a_file_without_text_is_empty(content: bytes) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read(text, content)

    assert caught.value.code == "file_empty"


@given(st.binary(min_size=1, max_size=400), st.sampled_from(["a.txt", "a.py"]), st.integers(10, 300))
def test_any_content_is_read_within_the_limits(content: bytes, name: str, most: int) -> None:
    with contextlib.suppress(FileUnreadable):
        read(text, content, name, most)
