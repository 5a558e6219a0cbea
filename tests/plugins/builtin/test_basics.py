"""The commands /ping and /help, as the host hands them out."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from plugin_support import LoadHost
from tgllm.api import ChatInfo, CommandCall, CommandInfo, UserInfo
from tgllm.plugins import OwnedCommand


@pytest.fixture
async def commands(load_host: LoadHost) -> dict[str, OwnedCommand]:
    return {owned.command.name: owned for owned in (await load_host()).commands}


def call(owned: OwnedCommand, user: UserInfo, chat: ChatInfo, *table: CommandInfo) -> CommandCall:
    return CommandCall(owned.command.name, "", user, chat, owned.context, table)


async def test_ping_answers_that_the_bot_is_ready(
    commands: Mapping[str, OwnedCommand], user: UserInfo, chat: ChatInfo
) -> None:
    ping = commands["ping"]

    assert await ping.command.handler(call(ping, user, chat)) == "Bot ready"


async def test_help_lists_the_commands_that_it_is_given(
    commands: Mapping[str, OwnedCommand], user: UserInfo, chat: ChatInfo
) -> None:
    handed = (CommandInfo("ping", "Check me", "user"), CommandInfo("dance", "Dance a little", "user"))

    text = await commands["help"].command.handler(call(commands["help"], user, chat, *handed))

    assert isinstance(text, str)
    assert [line for line in text.splitlines() if line.startswith("/")] == [
        "/ping - Check me",
        "/dance - Dance a little",
    ]


async def test_help_gathers_the_commands_of_a_group_below_its_title(
    commands: Mapping[str, OwnedCommand], user: UserInfo, chat: ChatInfo
) -> None:
    handed = (
        CommandInfo("stop", "Stop", "user", "Chat"),
        CommandInfo("model", "Choose", "user", "Models"),
        CommandInfo("new", "Begin", "user", "Chat"),
        CommandInfo("dance", "Dance", "user"),
    )

    text = await commands["help"].command.handler(call(commands["help"], user, chat, *handed))

    assert isinstance(text, str)
    assert text.endswith("\n\nChat\n/stop - Stop\n/new - Begin\n\nModels\n/model - Choose\n\n/dance - Dance")


@pytest.mark.parametrize("role", ["guest", "user", "admin", "owner"])
@pytest.mark.parametrize(
    ("answers", "words"),
    [
        ("all", "I answer every message"),
        ("addressed", "I answer commands, messages that mention me, and replies to mine"),
        ("commands", "I answer commands and nothing else"),
    ],
)
@pytest.mark.parametrize("sees_all", [True, False])
async def test_help_in_a_group_says_what_is_seen_and_answered(
    commands: Mapping[str, OwnedCommand], user: UserInfo, role: Any, answers: Any, words: str, sees_all: bool
) -> None:
    owned, group = commands["help"], ChatInfo(-7, "supergroup", "Team")
    asked = replace(call(owned, replace(user, role=role), group), answers=answers, sees_all=sees_all)
    text = await owned.command.handler(asked)
    assert isinstance(text, str)
    assert words in text
    assert ("I am in privacy mode" in text) is not sees_all
    assert ("Telegram shows me all messages" in text) is sees_all
    assert ("/setprivacy" in text) is (role in {"admin", "owner"})
    assert "Just write to me" not in text


async def test_help_in_a_private_chat_says_nothing_of_groups(
    commands: Mapping[str, OwnedCommand], user: UserInfo
) -> None:
    owned = commands["help"]
    text = await owned.command.handler(replace(call(owned, user, ChatInfo(7, "private")), sees_all=False))
    assert isinstance(text, str)
    assert "Just write to me" in text
    assert "privacy" not in text


async def test_help_speaks_the_language_of_the_person(
    commands: Mapping[str, OwnedCommand], user: UserInfo, chat: ChatInfo
) -> None:
    owned = commands["help"]

    english = await owned.command.handler(call(owned, user, chat))
    russian = await owned.command.handler(call(owned, replace(user, language="ru-RU"), chat))

    assert english != russian
    assert owned.command.description != owned.command.descriptions["ru"]


async def test_they_can_be_disabled_by_name(load_host: LoadHost) -> None:
    host = await load_host(disabled={"basic_memory", "basic_tools", "basics", "echo", "files"})

    assert (host.commands, host.providers) == ((), ())
    assert {found.state for found in host.records} == {"disabled"}
