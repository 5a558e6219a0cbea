"""Nodes of HTML blocks in a document that is being built."""

import re
from abc import ABC, abstractmethod
from dataclasses import replace

from tgllm.bot.rendering.document import Block, Rule
from tgllm.bot.rendering.entities import flat_text
from tgllm.bot.rendering.flow import BREAK, plain_text
from tgllm.bot.rendering.frame import Frame
from tgllm.bot.rendering.html.nodes import KINDS, OPTIONAL_END, WITHIN, preformatted
from tgllm.bot.rendering.html.pieces import HtmlPiece, closed_names, html_pieces
from tgllm.bot.rendering.html.tags import attributes_of

__all__ = ["OF_HTML", "HtmlFrames"]

MOST_OPEN_HTML = 40
"""Most nodes that are open while HTML opens another one."""
MOST_DIGITS = 10
_HAS_MARKUP = re.compile(r"[<&`$|\\\[*_~]")
PARTS_OF_TABLES = frozenset({"thead", "tbody", "tfoot", "caption"})
OF_HTML = frozenset({"Details", *KINDS.values()})
"""Kinds of nodes that tags begin and end."""


class HtmlFrames(ABC):
    """Opens and closes the nodes of HTML blocks. Their text may be Markdown, and their tags may be separated by it."""

    def __init__(self, source: str, root: Frame, *, is_growing: bool) -> None:
        self._source = source
        self._is_growing = is_growing
        self._open = [root]
        """Nodes whose end has not been read yet, outermost first."""
        self._closed_names: frozenset[str] | None = None
        self._parts: set[str] = set()
        """Tags of parts of a page that were opened."""

    @abstractmethod
    def _push(self, kind: str, data: object) -> None:
        """Begin a node."""

    @abstractmethod
    def _close(self) -> None:
        """End the innermost node."""

    @abstractmethod
    def _markdown_in_html(self, text: str) -> tuple[Block, ...]:
        """Return the blocks of the text between two tags."""

    def _is_indented_html(self) -> bool:
        """Return whether the code block is HTML that is indented by the nesting of its tags."""
        *_, parent, frame = self._open
        is_inside = parent.kind in OF_HTML and parent.kind != "Details"
        return is_inside and frame.data == "Indented" and plain_text(frame.children[:1]).lstrip().startswith("<")

    def _html_block(self, frame: Frame) -> None:
        """Add what HTML formats; unknown tags are text, and the enclosed text may be Markdown."""
        text = ""
        for piece in html_pieces(plain_text(frame.children)):
            if piece.kind == "text" or not self._is_block(piece):
                text += piece.source or piece.text
                continue
            self._html_text(text)
            text = ""
            self._html_tag(piece)
        self._html_text(text)

    def _is_block(self, piece: HtmlPiece) -> bool:
        """Return whether a tag is markup: a closing one has been opened, and an opening one is closed somewhere."""
        match piece.kind:
            case "open":
                return True
            case "pre":
                return piece.is_closing or self._is_growing
            case "closed":
                return self._depth_of("Details") is not None
            case _ if piece.is_closing:
                kind = KINDS.get(piece.name)
                return piece.name in PARTS_OF_TABLES or (
                    piece.name in self._parts if kind is None else self._depth_of(kind) is not None
                )
            case _:
                pass
        if (kind := WITHIN.get(piece.name)) is not None and self._depth_of(kind) is None:
            return False
        if len(self._open) > MOST_OPEN_HTML:
            return False
        return piece.name in OPTIONAL_END or self._is_growing or piece.name in self._closed

    @property
    def _closed(self) -> frozenset[str]:
        if self._closed_names is None:
            self._closed_names = closed_names(self._source)
        return self._closed_names

    def _depth_of(self, kind: str) -> int | None:
        """Return how many nodes of HTML are open within the innermost one of a kind; None if there is none."""
        for depth, frame in enumerate(reversed(self._open[-MOST_OPEN_HTML:])):
            if frame.kind == kind:
                return depth
            if frame.kind not in OF_HTML:
                return None
        return None

    def _close_html(self, kind: str) -> None:
        depth = self._depth_of(kind)
        for _ in range(-1 if depth is None else depth, -1, -1):
            self._close()

    def _html_tag(self, piece: HtmlPiece) -> None:
        kind = KINDS.get(piece.name, "")
        if piece.kind == "open":
            self._push("Details", replace(piece, text=self._summary(piece.text)))
        elif piece.kind == "closed":
            self._close_html("Details")
        elif piece.kind == "pre":
            self._open[-1].children.extend(preformatted(piece.text))
        elif piece.name == "hr":
            self._open[-1].children.append(Rule())
        elif not kind:
            self._parts.add(piece.name)
            self._open[-1].children.append(BREAK)
        elif piece.is_closing:
            self._close_html(kind)
        else:
            self._open_html(kind, piece)

    def _summary(self, text: str) -> str:
        """Return the text of a summary, which has no formats."""
        if _HAS_MARKUP.search(text):
            text = flat_text(self._markdown_in_html(text)).text
        return " ".join(text.split()) or "…"

    def _open_html(self, kind: str, piece: HtmlPiece) -> None:
        within = WITHIN.get(piece.name)
        if within is not None:
            # The end of the item, row or cell before may be left out.
            while self._open[-1].kind != within:
                self._close()
        data: object = None
        if piece.name == "ol":
            start = attributes_of(piece.text).get("start", "")
            data = int(start) if start.isdecimal() and len(start) < MOST_DIGITS else 1
        elif kind == "HtmlHeading":
            data = int(piece.name[1])
        self._push(kind, data)

    def _html_text(self, text: str) -> None:
        if not text:
            return
        if self._open[-1].kind in OF_HTML and self._open[-1].kind != "Details":
            # Indentation shows the nesting of tags, not code.
            text = "\n".join([line.lstrip() for line in text.split("\n")])
        if text.strip():
            self._open[-1].children.extend(self._markdown_in_html(text))
