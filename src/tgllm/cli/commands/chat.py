"""``tgllm chat``: a model in the terminal."""

from pathlib import Path
from typing import Annotated

import typer

from tgllm.cli.options import options_of
from tgllm.cli.output import JsonOption

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def chat(  # noqa: PLR0913  each is an option
    ctx: typer.Context,
    args: Annotated[
        list[str] | None, typer.Argument(metavar="[MODEL] [FILE]... [QUESTION]...", show_default=False)
    ] = None,
    *,
    model: Annotated[str | None, typer.Option("--model", "-m", help="The model.", metavar="PROVIDER/MODEL")] = None,
    file: Annotated[
        list[Path] | None, typer.Option("--file", "-f", help="A file for the question.", metavar="PATH")
    ] = None,
    question: Annotated[str | None, typer.Option("--question", "-q", help="The question.", metavar="TEXT")] = None,
    system: Annotated[
        str | None, typer.Option("--system", "-s", help="Instruction for the model.", metavar="TEXT")
    ] = None,
    persona: Annotated[
        str | None, typer.Option("--persona", "-p", help="A persona of the config.", metavar="NAME")
    ] = None,
    go_on: Annotated[bool, typer.Option("--continue/--new", "-c", help="Go on with the last conversation.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Chat with a model in the terminal.

    Without a question the chat goes on until Ctrl-D; /help lists its commands. With one, it answers that. Text that is
    piped in is part of the question: git diff | tgllm chat "review this"

    The first argument is the model if it names one, an argument that is the path of a file is sent along, all others
    are the question. -m, -f and -q say so themselves. Ctrl-C stops an answer.
    """
    from tgllm.cli.chat.start import Asking, start  # noqa: PLC0415  imported when called: it opens the services

    asking = Asking(
        args=tuple(args or ()),
        model=model,
        files=tuple(file or ()),
        question=question,
        system=system,
        persona=persona,
        go_on=go_on,
        as_json=as_json,
    )
    raise typer.Exit(start(options_of(ctx), asking))
