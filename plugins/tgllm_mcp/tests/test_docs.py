"""What the guide shows works."""

import re
import tomllib
from pathlib import Path

from tgllm_mcp.settings import Server, Settings

ROOT = Path(__file__).resolve().parents[3]


def test_the_settings_of_the_guide_are_valid() -> None:
    page = (ROOT / "docs/howto/connect-an-mcp-server.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```toml\n(.*?)```", page, re.DOTALL)

    found = [Settings.model_validate(tomllib.loads(block)["plugins"]["mcp"]) for block in blocks]

    assert [list(settings.servers) for settings in found] == [["git"], ["tickets"], ["calendar"]]


def test_the_readme_names_every_setting() -> None:
    page = (ROOT / "plugins/tgllm_mcp/README.md").read_text(encoding="utf-8")

    assert [name for name in Server.model_fields if f"`{name}`" not in page] == []
