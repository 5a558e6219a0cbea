"""Pages of the documentation site, made from the repository's Markdown files.

The files read well as they are; the site needs a little more. Each folder's README.md becomes its ``index.md``, with a
hidden table of contents of the pages that it lists. Links between pages follow the new places; a linked file that is no
page, such as a schema, is copied. Mermaid diagrams become pictures.
"""

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator, Mapping
from os.path import relpath
from pathlib import Path
from urllib.parse import quote, unquote, urlsplit

from check_links import MARKDOWN, markdown_files
from site_diagrams import columns

Draw = Callable[[str], str]
"""Draws a Mermaid diagram as SVG."""

INDEXES = ("docs/reference/plugins.md",)
"""Indexes beside the README.md of each folder of docs/."""
PACKAGES = ("plugins", "examples")
"""Folders of packages, each with a README.md."""
PROJECT = ("README.md", "CONTEXT.md", "CONTRIBUTING.md", "SECURITY.md", "CODE_OF_CONDUCT.md", "CHANGELOG.md")
"""Pages at the root of the repository."""
FENCE = re.compile(r"^(?P<indent> *)(?P<fence>`{3,}|~{3,})(?P<language>[\w-]*)")
CODE = re.compile(r"(`+)(?!`).*?(?<!`)\1(?!`)", re.DOTALL)
TARGET = re.compile(r"""(\]\(|\]:[ ]|(?:href|src)=")([^)\s"]+)""")


def site_pages(root: Path) -> dict[Path, Path]:
    """Return the place on the site of each page, both relative: to the repository and to the site."""
    docs = [path.relative_to(root) for path in markdown_files(root / "docs")]
    packages = sorted(path.relative_to(root) for folder in PACKAGES for path in root.glob(f"{folder}/*/README.md"))
    project = [Path(name) for name in PROJECT if (root / name).exists()]
    return {path: place(path) for path in (*docs, *packages, *project)}


def place(page: Path) -> Path:
    """Return the place of a page on the site."""
    if page.parts[0] == "docs":
        inside = page.relative_to("docs")
        return inside.with_name("index.md") if inside.name == "README.md" else inside
    if page.parts[0] in PACKAGES:
        return Path(page.parts[0], f"{page.parent.name}.md")
    return Path("project", page.name.lower())


def listed(root: Path, page: Path) -> list[Path]:
    """Return the pages that an index lists: the first link of each item and table row, if it has no anchor."""
    found: list[Path] = []
    for link in first_links((root / page).read_text(encoding="utf-8")):
        parts = urlsplit(link)
        target = Path(relpath(root / page.parent / unquote(parts.path), root))
        if not (parts.scheme or parts.fragment) and target.suffix == ".md":
            found.append(target)
    return found


def first_links(text: str) -> Iterator[str]:
    """Yield the first link of each list item and each table row."""
    fresh = False
    for token in MARKDOWN.parse(text):
        if token.type in {"list_item_open", "tr_open"}:
            fresh = True
        for child in token.children or ():
            if fresh and child.type == "link_open":
                fresh = False
                yield str(child.attrs["href"])


def indexes(root: Path) -> list[Path]:
    """Return the pages that list others."""
    return [page for page in site_pages(root) if is_index(page)]


def is_index(page: Path) -> bool:
    """Return whether a page lists others."""
    return page.as_posix() in INDEXES or (page.parts[0] == "docs" and page.name == "README.md")


def write_site(root: Path, target: Path, draw: Draw) -> None:
    """Write the sources of the site; files that have not changed stay as they are, others are removed."""
    written = dict(site_files(root, draw))
    for place, content in written.items():
        path = target / place
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)
    for path in sorted(target.rglob("*"), reverse=True):
        if path.is_file() and path.relative_to(target) not in written:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            shutil.rmtree(path)


def site_files(root: Path, draw: Draw) -> Iterator[tuple[Path, bytes]]:
    """Yield each file of the site's sources: its place and content."""
    pages = site_pages(root)
    linked: dict[Path, Path] = {}
    for page, there in pages.items():
        text = Rewriting(root, page, pages, linked).text((root / page).read_text(encoding="utf-8"))
        text, pictures = with_pictures(text, there, draw)
        if is_index(page):
            text += contents([pages[child] for child in listed(root, page) if child in pages], there)
        yield there, text.encode()
        yield from ((path, svg.encode()) for path, svg in pictures.items())
    for source, there in linked.items():
        yield there, (root / source).read_bytes()


def contents(children: list[Path], place: Path) -> str:
    """Return a hidden table of contents."""
    lines = [entry(Path(relpath(child, place.parent)).with_suffix("").as_posix()) for child in children]
    return "\n" + "\n".join(["```{toctree}", ":hidden:", "", *lines, "```", ""])


def entry(page: str) -> str:
    """Return a line of a table of contents; the title of the README is the project's name."""
    return f"README <{page}>" if page == "project/readme" else page


class Rewriting:
    """Links of a page, changed to the places on the site."""

    def __init__(self, root: Path, page: Path, pages: Mapping[Path, Path], linked: dict[Path, Path]) -> None:
        """Take the page and the places of all pages; files that it links to are added to ``linked``."""
        self._root = root
        self._page = page
        self._pages = pages
        self._linked = linked

    def text(self, text: str) -> str:
        """Return the text of the page with its links changed, except in code."""
        return "".join(part if is_code else self._outside_fences(part) for is_code, part in parts(text))

    def _outside_fences(self, text: str) -> str:
        changed, position = "", 0
        for code in CODE.finditer(text):
            changed += TARGET.sub(self._link, text[position : code.start()]) + code[0]
            position = code.end()
        return changed + TARGET.sub(self._link, text[position:])

    def _link(self, match: re.Match[str]) -> str:
        parts = urlsplit(match[2])
        if parts.scheme or not parts.path:
            return match[0]
        source = Path(relpath(self._root / self._page.parent / unquote(parts.path), self._root))
        if (self._root / source).is_dir():
            source = self._of_folder(source)
        target = self._pages.get(source)
        if target is None:
            # A page of another repository folder would be read as a page of the site without a place in its contents.
            name = f"{source.as_posix()}.txt" if source.suffix == ".md" else source.as_posix()
            target = self._linked.setdefault(source, Path("files", name.replace("/.", "/").removeprefix(".")))
        here = relpath(target, self._pages[self._page].parent)
        return match[1] + quote(here) + (f"#{parts.fragment}" if parts.fragment else "")

    def _of_folder(self, folder: Path) -> Path:
        readme = folder / "README.md"
        if not (self._root / readme).exists():
            raise ValueError(f"{self._page}: link a file of {folder}, which has no README.md")
        return readme


def parts(text: str) -> Iterator[tuple[bool, str]]:
    """Yield the fenced blocks of a text and what is between them, in order; the flag marks a block."""
    lines: list[str] = []
    fence = ""
    for line in text.splitlines(keepends=True):
        found = FENCE.match(line)
        if not fence and found:
            yield False, "".join(lines)
            lines, fence = [line], found["fence"]
        elif fence and line.strip() == fence:
            yield True, "".join([*lines, line])
            lines, fence = [], ""
        else:
            lines.append(line)
    yield bool(fence), "".join(lines)


def with_pictures(text: str, place: Path, draw: Draw) -> tuple[str, dict[Path, str]]:
    """Replace Mermaid diagrams by pictures; return the text, and the pictures by their places."""
    pictures: dict[Path, str] = {}
    changed: list[str] = []
    heading = ""
    for is_code, part in parts(text):
        found = FENCE.match(part) if is_code else None
        if found is None or found["language"] != "mermaid":
            heading = [heading, *re.findall(r"^#+ (.*)$", part, re.MULTILINE)][-1] if not is_code else heading
            changed.append(part)
            continue
        source, tables = columns("".join(part.splitlines(keepends=True)[1:-1]))
        svg = draw(source)
        picture = Path("diagrams", f"{hashlib.sha256(svg.encode()).hexdigest()[:12]}.svg")
        pictures[picture] = svg
        changed.append(f'![Diagram: {heading}]({relpath(picture, place.parent)}){{.diagram width="100%"}}\n{tables}')
    return "".join(changed), pictures
