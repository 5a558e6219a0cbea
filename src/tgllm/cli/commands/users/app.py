"""``tgllm users``: who may use the bot."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

# Imports inside functions: `users list` needs few of them, and is to answer at once.

__all__ = ["app"]

app = typer.Typer(
    help="See who uses the bot, and decide who may.",
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
        Literal["pending", "active", "denied", "blocked"] | None, typer.Option(help="Only people of this status.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """List the people whom the bot knows.

    Those who asked for access come first, in the order in which they asked.
    """
    from tgllm.cli.commands.users.list import run_list  # noqa: PLC0415

    run_list(options_of(ctx), status, as_json=as_json)


@app.command()
def approve(
    ctx: typer.Context,
    person: Person,
    *,
    guest: Annotated[bool, typer.Option("--guest", help="Let them in for a day only.")] = False,
) -> None:
    """Let somebody in.

    They are told by the bot, in a second if it runs. People have to write to the bot once before they can be let in.
    """
    from tgllm.cli.commands.users.decide import run_decide  # noqa: PLC0415

    typer.echo(run_decide(options_of(ctx), person, "guest" if guest else "approve"))


@app.command()
def deny(ctx: typer.Context, person: Person) -> None:
    """Decline a request, or take access away for now.

    They may ask again. An answer that the bot writes for them at this moment is stopped.
    """
    from tgllm.cli.commands.users.decide import run_decide  # noqa: PLC0415

    typer.echo(run_decide(options_of(ctx), person, "deny"))


@app.command()
def block(ctx: typer.Context, person: Person) -> None:
    """Keep somebody out for good.

    To let them in again, approve them. An answer that the bot writes for them at this moment is stopped.
    """
    from tgllm.cli.commands.users.decide import run_decide  # noqa: PLC0415

    typer.echo(run_decide(options_of(ctx), person, "block"))


@app.command("role")
def change_role(
    ctx: typer.Context,
    person: Person,
    role: Annotated[Literal["admin", "user", "guest"], typer.Argument(help="What they may do.")],
) -> None:
    """Make somebody an admin, a user or a guest.

    They have to be let in before. Owners are those whom the setting admin_ids names.
    """
    from tgllm.cli.commands.users.decide import run_role  # noqa: PLC0415

    typer.echo(run_role(options_of(ctx), person, role))


@app.command()
def budget(  # noqa: PLR0913  each is an option of the command
    ctx: typer.Context,
    person: Person,
    *,
    set_: Annotated[list[str], typer.Option("--set", help="Set a limit.", metavar="LIMIT=AMOUNT")] = [],  # noqa: B006  Typer copies it
    lift: Annotated[list[str], typer.Option(help="Have no limit, whatever the settings say.", metavar="LIMIT")] = [],  # noqa: B006  the same
    default: Annotated[
        list[str], typer.Option(help="Go back to the limit of the role or the settings.", metavar="LIMIT")
    ] = [],  # noqa: B006  the same
    give: Annotated[list[str], typer.Option(help="Give extra in this day or month.", metavar="LIMIT=AMOUNT")] = [],  # noqa: B006  the same
    reset: Annotated[bool, typer.Option("--reset", help="Count from zero again in this day and month.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Show and change how much somebody may use.

    A limit is requests, tokens or usd, then / and day or month, such as usd/month=2.50. Each option may be given more
    than once.
    """
    from tgllm.cli.commands.users.budget import BudgetChanges, run_budget  # noqa: PLC0415

    run_budget(options_of(ctx), person, BudgetChanges(set_, give, lift, default, reset), as_json=as_json)


@app.command()
def export(
    ctx: typer.Context,
    person: Person,
    target: Annotated[Path | None, typer.Argument(help="The file to write; without one, it is printed.")] = None,
    *,
    form: Annotated[
        Literal["json", "markdown"] | None,
        typer.Option("--format", help="By default as the file's name ends, or json."),
    ] = None,
) -> None:
    """Write all that is stored of somebody.

    As JSON everything, as Markdown what was said. A file that is there is never written over.
    """
    from tgllm.cli.commands.users.data import form_of, run_export, write_new  # noqa: PLC0415

    text, texts = run_export(options_of(ctx), person, form or form_of(target))
    if target is None:
        typer.echo(text, nl=False)
    else:
        write_new(target, text)
        typer.echo(texts("shell.user_exported", path=target))


@app.command()
def forget(
    ctx: typer.Context,
    person: Person,
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Don't ask.")] = False,
) -> None:
    """Delete all that is stored of somebody's private chats.

    As when they send /forget: who they are and whether they may use the bot stays, as do sums of usage, the audit
    trail and what was said in groups. They are told by the bot.
    """
    from tgllm.cli.commands.users.data import run_forget  # noqa: PLC0415

    def confirm(question: str) -> None:
        if not yes:
            typer.confirm(question, abort=True)

    typer.echo(run_forget(options_of(ctx), person, confirm))
