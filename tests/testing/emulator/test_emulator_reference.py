"""The example of the reference page runs, and the page names what there is."""

import re
from pathlib import Path

import pytest

from tgllm.testing.emulator import EmulatedUser, Emulator
from tgllm.testing.emulator.control.actions import ACTIONS

PAGE = (Path(__file__).parents[3] / "docs/reference/emulator.md").read_text(encoding="utf-8")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    exec(compile(f"{example}\nprint('to the end')", "emulator.md", "exec"), {})
    assert capsys.readouterr().out == "to the end\n"


@pytest.mark.parametrize("owner", [Emulator, EmulatedUser])
def test_every_public_method_is_named(owner: type) -> None:
    names = [name for name in vars(owner) if not name.startswith("_") and callable(getattr(owner, name))]
    assert [name for name in names if name not in PAGE] == []


def test_every_control_request_is_named() -> None:
    assert [name for name in ACTIONS if f"`{name}`" not in PAGE and f"POST {name}`" not in PAGE] == []
