"""Write ``docs/admin_commands.md`` from the command tables."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tgllm.bot.admin.assembly import admin_table
from tgllm.bot.admin.table import HOME, AdminCommand
from tgllm.bot.assembly import own_commands
from tgllm.i18n import Catalogue

TARGET = Path(__file__).resolve().parents[2] / "docs" / "admin_commands.md"
HEAD = """\
# Commands for admins

<!-- Generated from the command tables by `make generate`; do not edit by hand. -->

Commands for admins of the bot in Telegram. `/admin` shows a menu; a button does the same as its command. All commands
work in private and in the admin chat, if the settings name one (`admin_chat_id`). In other groups only commands marked
in the column "groups" work, because everybody there can read the answers.

- `<user>` is an id or a @username; `<group>` is the id of a group, which begins with a minus sign. Square brackets mark
  optional arguments.
- Long lists have pages; `#3` at the end of a command selects the third page, as in `/admin users pending #3`.
- The column "password" shows whether the command asks for the [admin password](explanation/admin-password.md), if one
  is set: always, or only in some cases, such as for changes that affect another admin.
- Permissions are checked for each command and each press: a forwarded or forged button does nothing for people who are
  not admins. Changes by admins are recorded in the audit trail: `/admin audit`.
"""
OTHERS = """\
## Other commands for admins

| command | for | what it does |
| --- | --- | --- |
"""
COLUMNS = """\
| command | for | button | password | groups | what it does |
| --- | --- | --- | --- | --- | --- |
"""


def text() -> str:
    """Return the content of the page."""
    texts = Catalogue(strict=True)
    rows = "\n".join(row(texts, command) for command in admin_table().rows if command.name != HOME)
    return f"{HEAD}\n{COLUMNS}{rows}\n\n{OTHERS}" + "\n".join(others(texts)) + "\n"


def row(texts: Catalogue, command: AdminCommand) -> str:
    """Return a row of the table of ``/admin``."""
    line = f"/admin {command.name} {command.usage}".rstrip().replace("|", r"\|")
    label = texts(f"admin.{command.name}.label") if command.menu else ""
    groups = "yes" if command.anywhere else ""
    about = texts(f"admin.{command.name}.about")
    return f"| `{line}` | {command.access} | {label} | {password(command)} | {groups} | {about} |"


def password(command: AdminCommand) -> str:
    """Return when the admin password is required."""
    if callable(command.dangerous):
        return "sometimes"
    return "always" if command.dangerous else ""


def others(texts: Catalogue) -> Iterator[str]:
    """Yield the rows of admin commands outside ``/admin``."""
    for command in own_commands(texts):
        if command.access != "user":
            yield f"| `/{command.name}` | {command.access} | {command.describe('en')} |"


if __name__ == "__main__":
    sys.exit(TARGET.write_text(text(), encoding="utf-8") == 0)
