"""Check of the built documentation site: it works from a folder without a network."""

import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

LOADED = {"img": "src", "script": "src", "source": "src", "iframe": "src", "link": "href", "video": "src"}
"""Attributes whose address a browser loads when it shows a page."""
STYLE_ADDRESS = re.compile(r"""(?:url\(|@import\s+)\s*["']?(?!data:)([a-z]+:[^"')\s;]+|//[^"')\s;]+)""")
ENTRIES = ("index.html", "search.html", "searchindex.js")
"""Files without which the site is not complete."""


class Page(HTMLParser):
    """Links, loaded addresses and anchors of an HTML page."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.loaded: list[str] = []
        self.anchors: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect what the tag names."""
        values = {name: value or "" for name, value in attrs}
        self.anchors.add(values.get("id", ""))
        if tag == "a" and "href" in values:
            self.links.append(values["href"])
        if values.get(LOADED.get(tag, "")):
            self.loaded.append(values[LOADED[tag]])


def faults(site: Path) -> list[str]:
    """Return what is wrong with a site, as ``file: address: reason``."""
    missing = [f"{name}: missing" for name in ENTRIES if not (site / name).exists()]
    pages = [found for path in sorted(site.rglob("*.html")) for found in page_faults(site, path)]
    styles = [
        f"{path.relative_to(site)}: {address}: loaded from another server"
        for path in sorted(site.rglob("*.css"))
        for address in STYLE_ADDRESS.findall(path.read_text(encoding="utf-8"))
    ]
    return missing + pages + styles


def page_faults(site: Path, path: Path) -> Iterator[str]:
    """Yield what is wrong with a page."""
    page = read(path)
    name = path.relative_to(site)
    for address in page.loaded:
        if is_remote(address):
            yield f"{name}: {address}: loaded from another server"
    for address in (*page.links, *page.loaded):
        if reason := fault(path, address, site):
            yield f"{name}: {address}: {reason}"


def fault(path: Path, address: str, site: Path) -> str:
    """Return why an address of a page leads nowhere; empty for a valid one or one of another server."""
    parts = urlsplit(address)
    if parts.scheme or parts.netloc:
        return ""
    target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
    if not target.is_relative_to(site.resolve()) or not target.exists():
        return "no such file"
    if target.is_dir():
        return "a folder, which shows nothing without a server"
    if parts.fragment and target.suffix == ".html" and unquote(parts.fragment) not in read(target).anchors:
        return "no such anchor"
    return ""


def is_remote(address: str) -> bool:
    """Return whether an address belongs to a server."""
    parts = urlsplit(address)
    return bool(parts.netloc) or parts.scheme not in {"", "data"}


@cache
def read(path: Path) -> Page:
    """Read a page."""
    page = Page()
    page.feed(path.read_text(encoding="utf-8"))
    return page
