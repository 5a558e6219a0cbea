"""The example of the reference page runs, and the page names what there is."""

import pytest

from docs_support import blocks, read_page
from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.emulator.control.actions import ACTIONS

PAGE = read_page("reference/emulator.md")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example = blocks("reference/emulator.md")[0]
    exec(compile(f"{example}\nprint('to the end')", "emulator.md", "exec"), {})
    assert capsys.readouterr().out == "to the end\n"


@pytest.mark.parametrize("owner", [Emulator, EmulatedUser])
def test_every_public_method_is_named(owner: type) -> None:
    names = [name for name in vars(owner) if not name.startswith("_") and callable(getattr(owner, name))]
    assert [name for name in names if name not in PAGE] == []


def test_every_control_request_is_named() -> None:
    assert [name for name in ACTIONS if f"`{name}`" not in PAGE and f"POST {name}`" not in PAGE] == []
