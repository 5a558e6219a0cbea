"""The sources of the documentation site, made from the repository's Markdown."""

from pathlib import Path

import pytest

from site_pages import site_files, write_site

DIAGRAM = "flowchart LR\n    a --> b\n"


def draw(source: str) -> str:
    return f"<svg><!-- {source} --></svg>"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "a repository"
    files = {
        "README.md": '# R\n\n[docs](docs/README.md), <img src="docs/images/x.png">\n',
        "src/schema.sql": "SELECT 1;\n",
        "docs/images/x.png": "png",
        "docs/README.md": "# Docs\n\n- [How](howto/README.md)\n- [Project](../README.md)\n",
        "docs/howto/README.md": "# How\n\n- [Page](page.md)\n- [Plugin](../../plugins/tgllm_x/README.md)\n",
        "docs/howto/page.md": "# Page\n\n## Part\n",
        "plugins/tgllm_x/README.md": "# X\n",
    }
    for name, text in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    return root


def sources(root: Path) -> dict[str, str]:
    return {path.as_posix(): content.decode() for path, content in site_files(root, draw)}


def page(root: Path, text: str) -> str:
    """What a page of the how-to guides becomes."""
    (root / "docs" / "howto" / "page.md").write_text(text)
    return sources(root)["howto/page.md"]


def test_indexes_and_the_pages_beside_docs_have_their_places(root: Path) -> None:
    assert sources(root).keys() == {
        "index.md",
        "howto/index.md",
        "howto/page.md",
        "plugins/tgllm_x.md",
        "project/readme.md",
        "files/docs/images/x.png",
    }


def test_an_index_has_a_table_of_contents_of_its_pages(root: Path) -> None:
    made = sources(root)

    assert made["index.md"].endswith("```{toctree}\n:hidden:\n\nhowto/index\nREADME <project/readme>\n```\n")
    assert made["howto/index.md"].endswith("```{toctree}\n:hidden:\n\npage\n../plugins/tgllm_x\n```\n")
    assert "toctree" not in made["howto/page.md"]


@pytest.mark.parametrize(
    ("link", "becomes"),
    [
        ("[a](README.md)", "[a](index.md)"),
        ("[a](README.md#part)", "[a](index.md#part)"),
        ("[`a`](README.md) and `b`", "[`a`](index.md) and `b`"),
        ("[a](#part)", "[a](#part)"),
        ("[a](..)", "[a](../index.md)"),
        ("[a](../../README.md)", "[a](../project/readme.md)"),
        ("[a](../../plugins/tgllm_x/README.md#x)", "[a](../plugins/tgllm_x.md#x)"),
        ("[a](../../src/schema.sql)", "[a](../files/src/schema.sql)"),
        ("[a](https://example.org/README.md)", "[a](https://example.org/README.md)"),
        ("[a][r]\n\n[r]: README.md", "[a][r]\n\n[r]: index.md"),
        ('<img src="../images/x.png">', '<img src="../files/docs/images/x.png">'),
        ("`[a](README.md)`", "`[a](README.md)`"),
        ("``[a](README.md) ` ``", "``[a](README.md) ` ``"),
        ("```text\n[a](README.md)\n```", "```text\n[a](README.md)\n```"),
        ("````text\n```\n[a](README.md)\n```\n````", "````text\n```\n[a](README.md)\n```\n````"),
        ("~~~\n[a](README.md)\n~~~\n\n[a](README.md)", "~~~\n[a](README.md)\n~~~\n\n[a](index.md)"),
    ],
)
def test_links_follow_the_places(root: Path, link: str, becomes: str) -> None:
    assert page(root, f"# P\n\n{link}\n") == f"# P\n\n{becomes}\n"


def test_a_linked_file_is_on_the_site(root: Path) -> None:
    (root / ".env.example").write_text("A=1\n")
    text = page(root, "[a](../../.env.example), [b](../../src/schema.sql)")

    assert text == "[a](../files/env.example), [b](../files/src/schema.sql)"
    assert sources(root)["files/env.example"] == "A=1\n"


def test_a_link_to_a_folder_without_a_page_is_an_error(root: Path) -> None:
    with pytest.raises(ValueError, match=r"docs/howto/page\.md: link a file of src"):
        page(root, "[a](../../src)")


def test_a_diagram_becomes_a_picture(root: Path) -> None:
    text = page(root, f"# P\n\n## Path\n\n```mermaid\n{DIAGRAM}```\n\nAfter.\n")

    (picture,) = [name for name in sources(root) if name.startswith("diagrams/")]
    assert text == f'# P\n\n## Path\n\n![Diagram: Path](../{picture}){{.diagram width="100%"}}\n\nAfter.\n'
    assert sources(root)[picture] == draw(DIAGRAM)


def test_writing_again_changes_nothing_and_removes_what_is_gone(root: Path, tmp_path: Path) -> None:
    target = tmp_path / "sources"
    (target / "old").mkdir(parents=True)
    (target / "old" / "page.md").write_text("gone")
    write_site(root, target, draw)
    before = {path: path.stat().st_mtime_ns for path in target.rglob("*") if path.is_file()}

    write_site(root, target, draw)

    assert {path: path.stat().st_mtime_ns for path in target.rglob("*") if path.is_file()} == before
    assert not (target / "old").exists()
    assert len(before) == len(sources(root))
