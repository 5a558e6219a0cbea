"""The code blocks of the READMEs, tutorials and how-to guides do what their pages say."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from doc_pages.chat import hold_conversation
from doc_pages.data import CHECKS, SYNTAX
from doc_pages.marks import ROOT, Block, fault, pages, read_blocks
from doc_pages.shell import PageShell, commands, is_like, page_shell

PAGES = [str(page.relative_to(ROOT)) for page in pages()]
SHELLS = {"console", "sh", "bash"}


async def run_blocks(blocks: list[Block], folder: Path) -> None:
    """Run the blocks of a page in order."""
    shell: PageShell | None = None
    home = folder / "home"
    home.mkdir()
    async with AsyncExitStack() as stack:
        for number, block in enumerate(blocks):
            if block.mark == "file":
                SYNTAX.get(block.language, lambda _text, _folder: None)(block.text, folder)
                (home / block.detail).parent.mkdir(parents=True, exist_ok=True)
                (home / block.detail).write_text(block.text, encoding="utf-8")
            elif block.language in SHELLS:
                shell = shell or await stack.enter_async_context(page_shell(home))
                await run_commands(block, shell)
            else:
                own = folder / str(number)
                own.mkdir()
                if block.detail == "chat":
                    await hold_conversation(own, block.text)
                else:
                    await asyncio.to_thread(CHECKS[block.language], block.text, own)


async def run_commands(block: Block, shell: PageShell) -> None:
    """Run the commands of a block, and compare what they print."""
    wanted = commands(block.text) if block.language == "console" else [(f"(set -eu\n{block.text}\n)", "")]
    assert wanted, f"{block.place}: a console block has lines that begin with $"
    last = int(block.detail.removeprefix("exit ") or 0)
    codes = [0] * (len(wanted) - 1) + [last]
    for (command, shown), code in zip(wanted, codes, strict=True):
        got, printed = await shell.run(command)
        assert got == code, f"{block.place}: {command}: exit {got}\n{printed}"
        assert not shown or is_like(printed, shown), f"{block.place}: {command} prints\n{printed}"


def to_run(blocks: list[Block]) -> list[Block]:
    return [block for block in blocks if block.mark in {"run", "file"}]


def test_there_are_pages() -> None:
    assert {"README.md", "docs/tutorial/first-plugin.md", "docs/howto/administer.md"} <= set(PAGES)


@pytest.mark.parametrize("page", PAGES)
def test_every_block_says_how_it_is_tested(page: str) -> None:
    assert {block.place: why for block in read_blocks(ROOT / page) if (why := fault(block))} == {}


@pytest.mark.parametrize("page", [page for page in PAGES if to_run(read_blocks(ROOT / page))])
async def test_the_blocks_of_a_page_work(page: str, tmp_path: Path) -> None:
    await run_blocks(to_run(read_blocks(ROOT / page)), tmp_path)
