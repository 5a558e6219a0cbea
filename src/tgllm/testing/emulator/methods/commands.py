"""getMe, and the command lists of a bot."""

import re
from typing import Any, cast

from tgllm.testing.emulator.markup.text import utf16_len
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import handles
from tgllm.testing.emulator.protocol.errors import bad_request
from tgllm.testing.emulator.world.command_menus import scope_key
from tgllm.testing.emulator.world.wire import user_json

__all__ = ["get_me", "set_my_commands"]

_NAME = re.compile(r"[a-z0-9_]{1,32}")
_MAX_COMMANDS = 100
_MAX_DESCRIPTION = 256


@handles("getMe")
def get_me(call: MethodCall) -> object:
    """Bot API: getMe."""
    bot = call.bot
    return {
        **user_json(bot),
        "can_join_groups": True,
        "can_read_all_group_messages": bot.reads_all_group_messages,
        "supports_inline_queries": False,
        "can_connect_to_business": False,
        "has_main_web_app": False,
        "has_topics_enabled": bot.has_topics,
        "allows_users_to_create_topics": bot.has_topics,
    }


@handles("logOut", "close")
def log_out(call: MethodCall) -> object:
    """Bot API: logOut and close; no effect, because the emulator has only one server."""
    del call
    return True


def _key(call: MethodCall) -> tuple[str, str]:
    scope = cast("dict[str, Any]", call.get("scope") or {"type": "default"})
    return scope_key(scope), str(call.get("language_code", ""))


@handles("setMyCommands")
def set_my_commands(call: MethodCall) -> object:
    """Bot API: setMyCommands."""
    commands = cast("list[dict[str, Any]]", call.get("commands"))
    if len(commands) > _MAX_COMMANDS:
        raise bad_request("BOT_COMMANDS_TOO_MUCH")
    for command in commands:
        _check_command(command)
    call.bot.commands[_key(call)] = commands
    call.world.changes.bump()
    return True


def _check_command(command: dict[str, Any]) -> None:
    if not _NAME.fullmatch(str(command.get("command", ""))):
        raise bad_request("BOT_COMMAND_INVALID")
    if not 1 <= utf16_len(str(command.get("description", ""))) <= _MAX_DESCRIPTION:
        raise bad_request("BOT_COMMAND_DESCRIPTION_INVALID")


@handles("getMyCommands")
def get_my_commands(call: MethodCall) -> object:
    """Bot API: getMyCommands."""
    return call.bot.commands.get(_key(call), [])


@handles("deleteMyCommands")
def delete_my_commands(call: MethodCall) -> object:
    """Bot API: deleteMyCommands."""
    call.bot.commands.pop(_key(call), None)
    call.world.changes.bump()
    return True
