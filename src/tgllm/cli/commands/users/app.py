"""``tgllm users``: people, and their access."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption, confirm, print_document, say

# Imports are inside functions: `users list` needs few of them, and has to be fast.

__all__ = ["app"]

app = typer.Typer(
    help="List people, and manage their access.",
    rich_markup_mode=None,
    add_completion=False,
    no_args_is_help=True,
)

Person = Annotated[str, typer.Argument(help="The person: Telegram's user id, or @username.")]


@app.command("list")
def list_users(
    ctx: typer.Context,
    *,
    status: Annotated[
        Literal["pending", "active", "denied", "blocked"] | None, typer.Option(help="Only people with this status.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the people known to the bot.

    Pending requests come first, oldest first.
    """
    from tgllm.cli.commands.users.list import run_list  # noqa: PLC0415  only a run of this command needs it

    run_list(options_of(ctx), status, as_json=as_json)


@app.command()
def approve(
    ctx: typer.Context,
    person: Person,
    *,
    guest: Annotated[bool, typer.Option("--guest", help="Approve for one day only.")] = False,
) -> None:
    """Approve a person.

    The bot informs the person, within a second if it is running. People must write to the bot before they can be
    approved.
    """
    from tgllm.cli.commands.users.decide import run_decide  # noqa: PLC0415  only a run of this command needs it

    say(run_decide(options_of(ctx), person, "guest" if guest else "approve"))


@app.command()
def deny(ctx: typer.Context, person: Person) -> None:
    """Deny a request, or remove a person's access.

    The person may ask again. Their answers in progress are stopped.
    """
    from tgllm.cli.commands.users.decide import run_decide  # noqa: PLC0415  only a run of this command needs it

    say(run_decide(options_of(ctx), person, "deny"))


@app.command()
def block(ctx: typer.Context, person: Person) -> None:
    """Block a person permanently.

    Approve the person to lift the block. Their answers in progress are stopped.
    """
    from tgllm.cli.commands.users.decide import run_decide  # noqa: PLC0415  only a run of this command needs it

    say(run_decide(options_of(ctx), person, "block"))


@app.command("role")
def change_role(
    ctx: typer.Context,
    person: Person,
    role: Annotated[Literal["admin", "user", "guest"], typer.Argument(help="The new role.")],
) -> None:
    """Make a person an admin, a user or a guest.

    The person must be approved. Owners are set only in the setting admin_ids.
    """
    from tgllm.cli.commands.users.decide import run_role  # noqa: PLC0415  only a run of this command needs it

    say(run_role(options_of(ctx), person, role))


@app.command()
def budget(  # noqa: PLR0913  each is a command-line option
    ctx: typer.Context,
    person: Person,
    *,
    set_: Annotated[list[str], typer.Option("--set", help="Set a limit.", metavar="LIMIT=AMOUNT")] = [],  # noqa: B006  Typer copies it
    lift: Annotated[list[str], typer.Option(help="Remove a limit, overriding the settings.", metavar="LIMIT")] = [],  # noqa: B006  Typer copies it
    default: Annotated[
        list[str], typer.Option(help="Use the limit of the role or the settings again.", metavar="LIMIT")
    ] = [],  # noqa: B006  Typer copies it
    give: Annotated[list[str], typer.Option(help="Raise a limit for this day or month.", metavar="LIMIT=AMOUNT")] = [],  # noqa: B006  Typer copies it
    reset: Annotated[bool, typer.Option("--reset", help="Reset the usage of this day and month to zero.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show and change a person's budget.

    A limit is requests, tokens or usd, then / and day or month, such as usd/month=2.50. Each option may be given more
    than once.
    """
    from tgllm.cli.commands.users.budget import BudgetChanges, run_budget  # noqa: PLC0415  only a run of this command needs it

    run_budget(options_of(ctx), person, BudgetChanges(set_, give, lift, default, reset), as_json=as_json)


@app.command()
def export(
    ctx: typer.Context,
    person: Person,
    target: Annotated[Path | None, typer.Argument(help="The file to write; default: standard output.")] = None,
    *,
    form: Annotated[
        Literal["json", "markdown"] | None,
        typer.Option("--format", help="Default: from the file extension, else json."),
    ] = None,
) -> None:
    """Export the stored data of a person.

    JSON contains all data, Markdown only the conversations. An existing file is never overwritten.
    """
    from tgllm.cli.commands.users.data import form_of, run_export, write_new  # noqa: PLC0415  only a run of this command needs it

    text, texts = run_export(options_of(ctx), person, form or form_of(target))
    if target is None:
        print_document(text)
    else:
        write_new(target, text)
        say(texts("shell.user_exported", path=target))


@app.command()
def forget(
    ctx: typer.Context,
    person: Person,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Skip the confirmation.")] = False,
) -> None:
    """Delete the stored data of a person's private chats.

    Same as /forget by the person: the name and access decision, usage totals, the audit trail and messages in groups
    are kept. The bot informs the person.
    """
    from tgllm.cli.commands.users.data import run_forget  # noqa: PLC0415  only a run of this command needs it

    def ask(question: str) -> None:
        if not yes:
            confirm(question)

    say(run_forget(options_of(ctx), person, ask))
