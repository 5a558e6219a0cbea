"""The first page tells the truth."""

import re
from pathlib import Path

from tgllm.testing.demo import open_demo

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


async def test_the_transcript_is_that_of_the_demo() -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    async with open_demo() as demo:
        said = [line async for line in demo.script()]
    # How far a draft has come when it is shown depends on the machine; what is said in the end does not.
    expected = [f"{line.speaker}: {line.text}" for line in said if line.kind == "said"]
    assert [line for line in shown.splitlines() if not line.endswith(" ...")] == expected
    assert len([line for line in said if line.kind == "draft"]) > 1


def test_the_table_of_tables_is_that_of_the_reference() -> None:
    def tables(text: str) -> str:
        (found,) = re.findall(r"<!-- tables.*?-->\n(.*?)<!-- end of tables -->", text, re.DOTALL)
        return found

    assert tables(README) == tables((ROOT / "docs/reference/database.md").read_text(encoding="utf-8"))


def test_the_commands_of_the_first_screen_are_targets_of_make() -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    named = re.findall(r"^    make ([a-z-]+)", README, re.MULTILINE)
    assert named == ["demo", "test"]
    assert set(named) <= set(targets)
