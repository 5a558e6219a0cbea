"""Reader of Word documents: headings, paragraphs, lists, tables, notes and comments."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.formats.docx_body import Body
from tgllm.plugins.builtin.files.formats.docx_styles import Numbering, read_styles
from tgllm.plugins.builtin.files.formats.ooxml import Package, Relation, attribute, child
from tgllm.plugins.builtin.files.shared.archives import open_archive
from tgllm.plugins.builtin.files.shared.building import TextBuilder, one_line
from tgllm.plugins.builtin.files.shared.xml import local_name

__all__ = ["extract"]

_SEPARATORS: Final = frozenset({"separator", "continuationSeparator", "continuationNotice"})


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Read a Word document.

    Raises:
        FileUnreadable: it is empty, damaged, of an old format, protected by a password or too large.
    """
    with open_archive(path, limits) as archive:
        package = Package(archive)
        name = package.main_part()
        root = package.part(name) if name else None
        body = child(root, "body")
        if body is None:
            raise FileUnreadable("This is no Word document", code="file_broken")
        return _Document(package, package.relations(name), limits).read(body)


class _Document:
    """Reading of one document."""

    def __init__(self, package: Package, relations: dict[str, Relation], limits: ExtractionLimits) -> None:
        self._package = package
        self._relations = relations
        self._styles = read_styles(self._related("styles"))
        self._body = Body(self._styles, Numbering(self._related("numbering")), relations)
        self._builder = TextBuilder(limits)

    def read(self, body: Any) -> Extracted:  # noqa: ANN401  lxml has no types
        """Read the text, then the notes."""
        builder, content = self._builder, False
        for kind in ("header", "footer"):
            for text in self._margins(kind):
                content = True
                builder.line(f"{kind.title()}: {text}")
        after_item = False
        for block in self._body.blocks(body):
            content = True
            fits = builder.line(block.text) if block.is_item and after_item else builder.add(block.text)
            after_item = block.is_item
            if not fits:
                break
        for note in self._notes():
            content = True
            builder.add(note)
        if not content:
            if self._body.pictures:
                raise FileUnreadable("The document has no text", code="file_no_text")
            raise FileUnreadable("The document has no content", code="file_empty")
        if self._body.pictures:
            builder.add(f"(Pictures in the document, which were not read: {self._body.pictures}.)")
        return Extracted(text=builder.text, truncated=builder.truncated)

    def _related(self, kind: str) -> Any | None:  # noqa: ANN401  lxml has no types
        """Return the part of a kind, if there is one."""
        names = (each.target for each in self._relations.values() if each.kind == kind and not each.external)
        return next(filter(lambda part: part is not None, map(self._package.part, names)), None)

    def _margins(self, kind: str) -> Iterator[str]:
        """Yield the texts of headers or footers, each once; numbers of pages are left out."""
        seen = set[str]()
        for relation in self._relations.values():
            root = self._package.part(relation.target) if relation.kind == kind and not relation.external else None
            if root is None:
                continue
            body = Body(self._styles, Numbering(None))
            text = one_line(" ".join(block.text for block in body.blocks(root)))
            if any(char.isalpha() for char in text) and text not in seen:
                seen.add(text)
                yield text

    def _notes(self) -> Iterator[str]:
        """Yield footnotes, endnotes and comments."""
        for kind, sign in (("footnotes", "[^"), ("endnotes", "[^e"), ("comments", "[comment ")):
            lines: list[str] = []
            root = self._related(kind)
            for note in () if root is None else root:
                if attribute(note, "type") in _SEPARATORS or local_name(note) not in {"footnote", "endnote", "comment"}:
                    continue
                text = " ".join(" ".join(block.text.split()) for block in self._body.blocks(note))
                author = one_line(attribute(note, "author") or "")
                if text:
                    lines.append(f"{sign}{attribute(note, 'id')}]: " + (f"{author}: " if author else "") + text)
            if lines:
                yield "\n".join(lines)
