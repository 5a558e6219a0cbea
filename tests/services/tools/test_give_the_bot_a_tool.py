"""The page on tools: its plugin offers the tool, and its rule opens it."""

import tomllib
from types import ModuleType

import pytest

from docs_support import blocks
from plugin_support import LoadHost
from tgllm.api import ChatInfo, UserInfo
from tgllm.config.sections.tools import ToolsSection
from tgllm.db.database import Database
from tgllm.services.common.calendar import Days
from tgllm.services.tools.policy import Standing, ToolPolicy
from tgllm.testing.scripted import GivenPlugin

PAGE = "howto/give-the-bot-a-tool.md"


@pytest.mark.parametrize(
    ("is_open", "chat", "expected"),
    [
        (False, ChatInfo(7, "private"), ("off", None)),
        (True, ChatInfo(7, "private"), (None, "asker")),
        (True, ChatInfo(-1, "group"), ("chat", None)),
    ],
)
async def test_the_rule_opens_the_tool_of_the_plugin(
    load_host: LoadHost, database: Database, is_open: bool, chat: ChatInfo, expected: tuple[str, str]
) -> None:
    module = ModuleType("garage")
    exec(blocks(PAGE)[0], module.__dict__)
    host = await load_host(GivenPlugin.of("garage", module))
    (owned,) = host.tools
    assert owned.tool.name == "garage_door"
    settings = tomllib.loads(blocks(PAGE, "toml")[0])["tools"] if is_open else {}
    policy = ToolPolicy(ToolsSection.model_validate(settings), Days())
    user = UserInfo(7, "Ann", "user")

    def read(conn: object) -> Standing:
        return policy.standing(conn, owned, user, chat, ":7:", 0)  # type: ignore[arg-type]  a connection

    found = await database.read(read)
    assert (found.refusal, found.approver) == expected
