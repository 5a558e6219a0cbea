"""A config file with comments is TOML, whatever its values and comments contain."""

import tomllib

import pytest

from tgllm.config.commented import Entry, commented_toml


@pytest.mark.parametrize(
    "value", ["a\x7fb", "tab\t", "quote \" ' and \\", "ü 😀", "\x1b[0m", "a\u2028b", "# no comment"]
)
def test_any_text_comes_back(value: str) -> None:
    assert tomllib.loads(commented_toml((), [Entry("a.b", value)])) == {"a": {"b": value}}


@pytest.mark.parametrize("comment", ["Eve\nbot_token = 1", "a\x00b", "\x1b[31m", "a\rb", "\u2028x = 1", ""])
def test_comments_set_nothing(comment: str) -> None:
    text = commented_toml((comment,), [Entry("a", 1, (comment,)), Entry("b", 2, (comment,), is_example=True)])

    assert tomllib.loads(text) == {"a": 1}


def test_tables_come_last_and_each_once() -> None:
    text = commented_toml((), [Entry("p.x.key", "k"), Entry("a", [1]), Entry("p.x.url", "u"), Entry("p.y b.k", True)])

    assert tomllib.loads(text) == {"a": [1], "p": {"x": {"key": "k", "url": "u"}, "y b": {"k": True}}}
    assert text.count("[p.x]") == 1
