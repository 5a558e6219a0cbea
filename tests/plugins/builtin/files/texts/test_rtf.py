"""RTF."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import rtf

HEAD = (
    r"{\rtf1\ansi\ansicpg1251\deff0{\fonttbl{\f0\fcharset204 Arial;}{\f1\fcharset238 Times CE;}}{\*\generator X;}\pard "
)
CASES = {
    "words": (r"Hello \b bold\b0  and \i more\i0 .\par Next", "Hello bold and more.\nNext"),
    "bytes": (r"\'cf\'f0\'e8\'e2\'e5\'f2", "Привет"),
    "bytes of another font": (r"\f1 \'b3\'ea\f0  \'ff", "łę я"),
    "unicode": (r"\u1055?\u1088\'f0\uc0\u1080 x", "Приx"),
    "unicode in a group": (r"{\uc2\u8364 ??}\u8364 ?", "€€"),
    "surrogates": (r"\u-10179?\u-8704?", "😀"),
    "symbols": (r"\{a\}\~b\-c\_d \\ \ldblquote x\rdblquote\emdash", "{a} bc-d \\ “x”—"),
    "what is no text": (r"{\pict\pngblip 89504e47}{\info{\author Me}}{\header H}{\*\unknown u}seen", "seen"),
    "binary": ("{\\pict\\bin4 {}}}}seen", "seen"),
    "a field": (r'{\field{\*\fldinst HYPERLINK "https://e.org"}{\fldrslt link}}', "link"),
    "a table": (r"above\trowd a\cell b\cell\row\trowd c\cell d\cell\row below", "above\na | b\nc | d\nbelow"),
}


@pytest.mark.parametrize(("body", "text"), CASES.values(), ids=CASES)
def test_words_are_read(body: str, text: str) -> None:
    assert read(rtf, f"{HEAD}{body}}}").text == text


@pytest.mark.parametrize("content", ["{\\rtf1 " + "{" * 50_000 + "deep", "{\\rtf1 deep" + "}" * 50_000, "{\\rtf1 deep"])
def test_groups_that_are_not_balanced(content: str) -> None:
    assert read(rtf, content).text == "deep"


def test_a_long_file_is_cut() -> None:
    found = read(rtf, HEAD + r"some words\par " * 50_000 + "}", max_chars=1000)

    assert found.truncated
    assert set(found.text.split()) == {"some", "words"}


@pytest.mark.parametrize(
    ("content", "code"), [("hello", "file_broken"), ("{\\rtf1 }", "file_empty"), ("", "file_broken")]
)
def test_what_has_no_words_is_refused(content: str, code: str) -> None:
    with pytest.raises(FileUnreadable) as caught:
        read(rtf, content)

    assert caught.value.code == code


@given(st.text("\\{}'*u0123456789abcfprt ;-\n", max_size=200))
def test_any_file_is_read(body: str) -> None:
    with contextlib.suppress(FileUnreadable):
        read(rtf, "{\\rtf1 " + body)
