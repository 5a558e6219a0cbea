"""The example of the reference page runs, and the page names what there is."""

import pytest

from docs_support import blocks, read_page
from tgllm.testing.fake_providers import FakeAnthropic, FakeDipseek, FakeGemini, FakeMistral, FakeServer, Signal
from tgllm.testing.fake_providers.base.errors import Errors

PAGE = read_page("reference/fake-providers.md")


def test_the_example_runs(capsys: pytest.CaptureFixture[str]) -> None:
    (example,) = blocks("reference/fake-providers.md")
    exec(compile(f"{example}\nprint('to the end')", "fake-providers.md", "exec"), {})
    assert capsys.readouterr().out == "to the end\n"


@pytest.mark.parametrize("owner", [FakeServer, FakeAnthropic, FakeGemini, FakeMistral, FakeDipseek, Errors])
def test_every_public_name_is_there(owner: type) -> None:
    assert [
        name for name in vars(owner) if not name.startswith("_") and name not in PAGE and name != "default_key"
    ] == []


@pytest.mark.parametrize("signal", Signal)
def test_every_signal_is_there(signal: Signal) -> None:
    assert f"`{signal}`" in PAGE
