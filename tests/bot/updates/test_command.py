"""What is a command."""

from typing import Any

import pytest

from tgllm.bot.updates.command import ParsedCommand, named_command, parse_command
from tgllm.bot.updates.formats.written import read_written


def entity(kind: str, offset: int, length: int, **more: Any) -> dict[str, Any]:
    return {"type": kind, "offset": offset, "length": length, **more}


def parsed(text: str, *entities: Any) -> ParsedCommand | None:
    return parse_command(read_written(text, list(entities)), "demo_bot")


@pytest.mark.parametrize(
    ("text", "entities", "name", "args"),
    [
        ("/ping", [entity("bot_command", 0, 5)], "ping", ""),
        ("/PING@Demo_Bot now", [entity("bot_command", 0, 14)], "ping", "now"),
        ("/stop!", [entity("bot_command", 0, 5)], "stop", ""),
        ("/system: be brief", [entity("bot_command", 0, 7)], "system", "be brief"),
        ("/persona -", [entity("bot_command", 0, 8)], "persona", "-"),
        ("/stop", [entity("bold", 0, 5), entity("bot_command", 0, 5)], "stop", ""),
        ("/stop", [entity("bot_command", 0, 5), entity("blockquote", 0, 5)], "stop", ""),
        ("/ask https://e.com", [entity("bot_command", 0, 4), entity("url", 5, 13)], "ask", "https://e.com"),
        ("/stop", [entity("bot_command", 0, 5), entity("of_tomorrow", 0, 5)], "stop", ""),
        ("/stop all", [entity("of_tomorrow", 0, 9), entity("bot_command", 0, 5)], "stop", "all"),
        # Not every server marks commands.
        ("/ask https://e.com", [entity("url", 5, 13)], "ask", "https://e.com"),
        ("/ask bold", [entity("bold", 0, 9)], "ask", "bold"),
    ],
)
def test_a_marked_command_is_read(text: str, entities: list[Any], name: str, args: str) -> None:
    assert parsed(text, *entities) == ParsedCommand(name, args)


@pytest.mark.parametrize(
    ("text", "entities"),
    [
        ("/stop", [entity("code", 0, 5)]),
        ("/stop all", [entity("pre", 0, 9)]),
        ("/stop", [entity("text_link", 0, 5, url="https://e.com")]),
        ("/stop", [entity("of_tomorrow", 0, 5)]),
        ("/stop", [entity("bot_command", 0, 5), entity("code", 0, 5)]),
        ("/stop@other_bot", [entity("bot_command", 0, 15)]),
        ("please /stop", [entity("bot_command", 7, 5)]),
        ("/clear-all is a tool", [entity("bot_command", 0, 6)]),
        ("/etc/hosts", []),
        ("/stop!", []),
    ],
)
def test_other_text_is_none(text: str, entities: list[Any]) -> None:
    assert parsed(text, *entities) is None


def test_arguments_keep_their_formats() -> None:
    text = "/system@demo_bot  Answer in bold\n"
    command = parsed(text, entity("bot_command", 0, 16), entity("bold", 28, 4))
    assert command is not None
    assert (command.args, command.markdown) == ("Answer in bold", "Answer in **bold**")


def test_a_command_names_its_addressee() -> None:
    command = named_command("/Sum@other_bot a")
    assert command is not None
    assert (command.name, command.addressee, command.written.text) == ("sum", "other_bot", "a")
