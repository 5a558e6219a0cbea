"""The runner of code blocks sees what a page promises and the program doesn't do."""

import re
from pathlib import Path

import pytest

from doc_pages.chat import hold_conversation, read_lines
from doc_pages.data import CHECKS, SYNTAX
from doc_pages.marks import read_blocks
from doc_pages.shell import commands, is_like, page_shell


def test_a_command_has_the_output_below_it() -> None:
    text = "$ one\n1\n2\n$ two \\\n    more\n$ three <<EOF\n> line\n> EOF\n3\n"

    assert commands(text) == [("one", "1\n2"), ("two \\\n    more", ""), ("three <<EOF\nline\nEOF", "3")]


@pytest.mark.parametrize(
    ("printed", "shown", "same"),
    [
        ("a\nb\n", "a\nb", True),
        ("a  \n", "a", True),
        ("  \n  a\n  \n", "  a", True),
        ("a\nb\nc\n", "a\n...\nc", True),
        ("a\nb\nc\nd\n", "...\na\nb ...d", False),
        ("a\nb 1\nc\nd\n", "...\na\n...\nb ...d\n...", True),
        ("a\nb", "...", True),
        ("id 17 is new", "id ... is new", True),
        ("a\nb\n", "a", False),
        ("aXb", "a.b", False),
        ("", "a", False),
        ("b", "a...", False),
    ],
)
def test_three_dots_stand_for_any_text(printed: str, shown: str, same: bool) -> None:
    assert is_like(printed, shown) is same


async def test_the_shell_keeps_its_folder_and_variables(tmp_path: Path) -> None:
    async with page_shell(tmp_path) as shell:
        assert await shell.run("mkdir a && cd a && export B=c") == (0, "")
        assert await shell.run('basename "$PWD"; echo "$B"') == (0, "a\nc\n")
        assert await shell.run("false") == (1, "")
        assert await shell.run("cat") == (0, "")
        assert await shell.run("tty <&1 >/dev/null && stty size <&1") == (0, "50 80\n")


async def test_there_is_a_bot_with_three_people(tmp_path: Path) -> None:
    async with page_shell(tmp_path) as shell:
        code, printed = await shell.run(
            "tgllm users list --json | python -c 'import json, sys; print(len(json.load(sys.stdin)))'"
        )
        assert (code, printed) == (0, "3\n")


async def test_a_program_that_ends_the_shell_is_noticed(tmp_path: Path) -> None:
    async with page_shell(tmp_path) as shell:
        with pytest.raises((ValueError, TimeoutError, ConnectionError)):
            await shell.run("kill -9 $$")


def test_a_conversation_has_speakers() -> None:
    lines = list(read_lines("Ann: /start\nBot: Hello,\n  Ann.\nAnn presses: Approve\nBot to Eve: Hi\n"))

    assert [(line.speaker, line.how, line.text) for line in lines] == [
        ("Ann", "", "/start"),
        ("Bot", "", "Hello,\nAnn."),
        ("Ann", "presses", "Approve"),
        ("Bot", "to Eve", "Hi"),
    ]
    with pytest.raises(ValueError, match="no line of a conversation: Hello"):
        list(read_lines("Ann: /start\nHello\n"))


async def test_a_conversation_is_held_with_the_bot(tmp_path: Path) -> None:
    await hold_conversation(
        tmp_path,
        "Zoe: /start I am new\nBot: ...request pending...\nAnn presses: ✅ Approve\nBot to Zoe: ...approved...\n"
        "Bob: /ping\nBot: Bot ready\n",
    )


async def test_another_answer_than_the_shown_one_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("doc_pages.chat.SECONDS", 2)

    with pytest.raises(TimeoutError, match="Bot ready"):
        await hold_conversation(tmp_path, "Ann: /ping\nBot: Bot asleep\n")


@pytest.mark.parametrize(
    ("language", "good", "bad"),
    [
        ("toml", 'language = "en"\n[plugins.local]\nmodels = "/srv"\n', "langauge = 1\n"),
        ("toml", "[budgets.bot]\nusd_per_month = 20.0\n", "[budgets.bot]\nusd_per_month = -1\n"),
        ("toml", "", '[plugins.local]\nmodel = "/srv"\n'),
        ("dotenv", "TGLLM_LANGUAGE=en\n", "TGLLM_TURNS__ATTEMPTS=many\n"),
        ("yaml", "a: [1]\n", "a: [1\n"),
        ("yaml", "a: 1\n---\nb: 2\n", "text\n"),
        ("json", "{}", "{"),
        ("ini", "[Unit]\nA=1\nA=2\nB=%h\n", "A=1\n"),
        ("xml", "<a/>", "<a>"),
        ("python", "x = 1\n", "x = y\n"),
    ],
)
def test_data_are_read(tmp_path: Path, language: str, good: str, bad: str) -> None:
    for name in ("good", "bad"):
        (tmp_path / name).mkdir()
    CHECKS[language](good, tmp_path / "good")

    with pytest.raises(Exception, match=r"."):
        CHECKS[language](bad, tmp_path / "bad")


@pytest.mark.parametrize(("language", "bad"), [("toml", "a = "), ("python", "def"), ("json", "{"), ("yaml", "a: [1")])
def test_a_file_is_parsed(tmp_path: Path, language: str, bad: str) -> None:
    with pytest.raises(Exception, match=r"."):
        SYNTAX[language](bad, tmp_path)


def test_every_format_that_a_file_may_have_is_known() -> None:
    assert CHECKS.keys() == SYNTAX.keys()


def test_marks_are_read_with_their_lines(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# T\n\n<!-- file: a.json -->\n```json\n{}\n```\n")

    (block,) = read_blocks(page)
    assert (block.mark, block.detail, block.line) == ("file", "a.json", 4)
    assert re.match("page.md:4", block.place)
