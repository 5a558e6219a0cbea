"""The table of commands: known by name and help line, imported when called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["COMMANDS", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A command, or a group of commands."""

    help: str
    module: str
    """Has a ``typer.Typer`` called ``app``."""


COMMANDS: Final[Mapping[str, Entry]] = {
    "init": Entry("Ask what a bot needs, and write the config file.", "tgllm.cli.commands.init"),
    "run": Entry("Run the bot until it is stopped.", "tgllm.cli.commands.run"),
    "demo": Entry("Show the bot at work: no token, no key, no network.", "tgllm.cli.commands.demo"),
    "ping": Entry("Check settings, database and plugins.", "tgllm.cli.commands.ping"),
    "doctor": Entry("Look over settings, database, plugins and providers.", "tgllm.cli.commands.doctor"),
    "config": Entry("See the settings and where they come from.", "tgllm.cli.commands.config"),
    "db": Entry("Make, check and back up the database.", "tgllm.cli.commands.db"),
    "models": Entry("See and choose models, and fetch their lists.", "tgllm.cli.commands.models.app"),
    "users": Entry("See who uses the bot, and decide who may.", "tgllm.cli.commands.users.app"),
    "groups": Entry("See the groups, and decide where the bot answers.", "tgllm.cli.commands.groups.app"),
    "invites": Entry("Make links that let people in, and take them back.", "tgllm.cli.commands.invites.app"),
    "usage": Entry("Show what has been used: requests, tokens, cost.", "tgllm.cli.commands.usage.app"),
    "audit": Entry("Show who changed what, when and from where.", "tgllm.cli.commands.audit.app"),
    "plugins": Entry("See the plugins and their state.", "tgllm.cli.commands.plugins"),
}
"""In the order of ``--help``."""
