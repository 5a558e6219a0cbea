"""Reader of EPUB books: chapters in the order of the book, as Markdown."""

import posixpath
import re
import zipfile
from pathlib import Path
from typing import Any, Final
from urllib.parse import unquote

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.formats.ooxml import attribute, children
from tgllm.plugins.builtin.files.shared.archives import open_archive, read_member
from tgllm.plugins.builtin.files.shared.building import TextBuilder, one_line
from tgllm.plugins.builtin.files.shared.xml import local_name, parse_xml
from tgllm.plugins.builtin.files.texts.html import write_html

__all__ = ["extract"]

_CONTAINER: Final = "META-INF/container.xml"
_ENCRYPTION: Final = "META-INF/encryption.xml"
_FONTS_ONLY: Final = ("http://www.idpf.org/2008/embedding", "http://ns.adobe.com/pdf/enc#RC")
"""Algorithms that hide fonts only."""
_PAGES: Final = frozenset({"application/xhtml+xml", "text/html", "application/xml", "text/x-oeb1-document"})
_MOST_CHAPTERS: Final = 10_000
_TITLE = re.compile(r"<title\b[^>]*>.*?</title\s*>", re.IGNORECASE | re.DOTALL)
_HEADING = re.compile(r"<h[1-6]\b", re.IGNORECASE)
_PICTURE = re.compile(r"<(?:img|image|svg:image)\b", re.IGNORECASE)
_ENCODING = re.compile(rb"""<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]{2,40})""")
_EMPTY_TAG = re.compile(r"<(title|script|style|a|p|div|span|em|i|b|td|h[1-6])\b([^<>]*)/>", re.IGNORECASE)


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a book.

    Raises:
        FileUnreadable: it is empty, damaged, protected against copying or too large.
    """
    with open_archive(path, limits) as archive:
        _check_protection(archive)
        book = _Book(archive)
        builder = TextBuilder(limits)
        builder.add(book.about())
        before, pictures = builder.left, 0
        for name in book.chapters:
            if builder.full:
                break
            pictures += _add_chapter(builder, archive, name, book.titles.get(name, ""))
        if builder.left == before:
            raise FileUnreadable("The book has no text", code="file_no_text" if pictures else "file_empty")
        return Extracted(text=builder.text, truncated=builder.truncated)


def _check_protection(archive: zipfile.ZipFile) -> None:
    content = read_member(archive, _ENCRYPTION)
    methods = (each for each in parse_xml(content).iter() if local_name(each) == "EncryptionMethod") if content else ()
    if any(method.get("Algorithm") not in _FONTS_ONLY for method in methods):
        raise FileUnreadable("The book is protected against copying", code="file_password")


def _add_chapter(builder: TextBuilder, archive: zipfile.ZipFile, name: str, title: str) -> int:
    """Add a chapter, with its title if it has no heading; return how many pictures it has."""
    content = read_member(archive, name)
    if not content:
        return 0
    # A page's own title is that of the book, mostly, or says nothing.
    page = _TITLE.sub("", _decoded(content))
    if title and not _HEADING.search(page):
        builder.add(f"# {title}")
    # XHTML closes empty elements in a way that HTML does not know.
    write_html(_EMPTY_TAG.sub(r"<\1\2></\1>", page), builder)
    return len(_PICTURE.findall(page))


def _decoded(content: bytes) -> str:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", "replace")
    declared = _ENCODING.match(content)
    try:
        return content.decode(declared[1].decode() if declared else "utf-8-sig", "replace").lstrip("\ufeff")
    except LookupError:
        return content.decode("utf-8", "replace")


class _Book:
    """Order and titles of the chapters, by the package document. W3C: EPUB 3.3; IDPF: OPF 2.0.1."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        container = read_member(archive, _CONTAINER)
        roots = (each for each in parse_xml(container).iter() if local_name(each) == "rootfile") if container else ()
        name = next((unquote(root.get("full-path") or "") for root in roots), "")
        content = read_member(archive, name) if name else None
        if not content:
            raise FileUnreadable("This is no book", code="file_broken")
        self._folder = posixpath.dirname(name)
        self._package = parse_xml(content)
        items = {each.get("id"): each for each in self._package.iter() if local_name(each) == "item"}
        spine = [each for each in self._package.iter() if local_name(each) == "itemref"][:_MOST_CHAPTERS]
        found = [items[each.get("idref")] for each in spine if each.get("idref") in items]
        self.titles = self._titles(list(items.values()))
        """Titles in the table of contents, by the name of the chapter."""
        self.chapters = [
            self._name(item.get("href"), self._folder)
            for item in found
            if item.get("media-type") in _PAGES and "nav" not in (item.get("properties") or "").split()
        ]
        """Names of the chapters, in order."""

    def about(self) -> str:
        """Return title and authors."""
        lines: list[str] = []
        for name, label in (("title", "Title"), ("creator", "Author")):
            texts = [one_line(each.text or "") for each in self._package.iter() if local_name(each) == name]
            texts = [text for text in texts if text]
            if texts:
                lines.append(f"{label}: {', '.join(texts)}")
        return "\n".join(lines)

    def _name(self, href: str | None, folder: str) -> str:
        return posixpath.normpath(posixpath.join(folder, unquote((href or "").partition("#")[0])))

    def _titles(self, items: list[Any]) -> dict[str, str]:
        """Read the table of contents, of EPUB 3 or 2."""
        titles: dict[str, str] = {}
        for item in items:
            is_nav = "nav" in (item.get("properties") or "").split()
            if not is_nav and item.get("media-type") != "application/x-dtbncx+xml":
                continue
            name = self._name(item.get("href"), self._folder)
            content = read_member(self._archive, name)
            for entry in parse_xml(content).iter() if content else ():
                if local_name(entry) == "a":
                    target, title = attribute(entry, "href"), "".join(entry.itertext())
                elif local_name(entry) == "navPoint":
                    target = next((each.get("src") for each in entry if local_name(each) == "content"), None)
                    title = "".join(each.text or "" for each in children(entry, "navLabel"))
                else:
                    continue
                if target and one_line(title):
                    titles.setdefault(self._name(target, posixpath.dirname(name)), one_line(title))
        return titles
