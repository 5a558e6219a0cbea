"""Arguments of ``tgllm chat``: a model, files and the words of a question, told apart."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tgllm.api.errors import ConfigError
from tgllm.i18n import Catalogue

__all__ = ["Wanted", "tell_apart"]

_PATH = re.compile(r"(?:~|\.{1,2})?/\S*")
"""An argument that can only be meant as a path."""
_FILE = re.compile(r"(?:\S*/)?[^\s/]*\.[A-Za-z][A-Za-z0-9]{0,4}")
"""An argument that looks like the name of a file."""
_SLASHED = re.compile(r"[^\s/]+(?:/[^\s/]+)+")


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the arguments ask for."""

    model: str | None
    files: tuple[Path, ...]
    question: str


def tell_apart(args: Sequence[str], is_model: Callable[[str], bool], texts: Catalogue) -> Wanted:
    """Tell the arguments apart.

    The first one is a model if it names one; any is a file if it is the path of one; the rest is the question. What
    looks like a model or a file and is none is refused, since a typing error would be sent to the model as a question.

    Args:
        args: the arguments.
        is_model: whether an argument names a model of an installed provider.
        texts: the texts of errors.

    Raises:
        ConfigError: an argument looks like a model or a file, and is none.
    """
    model: str | None = None
    files: list[Path] = []
    words: list[str] = []
    for number, arg in enumerate(args):
        if number == 0 and is_model(arg):
            model = arg
        elif is_file(arg):
            files.append(Path(arg).expanduser())
        else:
            words.append(arg)
    rest = args if model is None else args[1:]
    for word in words:
        _check(word, texts, first=model is None and word is args[0], alone=_is_alone(word, rest))
    return Wanted(model, tuple(files), " ".join(words))


def is_file(text: str) -> bool:
    """Return whether a text is the path of something that can be read as a file."""
    try:
        path = Path(text).expanduser()
        return path.exists() and not path.is_dir()
    except (OSError, ValueError, RuntimeError):
        # Too long or with a null byte; or a home folder that is unknown.
        return False


def _is_alone(word: str, args: Sequence[str]) -> bool:
    """Whether a word is no part of a question that was written without quotation marks."""
    others = [arg for arg in args if arg is not word]
    return not others or any(" " in other or is_file(other) for other in others)


def _check(word: str, texts: Catalogue, *, first: bool, alone: bool) -> None:
    if _PATH.fullmatch(word) and len(word) > 1:
        raise ConfigError(texts("terminal.no_file", name=word))
    if first and _SLASHED.fullmatch(word) and not word.startswith(("http:", "https:")):
        raise ConfigError(texts("terminal.no_model_or_file", name=word))
    if alone and _FILE.fullmatch(word):
        raise ConfigError(texts("terminal.no_file_or_question", name=word))
