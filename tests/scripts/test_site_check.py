"""The check of the built site sees what would not work without a network."""

from pathlib import Path

import pytest

from site_check import faults


@pytest.fixture
def site(tmp_path: Path) -> Path:
    site = tmp_path / "a site"
    (site / "part").mkdir(parents=True)
    (site / "searchindex.js").write_text("")
    for name in ("index.html", "search.html", "part/page.html"):
        (site / name).write_text('<h1 id="top">T</h1>')
    (site / "site.css").write_text("a { background: url(x.png) }")
    return site


@pytest.mark.parametrize(
    "html",
    [
        '<a href="part/page.html">a</a>',
        '<a href="part/page.html#top">a</a>',
        '<a href="#top">a</a><h1 id="top">T</h1>',
        '<a href="https://example.org/missing">a</a>',
        '<img src="data:image/png;base64,AAAA">',
        '<link rel="stylesheet" href="site.css?v=1">',
    ],
)
def test_what_works_is_left_alone(site: Path, html: str) -> None:
    (site / "index.html").write_text(html)

    assert faults(site) == []


@pytest.mark.parametrize(
    ("html", "fault"),
    [
        ('<a href="gone.html">a</a>', "index.html: gone.html: no such file"),
        ('<a href="part/page.html#gone">a</a>', "index.html: part/page.html#gone: no such anchor"),
        ('<a href="part/">a</a>', "index.html: part/: a folder, which shows nothing without a server"),
        ('<a href="../x">a</a>', "index.html: ../x: no such file"),
        ('<img src="gone.png">', "index.html: gone.png: no such file"),
        (
            '<script src="https://cdn.example.org/x.js"></script>',
            "index.html: https://cdn.example.org/x.js: loaded from another server",
        ),
        (
            '<link rel="stylesheet" href="//cdn.example.org/x.css">',
            "index.html: //cdn.example.org/x.css: loaded from another server",
        ),
    ],
)
def test_what_does_not_work_is_named(site: Path, html: str, fault: str) -> None:
    (site / "index.html").write_text(html)

    assert faults(site) == [fault]


@pytest.mark.parametrize("style", ['@import "https://x.example/a.css";', "a { background: url('//x.example/a.png') }"])
def test_a_style_loads_nothing_either(site: Path, style: str) -> None:
    (site / "site.css").write_text(style)

    (fault,) = faults(site)
    assert fault.startswith("site.css: ")
    assert fault.endswith(": loaded from another server")


def test_the_search_is_part_of_it(site: Path) -> None:
    (site / "searchindex.js").unlink()

    assert faults(site) == ["searchindex.js: missing"]
