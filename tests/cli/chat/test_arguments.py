"""Which argument is the model, which a file, and which the question."""

from pathlib import Path

import pytest

from tgllm.api.errors import ConfigError
from tgllm.cli.chat.arguments import Wanted, tell_apart
from tgllm.i18n import Catalogue


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "notes.pdf").write_text("x", encoding="utf-8")
    (tmp_path / "README").write_text("x", encoding="utf-8")
    (tmp_path / "docs").mkdir()
    (tmp_path / "gemini").mkdir()
    (tmp_path / "gemini" / "flash").write_text("x", encoding="utf-8")
    return tmp_path


def told(*args: str) -> Wanted:
    return tell_apart(args, lambda text: text.startswith("gemini/"), Catalogue())


@pytest.mark.parametrize(
    ("args", "model", "files", "question"),
    [
        ([], None, [], ""),
        (["review this"], None, [], "review this"),
        (["what", "is", "a", "monad"], None, [], "what is a monad"),
        (["what", "is", "Node.js"], None, [], "what is Node.js"),
        (["hello"], None, [], "hello"),
        (["docs"], None, [], "docs"),
        (["gemini/flash"], "gemini/flash", [], ""),
        (["gemini/flash", "hi"], "gemini/flash", [], "hi"),
        (["gemini/flash", "notes.pdf", "sum up"], "gemini/flash", ["notes.pdf"], "sum up"),
        (["notes.pdf"], None, ["notes.pdf"], ""),
        (["sum up", "notes.pdf", "README"], None, ["notes.pdf", "README"], "sum up"),
        (["sum up", "gemini/flash"], None, ["gemini/flash"], "sum up"),
        (["explain", "http://e.example/a.html"], None, [], "explain http://e.example/a.html"),
        (["http://e.example/a"], None, [], "http://e.example/a"),
        (["is it and/or", "here"], None, [], "is it and/or here"),
        (["what about gemini/flash?"], None, [], "what about gemini/flash?"),
        (["x" * 5000], None, [], "x" * 5000),
        (["a\0b"], None, [], "a\0b"),
        (["/"], None, [], "/"),
    ],
)
def test_arguments_are_told_apart(args: list[str], model: str | None, files: list[str], question: str) -> None:
    assert told(*args) == Wanted(model, tuple(map(Path, files)), question)


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["gemni/flash", "hi"], "gemni/flash is neither a model"),
        (["and/or"], "neither a model"),
        (["notes.pfd", "sum up"], "There is no file notes.pfd"),
        (["sum up", "notes.pfd"], "There is no file notes.pfd"),
        (["gemini/flash", "notes.txt"], "There is no file notes.txt"),
        (["notes.pdf", "other.pdf"], "There is no file other.pdf"),
        (["./nothing", "hi"], "There is no file ./nothing"),
        (["what", "is", "/etc/nothing"], "There is no file /etc/nothing"),
        (["~/nothing"], "There is no file ~/nothing"),
    ],
)
def test_a_typing_error_is_no_question(args: list[str], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        told(*args)


def test_the_home_folder_is_known() -> None:
    assert told("~/notes.pdf").files == (Path("~/notes.pdf").expanduser(),)
