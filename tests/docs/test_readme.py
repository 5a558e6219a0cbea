"""The first page tells the truth."""

import re
from fnmatch import fnmatch
from pathlib import Path

from tgllm.config.sections.access import AccessSection
from tgllm.i18n import Catalogue
from tgllm.testing.demo import QUESTIONS, open_demo
from tgllm.testing.tiny_model import NAME

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
MAKEFILE = (ROOT / "Makefile").read_text(encoding="utf-8")


async def test_the_transcript_is_that_of_the_demo() -> None:
    (shown,) = re.findall(r"```text\n(.*?)```", README, re.DOTALL)
    async with open_demo() as demo:
        said = [line async for line in demo.script()]
    # How far a draft has come when it is shown depends on the machine; what is said in the end does not.
    expected = [f"{line.speaker}: {line.text}" for line in said if line.kind == "said"]
    # The page shows the question to the tiny model; tests/real_model shows that this is its answer.
    at = expected.index(f"Ann: {QUESTIONS['']}")
    expected[at : at + 2] = [f"Ann: {QUESTIONS[NAME]}", "Bot: The capital of France is Paris."]
    assert [line for line in shown.splitlines() if not line.endswith(" ...")] == expected
    assert len([line for line in said if line.kind == "draft"]) > 1


def test_the_short_table_of_tables_has_each_table_of_the_reference_once() -> None:
    def rows(text: str) -> list[str]:
        (found,) = re.findall(r"<!-- tables.*?-->\n(.*?)<!-- end of tables -->", text, re.DOTALL)
        return found.splitlines()[2:]

    short, long = rows(README), rows((ROOT / "docs/reference/database.md").read_text(encoding="utf-8"))

    assert len(short) <= 8
    named = [name for row in short for name in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(re.findall(r"^\| `(\w+)` \|", "\n".join(long), re.MULTILINE))


def test_the_supported_systems_and_the_time_of_the_tests_are_named() -> None:
    for system in ("Linux", "macOS", "Windows", "WSL", "Docker"):
        assert system in README
    assert re.search(r"^make test .*# .*\d+ minutes", README, re.MULTILINE)


def test_the_commands_of_the_first_screen_are_targets_of_make() -> None:
    targets = re.findall(r"^([a-z-]+):", MAKEFILE, re.MULTILINE)
    named = re.findall(r"^make ([a-z-]+)", README, re.MULTILINE)
    assert named == ["demo", "test-quick", "test"]
    assert set(named) <= set(targets)


def test_a_bot_of_ones_own_has_an_environment_that_make_neither_uses_nor_removes() -> None:
    (venv,) = re.findall(r"^python3 -m venv (\S+)", README, re.MULTILINE)
    used = set(re.findall(r"(\.venv[\w.-]*)/bin", README))
    removed = re.findall(r"^clean:.*\n\trm -rf (.*)", MAKEFILE, re.MULTILINE)[0].split()

    assert used == {venv}
    assert venv != re.findall(r"^VENV := (\S+)", MAKEFILE, re.MULTILINE)[0]
    assert not [pattern for pattern in removed if fnmatch(venv, pattern)]


def test_what_newcomers_are_promised_of_strangers_is_what_happens() -> None:
    texts = Catalogue(strict=True)

    assert "/start" in texts("access.state_ask")
    assert "private" in texts("access.state_ask")
    assert "request pending" in texts("access.state_pending")
    assert AccessSection().answer_interval == 3600
