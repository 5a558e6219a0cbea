"""Code blocks of Markdown pages, and the marks that say how each one is tested.

A mark is an HTML comment on the line above the block, which no reader of the page sees:

    <!-- run -->                  run or checked, depending on the language of the block
    <!-- run: exit 1 -->          as above; the last command exits with this code
    <!-- run: chat -->            a conversation with the bot
    <!-- file: NAME -->           a file of the page's folder, for later blocks
    <!-- tested by: PATH -->      another test runs it: a file that names the page, or PATH::test_name
    <!-- not run: the reason -->
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

from check_links import MARKDOWN

Kind = Literal["run", "file", "tested by", "not run"]

ROOT = Path(__file__).resolve().parents[3]
MARK = re.compile(r"^\s*<!--\s*(run|file|tested by|not run)\b\s*(?::\s*(.*?))?\s*-->\s*$", re.DOTALL)
RUNNABLE = frozenset({"console", "sh", "bash", "toml", "dotenv", "yaml", "json", "xml", "ini", "python"})


@dataclass(frozen=True)
class Block:
    """A code block of a page."""

    page: Path
    line: int
    language: str
    text: str
    mark: Kind | None
    detail: str = ""
    """What stands after the colon of the mark."""

    @property
    def place(self) -> str:
        return f"{self.page.relative_to(ROOT) if self.page.is_relative_to(ROOT) else self.page.name}:{self.line}"


def pages(root: Path = ROOT) -> list[Path]:
    """The pages whose blocks people copy: the READMEs of the packages, the tutorials and the how-to guides."""
    found = [root / "README.md", *root.glob("plugins/*/README.md"), *root.glob("examples/*/README.md")]
    return sorted([*found, *root.glob("docs/tutorial/*.md"), *root.glob("docs/howto/*.md")])


def read_blocks(page: Path) -> list[Block]:
    """All code blocks of a page, fenced or indented."""
    tokens = MARKDOWN.parse(page.read_text(encoding="utf-8"))
    found: list[Block] = []
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type in {"fence", "code_block"} and token.info.strip() != "mermaid":
            assert token.map is not None
            above = before is not None and before.type == "html_block" and before.map and before.map[1] == token.map[0]
            mark = MARK.match(before.content) if above and before is not None else None
            kind = cast("Kind", mark[1]) if mark else None
            language = token.info.strip() if token.type == "fence" else "indented"
            found.append(Block(page, token.map[0] + 1, language, token.content, kind, (mark and mark[2]) or ""))
    return found


def fault(block: Block, root: Path = ROOT) -> str:
    """What is wrong with the mark of a block; empty if nothing is."""
    if block.language in {"", "indented"}:
        return "fence it and name its language"
    match block.mark:
        case None:
            return (
                "it has no mark: <!-- run -->, <!-- file: NAME -->, <!-- tested by: PATH --> or <!-- not run: why -->"
            )
        case "run":
            return _fault_of_run(block)
        case "file":
            return "" if re.fullmatch(r"[\w./-]+", block.detail) else "name the file"
        case "tested by":
            return _fault_of_test(block, root)
        case "not run":
            return "" if len(block.detail.split()) >= 3 else "say why it is not run"


def _fault_of_run(block: Block) -> str:
    if block.detail == "chat":
        return "" if block.language == "text" else "a conversation is text"
    if block.language not in RUNNABLE:
        return f"{block.language} can't be run: name the test that does, or say why none does"
    exits = re.fullmatch(r"exit \d+", block.detail) and block.language in {"console", "sh", "bash"}
    return "" if not block.detail or exits else f"unknown: {block.detail}"


def _fault_of_test(block: Block, root: Path) -> str:
    path, _, name = block.detail.partition("::")
    if not (root / path).is_file():
        return f"there is no {path}"
    text = (root / path).read_text(encoding="utf-8")
    wanted = f"def {name}(" if name else block.page.name
    return "" if wanted in text else f"{path} doesn't name {name or block.page.name}"
