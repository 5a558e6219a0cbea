"""Subtitles as lines with times."""

import pytest

from handler_support import read
from tgllm.plugins.builtin.files.texts import subtitles

SRT = """1
00:00:01,000 --> 00:00:02,000
<i>Hello</i>
there

2
01:02:03,500 --> 01:02:04,000
{\\an8}Bye

"""
VTT = """WEBVTT - a title

NOTE a note

STYLE
::cue { color: red }

intro
00:01.000 --> 00:02.000 align:start position:0%
<v Bob>Hello <00:01.500><c>you</c>

00:02.000 --> 00:03.000
Hello you

00:03.000 --> 00:04.000
Bye
"""


@pytest.mark.parametrize(
    ("content", "lines"),
    [
        (SRT, ["00:00:01 Hello there", "01:02:03 Bye"]),
        (SRT.replace("\n", "\r\n"), ["00:00:01 Hello there", "01:02:03 Bye"]),
        (VTT, ["00:01 Hello you", "00:03 Bye"]),
        ("no times here", ["no times here"]),
        ("1\n00:00:01,000 --> 00:00:02,000\n42\n\n2\n00:00:03,000 --> 00:00:04,000\nx", ["00:00:01 42", "00:00:03 x"]),
    ],
)
def test_each_has_its_time(content: str, lines: list[str]) -> None:
    assert read(subtitles, content).text.split("\n") == lines


def test_long_ones_are_cut() -> None:
    found = read(subtitles, SRT * 1000, max_chars=300)

    assert found.truncated
