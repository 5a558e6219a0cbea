"""Conformance kit: tests of the contract of file handlers."""

import asyncio
import importlib
import re
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tgllm.api import Extracted, ExtractionLimits, FileHandler, FileUnreadable
from tgllm.testing.conformance.checking import check
from tgllm.testing.conformance.identity import libraries_of
from tgllm.testing.conformance.loading import file_handlers, plugin_info, reader_of

__all__ = ["FileHandlerConformance"]

_MIME_TYPE = re.compile(r"[\w.+-]+/([\w.+-]+|\*)|\*/\*")
_SUFFIX = re.compile(r"\.[^\s./A-Z]+")
_OF_THE_KIT = ("asyncio_", "tgllm-plugins")
"""How the names of threads begin that do not belong to the handler."""
_LIMITS = ExtractionLimits(max_chars=100_000, seconds=60.0, memory_bytes=2**30)


@pytest.mark.asyncio
class FileHandlerConformance:
    """Tests of a file handler. Subclass it as ``Test...``, and set ``plugin`` and ``samples``."""

    plugin: ClassVar[str]
    """The plugin as in its entry point: ``package.module`` or ``package.module:attribute``."""
    samples: ClassVar[Mapping[str, tuple[bytes, *tuple[str, ...]]]]
    """Files by their name: the content, then words of the text that is made of it."""
    handler: ClassVar[str | None] = None
    """Id of the handler; None: the plugin's only one."""
    settings: ClassVar[Mapping[str, object]] = {}
    """The plugin's settings."""
    allowed_imports: ClassVar[frozenset[str]] = frozenset()
    """Libraries besides pydantic that the plugin's module may import, because they are as fast to import."""

    async def test_the_plugin_module_loads_no_library(self) -> None:
        """Importing the plugin is fast: ``extract`` imports large libraries, not the plugin's module."""
        heavy = await asyncio.to_thread(libraries_of, self.plugin) - self.allowed_imports
        check(not heavy, f"importing {self.plugin} imports {', '.join(sorted(heavy))}: import it in extract")

    async def test_types_and_endings_are_valid(self, tmp_path: Path) -> None:
        """``mime_types`` are like ``text/csv`` or ``text/*``, and ``suffixes`` like ``.csv``."""
        handler = await self._handler(tmp_path)
        wrong = [kind for kind in handler.mime_types if not _MIME_TYPE.fullmatch(kind)]
        wrong += [ending for ending in handler.suffixes if not _SUFFIX.fullmatch(ending)]
        check(not wrong, f"these are no types or endings in lower case with a dot: {sorted(wrong)}")
        check(handler.mime_types or handler.suffixes, "it takes no file: mime_types and suffixes are empty")
        check(not handler.needs or handler.package, "needs is set, and package does not say what installs it")

    async def test_the_bot_gives_it_the_samples(self, tmp_path: Path) -> None:
        """The bot takes this handler for the samples, by the type that it finds in them and by their endings."""
        mine, owner = await self._handler(tmp_path), plugin_info(self.plugin).id
        for name, (content, *_) in self._samples():
            path = _stored(tmp_path, name, content)
            kind, first = await reader_of(self.plugin, self.settings, _folder(tmp_path, "data"), path, name)
            other = "it goes to no handler" if first is None else f"it goes to the handler {first.handler.id}"
            check(
                first is not None and (first.plugin_id, first.handler.id) == (owner, mine.id),
                f"{name} is of the type {kind} for the bot, and {other}: add {kind} to mime_types of {mine.id}, or, if "
                "that is the type of many formats, the ending of the name to suffixes",
            )

    async def test_extract_is_found_by_name(self, tmp_path: Path) -> None:
        """The process that reads files finds ``extract`` by its module and its name."""
        extract: Any = (await self._handler(tmp_path)).extract
        there = getattr(importlib.import_module(extract.__module__), getattr(extract, "__qualname__", ""), None)
        check(there is extract, f"{extract} is no function at the top of a module, which a new process could find")

    async def test_the_samples_are_read(self, tmp_path: Path) -> None:
        """Each sample becomes text with its words; the file itself, and the folder around it, are not changed."""
        for name, (content, *all_words) in self._samples():
            path = _stored(tmp_path, name, content)
            found = await self._read(path, tmp_path)
            for words in all_words:
                check(words in found.text, f"{name} has {words!r}, and became {found.text!r}")
            check(found.pages is None or found.pages > 0, f"the number of pages of {name} is {found.pages}")
            check(path.read_bytes() == content, f"{name} was changed: it is the stored file")
            check(list(path.parent.iterdir()) == [path], f"reading {name} left files beside it")

    async def test_the_text_is_cut_where_it_is_told(self, tmp_path: Path) -> None:
        """A text has at most ``limits.max_chars`` characters, and ``truncated`` says whether it was cut."""
        for name, (content, *_) in self._samples():
            path = _stored(tmp_path, name, content)
            whole = await self._read(path, tmp_path)
            check(not whole.truncated, f"{name} is read completely, and truncated is set")
            most = len(whole.text) // 2
            part = await self._read(path, tmp_path, ExtractionLimits(most, _LIMITS.seconds, _LIMITS.memory_bytes))
            check(len(part.text) <= most, f"of {name} {most} characters were wanted, and {len(part.text)} came")
            check(part.truncated, f"{name} was cut at {most} characters, and truncated is not set")

    @pytest.mark.parametrize("damage", ["empty", "half", "noise", "text"])
    async def test_a_damaged_file_is_unreadable(self, tmp_path: Path, damage: str) -> None:
        """A damaged file raises FileUnreadable, or becomes what is left of it; it raises nothing else."""
        for name, (content, *_) in self._samples():
            damaged = {
                "empty": b"",
                "half": content[: len(content) // 2],
                "noise": bytes(range(256)) * 8,
                "text": b"no file of this kind\n",
            }[damage]
            path = _stored(tmp_path, name, damaged)
            try:
                await self._read(path, tmp_path)
            except FileUnreadable as error:
                check(str(path) not in f"{error} {dict(error.params)}", f"the path of the file stands in {error!r}")
            except Exception as error:
                raise AssertionError(f"{name}, {damage}: it raises {error!r}; raise FileUnreadable") from error

    async def test_nothing_goes_on_after_a_file(self, tmp_path: Path) -> None:
        """``extract`` leaves no threads behind: the process reads many files."""
        before = set(threading.enumerate())
        for name, (content, *_) in self._samples():
            await self._read(_stored(tmp_path, name, content), tmp_path)
        # The thread in which the test calls ``extract`` stays, and that of the plugin host ends a moment later.
        left = [one.name for one in set(threading.enumerate()) - before if not one.name.startswith(_OF_THE_KIT)]
        check(not left, f"these threads go on: {left}")

    def _samples(self) -> Sequence[tuple[str, tuple[bytes, *tuple[str, ...]]]]:
        check(self.samples, "samples is empty: give a file that the handler reads")
        samples: Mapping[str, Any] = self.samples
        for name, given in samples.items():
            shape = type(given).__name__
            parts: list[object] = list(given) if shape == "tuple" else []
            check(
                len(parts) > 1 and isinstance(parts[0], bytes) and all(isinstance(words, str) for words in parts[1:]),
                f"{name}: samples has the content and words of the text, such as (b'...', 'Lake'), and this is "
                f"{shape}: {given!r:.80}",
            )
        return list(self.samples.items())

    async def _handler(self, folder: Path) -> FileHandler:
        found = await file_handlers(self.plugin, self.settings, _folder(folder, "data"))
        mine = [handler for handler in found if self.handler in {None, handler.id}]
        ids = ", ".join(handler.id for handler in found)
        check(len(mine) == 1, f"set handler to one of the plugin's handlers: {ids}")
        return mine[0]

    async def _read(self, path: Path, folder: Path, limits: ExtractionLimits = _LIMITS) -> Extracted:
        extract: Any = (await self._handler(folder)).extract
        found = await asyncio.to_thread(extract, path, limits)
        if not isinstance(found, Extracted):
            raise AssertionError(f"extract returns {found!r}, and no Extracted")  # noqa: TRY004  a test failure
        return found


def _stored(folder: Path, name: str, content: bytes) -> Path:
    """Write a file as the bot stores it: under another name, with the sender's ending."""
    path = _folder(folder, f"file of {name}") / f"stored{Path(name).suffix}"
    path.write_bytes(content)
    return path


def _folder(folder: Path, name: str) -> Path:
    path = folder / name
    path.mkdir(exist_ok=True)
    return path
