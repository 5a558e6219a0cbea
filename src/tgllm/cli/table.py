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
    "init": Entry("Ask what a bot needs, and write the config file.", "tgllm.cli.init"),
    "run": Entry("Run the bot until it is stopped.", "tgllm.cli.run"),
    "demo": Entry("Show the bot at work: no token, no key, no network.", "tgllm.cli.demo"),
    "ping": Entry("Check settings, database and plugins.", "tgllm.cli.ping"),
    "doctor": Entry("Look over settings, database, plugins and providers.", "tgllm.cli.doctor"),
    "config": Entry("See the settings and where they come from.", "tgllm.cli.config"),
    "db": Entry("Make, check and back up the database.", "tgllm.cli.db"),
    "models": Entry("See and choose models, and fetch their lists.", "tgllm.cli.models"),
    "users": Entry("See who uses the bot, and decide who may.", "tgllm.cli.users"),
    "groups": Entry("See the groups, and decide where the bot answers.", "tgllm.cli.groups"),
    "invites": Entry("Make links that let people in, and take them back.", "tgllm.cli.invites"),
    "usage": Entry("Show what has been used: requests, tokens, cost.", "tgllm.cli.usage"),
    "audit": Entry("Show who changed what, when and from where.", "tgllm.cli.audit"),
    "plugins": Entry("See the plugins and their state.", "tgllm.cli.plugins"),
}
"""In the order of ``--help``."""
