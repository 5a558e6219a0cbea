"""Table of commands, with their help lines and modules; the modules are imported when called."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["COMMANDS", "Entry"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A command or a group of commands."""

    help: str
    module: str
    """Module with the ``typer.Typer`` object ``app``."""


COMMANDS: Final[Mapping[str, Entry]] = {
    "init": Entry(
        "Set up a bot, step by step.",
        "tgllm.cli.commands.init.app",
    ),
    "run": Entry("Run the bot until it is stopped.", "tgllm.cli.commands.run"),
    "chat": Entry("Chat with a model in the terminal.", "tgllm.cli.commands.chat"),
    "demo": Entry("Try the bot: no token, no key, no network.", "tgllm.cli.commands.demo.app"),
    "ping": Entry("Check settings, database and plugins.", "tgllm.cli.commands.ping"),
    "doctor": Entry("Diagnose everything that the bot needs.", "tgllm.cli.commands.doctor"),
    "config": Entry("Show the settings and their sources.", "tgllm.cli.commands.config.app"),
    "db": Entry("Create, check, back up, restore and tidy the database.", "tgllm.cli.commands.db"),
    "upgrade": Entry("Check whether plugins, settings and database fit a version.", "tgllm.cli.commands.upgrade"),
    "models": Entry("List, select and refresh models.", "tgllm.cli.commands.models.app"),
    "users": Entry("List people, and manage their access.", "tgllm.cli.commands.users.app"),
    "groups": Entry("List groups, and manage their access.", "tgllm.cli.commands.groups.app"),
    "invites": Entry("Create, list and revoke invite links.", "tgllm.cli.commands.invites.app"),
    "usage": Entry("Show usage: requests, tokens, cost.", "tgllm.cli.commands.usage.app"),
    "audit": Entry("Show who changed what, when and from where.", "tgllm.cli.commands.audit.app"),
    "inbox": Entry("List received updates, and retry or drop them.", "tgllm.cli.commands.inbox.app"),
    "errors": Entry("List unexpected errors, and show one by its code.", "tgllm.cli.commands.errors.app"),
    "tools": Entry("List the tools that models may call.", "tgllm.cli.commands.tools.app"),
    "plugins": Entry("List, install, check and write plugins.", "tgllm.cli.commands.plugins.app"),
}
"""In the order of ``--help``."""
