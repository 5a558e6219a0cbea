"""Check of the relative links and anchors in the repository's Markdown files.

Web addresses are not checked: whether they respond depends on the network.
"""

import re
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

SKIPPED_FOLDERS = {"build", "dist", "htmlcov", "node_modules"}
HTML_LINK = re.compile(r"""<(?:a|img|source)\b[^>]*?\s(?:href|src)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
HTML_ANCHOR = re.compile(r"""<[a-z][^>]*?\s(?:id|name)\s*=\s*["']([^"']+)["']""", re.IGNORECASE)
MARKDOWN = MarkdownIt("gfm-like", {"linkify": False})


def broken_links(root: Path) -> list[str]:
    """Return all broken links, as ``file: link: reason``, by file name."""
    root = root.resolve()
    return [
        f"{path.relative_to(root)}: {link}: {reason}"
        for path in markdown_files(root)
        for link in links(path)
        if (reason := fault(link, path, root))
    ]


def markdown_files(root: Path) -> list[Path]:
    """Return the Markdown files under a folder, except in generated and hidden folders; .github is included."""
    return sorted(path for path in root.rglob("*.md") if not any(map(skipped, path.relative_to(root).parts[:-1])))


def skipped(folder: str) -> bool:
    """Return whether a folder is generated or hidden."""
    return folder in SKIPPED_FOLDERS or (folder.startswith(".") and folder != ".github")


def links(path: Path) -> list[str]:
    """Return the targets of all links and images in a Markdown file, except in code."""
    found: list[str] = []
    for token in tokens(path):
        if token.type in {"html_block", "html_inline"}:
            found += HTML_LINK.findall(token.content)
        elif target := token.attrs.get("href") or token.attrs.get("src"):
            found.append(str(target))
    return found


@cache
def anchors(path: Path) -> frozenset[str]:
    """Return the anchors of a Markdown file: GitHub's anchors of the headings, and HTML ids."""
    found: set[str] = set()
    inside_heading = False
    for token in tokens(path):
        if token.type == "heading_open":
            inside_heading = True
        elif token.type == "inline" and inside_heading:
            found.add(unused(slug(plain_text(token)), found))
            inside_heading = False
        elif token.type in {"html_block", "html_inline"}:
            found.update(HTML_ANCHOR.findall(token.content))
    return frozenset(found)


def tokens(path: Path) -> Iterator[Token]:
    """Yield all tokens of a Markdown file, each inline token before its children."""
    for token in MARKDOWN.parse(path.read_text(encoding="utf-8")):
        yield token
        yield from token.children or ()


def plain_text(token: Token) -> str:
    """Return a heading's text without markup."""
    return "".join(child.content for child in token.children or () if child.type in {"text", "code_inline"})


def slug(heading: str) -> str:
    """Return GitHub's anchor for a heading: lower case, hyphens for spaces, no other punctuation."""
    return re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")


def unused(name: str, taken: set[str]) -> str:
    """Add GitHub's number to a repeated anchor: ``usage``, ``usage-1``, ``usage-2``."""
    number, free = 0, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free


def fault(link: str, source: Path, root: Path) -> str:
    """Return why a link is broken; empty for a valid link or a web address."""
    parts = urlsplit(link)
    if parts.scheme or parts.netloc:
        return ""
    if parts.path.startswith("/"):
        return "write it relative to the file"
    target = (source.parent / unquote(parts.path)).resolve() if parts.path else source
    if not target.is_relative_to(root):
        return "leads out of the repository"
    if not target.exists():
        return "no such file"
    if parts.fragment and target.suffix == ".md" and unquote(parts.fragment) not in anchors(target):
        return "no such heading"
    return ""


def main() -> int:
    """Check the repository that contains this file; return 1 if a link is broken."""
    root = Path(__file__).resolve().parent.parent
    broken = broken_links(root)
    print(*broken, sep="\n", end="\n" if broken else "")
    print(f"links: {len(markdown_files(root))} files, {len(broken)} broken")
    return int(bool(broken))


if __name__ == "__main__":
    sys.exit(main())
