"""Creation of the package of a new plugin."""

import asyncio
import shlex
import tempfile
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import tgllm
from tgllm.api.clock import SystemClock
from tgllm.api.errors import PluginError
from tgllm.cli.commands.plugins.new.author import Author, find_author
from tgllm.cli.commands.plugins.new.names import PluginName, read_name
from tgllm.cli.commands.plugins.new.rendering import LICENCES, render
from tgllm.cli.commands.plugins.new.taken import check_free
from tgllm.cli.commands.plugins.new.writing import check_room, write_folder
from tgllm.cli.output import say

__all__ = ["Wanted", "run_new"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What was asked for on the command line."""

    name: str
    kind: str
    path: Path | None = None
    author: str | None = None
    licence: str = "MIT"


def run_new(wanted: Wanted) -> None:
    """Create the package, and say what to do next.

    Raises:
        PluginError: a name, the author or the folder can't be used; nothing is left behind.
    """
    name = read_name(wanted.name)
    licence = _licence(wanted.licence)
    author = find_author() if wanted.author is None else Author.read(wanted.author)
    folder = wanted.path or Path(wanted.name)
    check_room(folder)
    with tempfile.TemporaryDirectory(prefix="tgllm-new-") as scratch:
        asyncio.run(check_free(name, Path(scratch), kind=wanted.kind))
    year = datetime.fromtimestamp(SystemClock().now(), UTC).year
    files = render(name, wanted.kind, author, licence, year=year, version=tgllm.__version__)
    write_folder(folder, files)
    say(_next_steps(name, folder, len(files)))


def _licence(text: str) -> str:
    known = {licence.lower(): licence for licence in LICENCES}
    if text.lower() not in known:
        choice = ", ".join(LICENCES)
        raise PluginError(f"The licence is one of {choice}, not {text}. With none, add a licence of your own later.")
    return known[text.lower()]


def _next_steps(name: PluginName, folder: Path, count: int) -> str:
    place = shlex.quote(str(folder))
    shown = place if folder.is_absolute() or place.startswith((".", "'")) else f"./{place}"
    return (
        f"{name.package} is in {shown} (files: {count}). Talk to it, and change it while the demo runs:\n\n"
        f"    tgllm demo --plugin {shown}\n\n"
        f"Its tests, in the environment of tgllm:\n\n"
        f"    cd {place}\n"
        f"    pip install --editable '.[dev]'\n"
        f"    pytest"
    )
