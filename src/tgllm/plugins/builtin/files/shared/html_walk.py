"""Markdown of an HTML page, by a walk over its elements."""

import importlib
import re
from typing import Any

from tgllm.plugins.builtin.files.shared.building import TextBuilder
from tgllm.plugins.builtin.files.shared.tables import table_lines

__all__ = ["HtmlWriter"]

_SKIPPED = frozenset(
    ["script", "style", "noscript", "template", "iframe", "object", "canvas", "svg", "audio", "video", "head",
     "datalist", "select", "-comment", "!doctype", "map", "annotation", "annotation-xml"]
)  # fmt: skip
_BLOCKS = frozenset(
    ["address", "article", "aside", "body", "caption", "center", "details", "dd", "div", "dl", "dt", "fieldset",
     "figcaption", "figure", "footer", "form", "header",
     "html", "legend", "main", "nav", "p", "section", "summary", "title", "tr",
     "blockquote", "ul", "ol", "menu", "li", "hr", "pre", "table", "h1", "h2", "h3", "h4", "h5", "h6"]
)  # fmt: skip
_HIDDEN_STYLE = re.compile(
    r"(display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0(px|pt|r?em|%)?\s*(;|!|$)|(^|[;\s])opacity\s*:\s*0*\.?0*\s*(;|!|$))",
    re.IGNORECASE,
)
_SPACE = re.compile(r"[ \t\n\r\f]+")
_TICKS = re.compile(r"`+")
_LONGEST_LINK = 500
_MOST_COLUMNS = 200


class HtmlWriter:
    """Walk over a page, which adds its blocks to a builder."""

    def __init__(self, builder: TextBuilder) -> None:
        self._builder = builder
        self._line: list[str] = []
        self._links: list[tuple[int, str]] = []
        self._lists: list[int | None] = []
        """Open lists: the number of the next item, or None for bullets."""
        self._quotes = 0
        self._prefix = ""
        self._in_list = False
        self._tables: list[list[list[str]]] = []
        """Rows of the open table of data; at most one, since tables around others are layout."""
        self._pre: list[str] | None = None
        self._pre_language = ""

    def write(self, page: str) -> None:
        """Add a page."""
        parser = importlib.import_module("selectolax.lexbor").LexborHTMLParser(page)
        if parser.root is None:
            return
        title = parser.css_first("title")
        if title is not None and parser.css_first("h1") is None:
            self._line.append(title.text())
            self._flush("# ")
        self._walk(parser.body or parser.root)
        self._flush()

    def _walk(self, root: Any) -> None:  # noqa: ANN401  selectolax is imported when it is needed
        """Visit all nodes in order; a page may be nested deeper than Python's stack."""
        node = root
        while node is not None and not self._builder.full:
            if self._enter(node) and node.child is not None:
                node = node.child
                continue
            self._leave(node)
            while node is not None and node.next is None:
                node = node.parent
                if node is None or node.mem_id == root.mem_id:
                    return
                self._leave(node)
            node = node.next if node is not None and node.mem_id != root.mem_id else None

    def _enter(self, node: Any) -> bool:  # noqa: ANN401, C901, PLR0912  one case for each kind of element
        """Begin an element; return whether to visit what it contains."""
        tag: str = node.tag or ""
        if tag == "-text":
            self._text(node.text_content or "")
            return False
        if tag in _SKIPPED or _is_hidden(node):
            return False
        if tag in _BLOCKS and not self._tables:
            self._flush()
        match tag:
            case "br":
                self._text("\n") if self._pre is not None else self._line.append("\n")
            case "hr":
                self._builder.add("---")
            case "img":
                alt = node.attributes.get("alt") or ""
                self._line.append(f"![{' '.join(alt.split())}]" if alt.strip() else "")
            case "a":
                self._links.append((len(self._line), _target(node.attributes.get("href") or "")))
            case "ul" | "menu":
                self._lists.append(None)
            case "ol":
                start = node.attributes.get("start") or "1"
                self._lists.append(int(start) if start.isdecimal() and len(start) < 10 else 1)
            case "li":
                self._item()
            case "blockquote":
                self._quotes += 1
            case "dt" | "dd":
                self._prefix = "- " if tag == "dt" else "  "
            case "pre":
                self._pre = []
                self._pre_language = _language(node)
            case "code":
                if self._pre is not None:
                    self._pre_language = self._pre_language or _language(node)
                else:
                    self._line.append("\0")
            case "table":
                if (
                    not self._tables
                    and node.css_first("table table, table table *") is None
                    and node.css_first("tr tr") is None
                ):
                    self._flush()
                    self._tables.append([])
            case "tr":
                if self._tables:
                    self._tables[-1].append([])
                    self._line.clear()
            case "td" | "th":
                self._line.append("" if self._tables else " ")
                if self._tables and not self._tables[-1]:
                    self._tables[-1].append([])
            case _:
                pass
        return True

    def _leave(self, node: Any) -> None:  # noqa: ANN401, C901, PLR0912  selectolax is imported when it is needed, a case for each element
        """End an element."""
        tag: str = node.tag or ""
        if tag in _SKIPPED or tag == "-text" or _is_hidden(node):
            return
        if re.fullmatch("h[1-6]", tag) and not self._tables:
            self._flush("#" * int(tag[1]) + " ")
        match tag:
            case "a":
                self._link()
            case "code":
                if self._pre is None:
                    self._code()
            case "pre":
                self._fence()
            case "td" | "th":
                self._cell(node)
            case "table":
                if self._tables and node.parent is not None:
                    self._table()
            case "ul" | "ol" | "menu":
                self._flush()
                if self._lists:
                    self._lists.pop()
                self._in_list = bool(self._lists)
                self._prefix = self._prefix if self._lists else ""
            case "caption" if self._tables:
                self._builder.add(" ".join("".join(self._line).split()))
                self._line.clear()
            case "dl":
                self._flush()
                self._prefix = ""
            case "blockquote":
                self._flush()
                self._quotes = max(0, self._quotes - 1)
            case _:
                if tag in _BLOCKS:
                    self._line.append("\n") if self._tables else self._flush()

    def _text(self, text: str) -> None:
        if self._pre is not None:
            self._pre.append(text)
        else:
            self._line.append(_SPACE.sub(" ", text))

    def _flush(self, prefix: str = "") -> None:
        """Add the paragraph, heading or item that is complete."""
        if self._pre is not None:
            return
        lines = [" ".join(line.split(" ")).strip() for line in "".join(self._line).replace("\xa0", " ").split("\n")]
        self._line.clear()
        self._links.clear()
        text = "\n".join(_SPACE.sub(" ", line) for line in lines if line)
        if not text:
            return
        prefix = prefix or self._prefix
        is_item = bool(self._prefix)
        self._prefix = "  " * len(self._lists) if self._lists else ""
        indent = "> " * self._quotes
        block = indent + prefix + text.replace("\n", "\n" + indent + " " * len(prefix.replace("#", "")))
        if is_item and self._in_list:
            self._builder.line(block)
        else:
            self._builder.add(block)
        self._in_list = is_item

    def _item(self) -> None:
        number = self._lists[-1] if self._lists else None
        mark = "- "
        if self._lists and number is not None:
            mark = f"{number}. "
            self._lists[-1] = number + 1
        self._prefix = "  " * max(0, len(self._lists) - 1) + mark

    def _link(self) -> None:
        at, target = self._links.pop() if self._links else (0, "")
        text = "".join(self._line[at:]).strip()
        if target and text and "\n" not in text and target != text:
            before = " " if self._line[at:] and self._line[at].startswith(" ") else ""
            self._line[at:] = [f"{before}[{text}]({target})"]

    def _code(self) -> None:
        """Put ticks around the code since the mark that its beginning has left."""
        at = max((place for place, part in enumerate(self._line) if part == "\0"), default=None)
        if at is None:
            return
        code = "".join(self._line[at + 1 :])
        ticks = "`" * (max((len(found) for found in _TICKS.findall(code)), default=0) + 1)
        space = " " if "`" in code else ""
        self._line[at:] = [f"{ticks}{space}{code.strip()}{space}{ticks}"] if code.strip() else []

    def _fence(self) -> None:
        code = "".join(self._pre or []).strip("\n")
        self._pre = None
        if self._tables:
            self._line.append(code)
        elif code.strip():
            fence = "`" * max(3, max((len(found) for found in _TICKS.findall(code)), default=0) + 1)
            self._builder.add(f"{fence}{self._pre_language}\n{code}\n{fence}")

    def _cell(self, node: Any) -> None:  # noqa: ANN401  selectolax is imported when it is needed
        if not self._tables:
            return
        row = self._tables[-1][-1]
        row.append(" ".join("".join(self._line).split()))
        self._line.clear()
        self._links.clear()
        span = node.attributes.get("colspan") or "1"
        if span.isdecimal() and len(span) < 4 and len(row) < _MOST_COLUMNS:
            row.extend([""] * min(int(span) - 1, _MOST_COLUMNS))

    def _table(self) -> None:
        rows = [row for row in self._tables.pop() if any(row)]
        self._line.clear()
        columns = min(max((len(row) for row in rows), default=0), _MOST_COLUMNS)
        if columns == 1:
            for row in rows:
                self._builder.add(row[0])
            return
        for number, line in enumerate(table_lines(rows, columns)):
            if not (self._builder.line(line) if number else self._builder.add(line)):
                return


def _is_hidden(node: Any) -> bool:  # noqa: ANN401  selectolax is imported when it is needed
    attributes: dict[str, str | None] = node.attributes
    if not attributes:
        return False
    return (
        "hidden" in attributes
        or attributes.get("aria-hidden") == "true"
        or _HIDDEN_STYLE.search(attributes.get("style") or "") is not None
    )


def _target(href: str) -> str:
    """Return the target of a link, or "" for one inside the page, a script or data."""
    href = "".join(href.split())
    is_other = re.match(r"[a-z][a-z0-9+.-]*:", href, re.IGNORECASE) and not href.lower().startswith(
        ("http:", "https:", "mailto:", "tel:", "tg:", "ftp:")
    )
    return "" if is_other or href.startswith("#") or len(href) > _LONGEST_LINK else href.replace(")", "%29")


def _language(node: Any) -> str:  # noqa: ANN401  selectolax is imported when it is needed
    match = re.search(
        r"(?:language|lang|highlight-source|brush:?)[-\s]([\w+#-]{1,20})", node.attributes.get("class") or ""
    )
    return match[1] if match else ""
