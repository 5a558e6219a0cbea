"""``tgllm init``: from nothing to a bot that answers."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tgllm.cli.commands.init.flags import InitFlags
from tgllm.cli.options import Options, options_of

if TYPE_CHECKING:
    from tgllm.cli.commands.init.dialogue import Dialogue
    from tgllm.cli.commands.init.result import Answers
    from tgllm.config.load import LoadedConfig

__all__ = ["app"]

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def init(  # noqa: PLR0913  one for each option
    ctx: typer.Context,
    *,
    token_file: Annotated[
        str | None, typer.Option(help="File with the bot token; -: a line of standard input.", metavar="PATH")
    ] = None,
    admin: Annotated[
        list[str] | None, typer.Option(help="Telegram user id of an admin; may be repeated.", metavar="ID")
    ] = None,
    provider: Annotated[str | None, typer.Option(help="The provider to set up.", metavar="ID")] = None,
    key_file: Annotated[
        str | None, typer.Option(help="File with the provider's key; -: a line of standard input.", metavar="PATH")
    ] = None,
    base_url: Annotated[str | None, typer.Option(help="Address of the provider's service.", metavar="URL")] = None,
    model: Annotated[
        str | None, typer.Option(help="The default model; default: a suggested one.", metavar="MODEL")
    ] = None,
    telegram_api: Annotated[str | None, typer.Option(help="Address of another Bot API server.", metavar="URL")] = None,
    webhook: Annotated[
        str | None,
        typer.Option(
            help="Public https address to which Telegram sends updates; without it, the bot asks for them.",
            metavar="URL",
        ),
    ] = None,
    systemd: Annotated[
        bool | None, typer.Option("--systemd/--no-systemd", help="Whether to write a systemd user unit.")
    ] = None,
    wait: Annotated[
        int, typer.Option(help="Seconds to wait for an admin's code.", min=1, max=86_400, metavar="N")
    ] = 600,
    check: Annotated[bool, typer.Option("--check/--no-check", help="Whether to ask Telegram and the provider.")] = True,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing; use flags, environment, defaults.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing config file; a copy is kept.")] = False,
) -> None:
    """Set up a bot, step by step.

    It asks for the settings, checks them, and writes the config file.

    Get the token from @BotFather on Telegram. The bot's first admin is found by a code that is sent to the bot. The
    provider's key is checked by listing its models, which costs nothing.

    Tokens and keys are read from a prompt, a file, standard input or the environment, never from the command line. They
    are stored only in the config file, which only you can read. Nothing is written before the last step.
    """
    flags = InitFlags(
        token_file=token_file,
        admins=admin or [],
        provider=provider,
        key_file=key_file,
        base_url=base_url,
        model=model,
        telegram_api=telegram_api,
        webhook=webhook,
        systemd=systemd,
        wait=wait,
        check=check,
        force=force,
        yes=yes,
    )
    _run(options_of(ctx), flags)


def _run(options: Options, flags: InitFlags) -> None:
    from tgllm.api.clock import SystemClock  # noqa: PLC0415  --help needs none of these
    from tgllm.api.errors import ConfigError  # noqa: PLC0415  --help needs none of these
    from tgllm.cli.commands.init.dialogue import Dialogue  # noqa: PLC0415  --help needs none of these
    from tgllm.cli.commands.init.result import write_files  # noqa: PLC0415  --help needs none of these
    from tgllm.config.load import config_place, load_config  # noqa: PLC0415  --help needs none of these
    from tgllm.config.write import why_unwritable  # noqa: PLC0415  --help needs none of these
    from tgllm.i18n import Catalogue  # noqa: PLC0415  --help needs none of these

    options.quiet_log()
    path, _ = config_place(options.config)
    if not path.is_absolute():
        raise ConfigError("your home folder is not known (HOME is not set); name the config file with --config")
    if reason := why_unwritable(path, replace=flags.force):
        raise ConfigError(reason)
    # Without the existing config file, which is replaced: its settings don't count, and it may be invalid.
    given = {"telegram_api": flags.telegram_api, "webhook.url": flags.webhook}
    loaded = load_config({**options.flags, **given}, with_file=False)
    dialogue = Dialogue(Catalogue(loaded.config.language), asks=not flags.yes)
    answers = _answers(dialogue, options, loaded, flags)
    unit = _wants_unit(dialogue, flags)
    write_files(dialogue, path, answers, SystemClock(), force=flags.force, unit=unit)
    _say_next(dialogue, path, answers)


def _answers(dialogue: "Dialogue", options: Options, loaded: "LoadedConfig", flags: InitFlags) -> "Answers":
    from tgllm.api.clock import SystemClock  # noqa: PLC0415  only a run of this command needs it
    from tgllm.cli.commands.init.admin_step import ask_admins, read_admins  # noqa: PLC0415  only a run needs it
    from tgllm.cli.commands.init.bot_step import ask_token, free_updates  # noqa: PLC0415  only a run needs it
    from tgllm.cli.commands.init.provider_step import choose_provider  # noqa: PLC0415  only a run needs it
    from tgllm.cli.commands.init.result import Answers  # noqa: PLC0415  only a run of this command needs it
    from tgllm.services.setup.providers import ProviderSetup  # noqa: PLC0415  only a run of this command needs it

    config = loaded.config
    # Read before anything is asked, since they may be wrong.
    named = read_admins(flags.admins) if flags.admins else dict.fromkeys(config.admin_ids, "")
    bot = ask_token(dialogue, config.telegram_api, _given_token(loaded, flags), check=flags.check)
    webhook = free_updates(dialogue, bot, config.webhook.url) if bot.facts is not None else None
    admins = named or ask_admins(dialogue, bot, webhook, flags.wait)
    chosen = choose_provider(dialogue, ProviderSetup(loaded, SystemClock(), plugins=options.plugins), flags)
    given = options.flags.get("data_dir")
    data_dir = None if given is None else Path(str(given)).expanduser().absolute()
    return Answers(bot, admins, chosen, data_dir, config.webhook.url)


def _given_token(loaded: "LoadedConfig", flags: InitFlags) -> str | None:
    from tgllm.api.errors import ConfigError  # noqa: PLC0415  only a run of this command needs it
    from tgllm.cli.commands.init.dialogue import read_secret  # noqa: PLC0415  only a run of this command needs it
    from tgllm.config.checks import bot_token  # noqa: PLC0415  only a run of this command needs it

    if flags.token_file is None:
        return None if loaded.config.bot_token is None else loaded.config.bot_token.get_secret_value()
    try:
        return str(bot_token(read_secret(flags.token_file, "--token-file")))
    except ValueError as error:
        raise ConfigError(f"--token-file: it {error}") from None


def _wants_unit(dialogue: "Dialogue", flags: InitFlags) -> bool:
    from tgllm.services.setup.unit import has_systemd  # noqa: PLC0415  only a run of this command needs it

    if flags.systemd is not None:
        return flags.systemd
    return dialogue.asks and has_systemd() and dialogue.confirm("init.unit", default=False)


def _say_next(dialogue: "Dialogue", path: Path, answers: "Answers") -> None:
    bot, chosen = answers.bot, answers.chosen
    if bot.facts is None:
        dialogue.say("init.token_unchecked")
    if chosen.unchecked:
        dialogue.say("init.key_unchecked", provider=chosen.title, reason=chosen.unchecked)
    if chosen.shadowed:
        dialogue.say("init.key_shadowed", variable=chosen.shadowed)
    if not chosen.model:
        dialogue.say("shell.only_echo")
    if bot.facts is not None and bot.facts.username:
        dialogue.say("init.next", url=f"https://t.me/{bot.facts.username}")
    dialogue.say("init.start", command=f"tgllm run{_config_flag(path)}")


def _config_flag(path: Path) -> str:
    from tgllm.config.load import config_place  # noqa: PLC0415  only a run of this command needs it

    return "" if path == config_place()[0] else f" --config {shlex.quote(str(path))}"
