"""Write ``docs/admin_commands.md`` from the command tables, so that the page can't disagree with the bot."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tgllm.bot.admin.assembly import admin_table
from tgllm.bot.admin.table import HOME, AdminCommand
from tgllm.bot.assembly import own_commands
from tgllm.i18n import Catalogue

TARGET = Path(__file__).resolve().parent.parent / "docs" / "admin_commands.md"
HEAD = """\
# Commands for admins

<!-- Made from the command tables by `make generate`; not edited by hand. -->

What the admins of the bot can do in Telegram. `/admin` shows a menu; a button does the same as its command. Everything
works in private and, if the settings name one (`admin_chat_id`), in the admin chat; in other groups only what is marked
with "groups" does, since everybody reads along there.

- `<user>` is an id or a @username, `<group>` the id of a group, which begins with a minus sign. What stands in square
  brackets can be left out.
- Long lists come in pages; `#3` at the end of a command is the third one, such as `/admin users pending #3`.
- "Password" says whether the [admin password](explanation/admin-password.md) is asked for first, where one is set:
  for every use, or only for some, such as those that are about another admin.
- Whether somebody is an admin is looked at for each command and each press: a button that is forwarded or forged does
  nothing for anybody else. What admins change is noted: `/admin audit`.
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
    """The whole page."""
    texts = Catalogue(strict=True)
    rows = "\n".join(row(texts, command) for command in admin_table().rows if command.name != HOME)
    return f"{HEAD}\n{COLUMNS}{rows}\n\n{OTHERS}" + "\n".join(others(texts)) + "\n"


def row(texts: Catalogue, command: AdminCommand) -> str:
    """A line of the table of ``/admin``."""
    line = f"/admin {command.name} {command.usage}".rstrip().replace("|", r"\|")
    label = texts(f"admin.{command.name}.label") if command.menu else ""
    groups = "yes" if command.anywhere else ""
    about = texts(f"admin.{command.name}.about")
    return f"| `{line}` | {command.access} | {label} | {password(command)} | {groups} | {about} |"


def password(command: AdminCommand) -> str:
    """When the admin password is asked for."""
    if callable(command.dangerous):
        return "sometimes"
    return "always" if command.dangerous else ""


def others(texts: Catalogue) -> Iterator[str]:
    """The lines for commands that have a name of their own."""
    for command in own_commands(texts):
        if command.access != "user":
            yield f"| `/{command.name}` | {command.access} | {command.describe('en')} |"


if __name__ == "__main__":
    sys.exit(TARGET.write_text(text(), encoding="utf-8") == 0)
