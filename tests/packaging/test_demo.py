"""The demo works from the wheel of the core alone, with no tools for development beside it."""

from typing import Any

import pytest

pytestmark = pytest.mark.packaging


def test_the_core_answers_in_the_demo(core: Any) -> None:
    done = core.run("tgllm", "demo", "--once")

    assert "Bot ready" in done.stdout
    assert "tgllm-local is not installed: pip install tgllm-local" in done.stdout
