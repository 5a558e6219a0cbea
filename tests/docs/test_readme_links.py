"""Links in the documentation lead somewhere, and the checker sees it when they don't."""

from pathlib import Path

import pytest

from check_links import broken_links, markdown_files

ROOT = Path(__file__).resolve().parents[2]


def test_every_link_of_the_repository_leads_somewhere() -> None:
    assert ROOT / "README.md" in markdown_files(ROOT)
    assert broken_links(ROOT) == []


@pytest.mark.parametrize(
    ("link", "reason"),
    [
        ("missing.md", "no such file"),
        ("guide.md#nowhere", "no such heading"),
        ("#nowhere", "no such heading"),
        ("../outside.md", "leads out of the repository"),
        ("/guide.md", "write it relative to the file"),
        ("guide.md#usage-2", "no such heading"),
    ],
)
@pytest.mark.parametrize("form", ["[text]({})", "![image]({})", "[text][ref]\n\n[ref]: {}", '<a href="{}">text</a>'])
def test_a_broken_link_is_told(tmp_path: Path, form: str, link: str, reason: str) -> None:
    make_guide(tmp_path)
    (tmp_path / "index.md").write_text(f"# Index\n\n{form.format(link)}\n")

    assert broken_links(tmp_path) == [f"index.md: {link}: {reason}"]


@pytest.mark.parametrize(
    "link",
    [
        "guide.md",
        "guide.md#usage",
        "guide.md#usage-1",
        "guide.md#the-flag---once-and-more",
        "guide.md#anchored",
        "#index",
        "docs/",
        "docs/a%20file.txt",
        "https://example.org/missing.md#nowhere",
        "mailto:someone@example.org",
    ],
)
def test_a_good_link_is_left_alone(tmp_path: Path, link: str) -> None:
    make_guide(tmp_path)
    (tmp_path / "index.md").write_text(f"# Index\n\n[text]({link})\n")

    assert broken_links(tmp_path) == []


def test_code_holds_no_links(tmp_path: Path) -> None:
    (tmp_path / "index.md").write_text("`[a](missing.md)`\n\n```\n[b](missing.md)\n```\n")

    assert broken_links(tmp_path) == []


@pytest.mark.parametrize("folder", [".venv", "node_modules", "build"])
def test_files_that_are_not_the_projects_are_left_alone(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir()
    (tmp_path / folder / "index.md").write_text("[a](missing.md)\n")

    assert broken_links(tmp_path) == []


def make_guide(root: Path) -> None:
    (root / "guide.md").write_text(
        '# Guide\n\n## Usage\n\n## Usage\n\n## The flag `--once`, and more\n\n<a id="anchored"></a>\n'
    )
    (root / "docs").mkdir()
    (root / "docs" / "a file.txt").touch()
