"""Reading commands and finding them."""

import pytest

from tgllm.api import Access, UserInfo
from tgllm.bot.scope import Scope
from tgllm.bot.ui.command_table import CommandTable, LiveCommands, ParsedCommand, TableCommand, may_use, parse_command

ANN = UserInfo(1, "Ann", "user", language="ru")


async def nothing(scope: Scope, parsed: ParsedCommand) -> None:
    pass


def command(name: str, access: Access = "user", aliases: tuple[str, ...] = ()) -> TableCommand:
    return TableCommand(name, lambda language: f"{name} in {language}", access, nothing, aliases)


@pytest.mark.parametrize(
    ("text", "name", "args"),
    [
        ("/ping", "ping", ""),
        ("/PING", "ping", ""),
        ("/model  echo/echo ", "model", "echo/echo"),
        ("/model\necho/echo\nagain", "model", "echo/echo\nagain"),
        ("/model\techo", "model", "echo"),
        ("/ping@demo_bot", "ping", ""),
        ("/ping@Demo_Bot now", "ping", "now"),
    ],
)
def test_commands_are_read(text: str, name: str, args: str) -> None:
    assert parse_command(text, "demo_bot") == ParsedCommand(name, args)


@pytest.mark.parametrize(
    "text", ["", "/", "ping", " /ping", "/ping@other_bot", "/@demo_bot", "/ ping", "/etc/hosts is empty", "/@"]
)
def test_other_text_is_no_command(text: str) -> None:
    assert parse_command(text, "demo_bot") is None


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (None, []),
        ("guest", ["user"]),
        ("user", ["user"]),
        ("admin", ["user", "admin"]),
        ("owner", ["user", "admin", "owner"]),
    ],
)
def test_a_role_may_use_what_is_not_above_it(role: str | None, allowed: list[Access]) -> None:
    user = UserInfo(1, "Ann", role)  # type: ignore[arg-type]  a parameter of the test
    accesses: list[Access] = ["user", "admin", "owner"]
    assert [access for access in accesses if may_use(user, access)] == allowed


def test_an_access_that_is_not_known_is_for_owners() -> None:
    assert not may_use(UserInfo(1, "Ann", "admin"), "everybody")  # type: ignore[arg-type]  from a plugin
    assert may_use(UserInfo(1, "Ann", "owner"), "everybody")  # type: ignore[arg-type]  from a plugin


def test_commands_are_found_by_name_and_alias() -> None:
    stop = command("stop", aliases=("cancel",))
    table = CommandTable([stop, command("ping")])
    assert table.find("stop") is table.find("cancel") is stop
    assert table.find("nothing") is None


def test_the_nearest_is_one_that_the_person_may_use() -> None:
    table = CommandTable([command("restart", "admin"), command("start"), command("help")])
    assert table.nearest("restar", ANN) == "start"
    assert table.nearest("restar", UserInfo(2, "Ben", "admin")) == "restart"
    assert table.nearest("xyz", ANN) is None


def test_help_lists_what_the_person_may_use_in_order_and_language() -> None:
    table = CommandTable([command("stop", aliases=("cancel",)), command("restart", "admin"), command("ping")])
    assert [(info.name, info.description) for info in table.for_user(ANN)] == [
        ("stop", "stop in ru"),
        ("ping", "ping in ru"),
    ]


def test_the_table_is_made_anew_when_its_rows_change() -> None:
    rows = [command("ping")]
    revision = 0
    made = 0

    def now() -> list[TableCommand]:
        nonlocal made
        made += 1
        return rows

    live = LiveCommands(lambda: revision, now)
    assert live.table.find("ping") is live.table.find("ping")
    rows = []
    assert live.table.find("ping") is not None
    revision = 1
    assert live.table.find("ping") is None
    assert made == 2
