"""Build of the documentation site in build/docs: ``make docs``."""

import shutil
import subprocess
import sys
from importlib import import_module
from pathlib import Path

from check_links import broken_links
from site_check import faults
from site_pages import write_site

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ROOT / "build" / "docs-sources"
SITE = ROOT / "build" / "docs"
# Warnings are errors (-W), unknown references are warnings (-n).
SPHINX = ("-m", "sphinx", "-W", "-n", "--keep-going", "--quiet", "--builder", "html")
CACHE = ("--doctree-dir", str(ROOT / "build" / "docs-cache"), "--conf-dir", str(ROOT / "docs"))


def draw(source: str) -> str:
    """Draw a Mermaid diagram as SVG."""
    mermaid = import_module("mmdr")  # of the extra `docs`: type checkers run without it
    return str(mermaid.render(source).svg())


def main() -> int:
    """Build the site and check it; return 1 if something is wrong with it."""
    if broken := broken_links(ROOT):
        print(*broken, sep="\n")
        return 1
    write_site(ROOT, SOURCES, draw)
    shutil.rmtree(SITE, ignore_errors=True)  # Sphinx leaves the pages of removed files there
    built = subprocess.run([sys.executable, *SPHINX, *CACHE, str(SOURCES), str(SITE)], check=False)
    if built.returncode:
        return 1
    found = faults(SITE)
    print(*found, sep="\n", end="\n" if found else "")
    pages = len(list(SITE.rglob("*.html")))
    print(f"docs: {pages} pages in {SITE.relative_to(ROOT)}, {len(found)} faults; open {SITE.name}/index.html")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main())
