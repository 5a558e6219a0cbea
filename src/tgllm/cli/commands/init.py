"""``tgllm init``: prompts for the required settings, and writes the config file."""

import asyncio
import shlex
import sys
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, TypeVar, cast

import typer

from tgllm.api.clock import SystemClock
from tgllm.api.errors import ConfigError
from tgllm.cli.failure import tell_raw
from tgllm.cli.options import options_of
from tgllm.cli.output import ask, say
from tgllm.config.checks import admin_ids, bot_token
from tgllm.config.load import LoadedConfig, config_place, load_config
from tgllm.config.sources.config_files import is_there
from tgllm.config.write import TomlValue, toml_text, write_config
from tgllm.i18n import Catalogue

if TYPE_CHECKING:
    from tgllm.services.models.readiness import Readiness

__all__ = ["app"]

T = TypeVar("T")

app = typer.Typer(rich_markup_mode=None, add_completion=False)


@app.command()
def init(
    ctx: typer.Context,
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing config file.")] = False,
) -> None:
    """Ask for the required settings, and write the config file.

    Get the token from @BotFather on Telegram, and your user id from a bot such as @userinfobot. Your input is stored
    only in the config file on this machine, which only you can read.
    """
    options = options_of(ctx)
    options.quiet_log()
    path, _ = config_place(options.config)
    if is_there(path) and not force:
        raise ConfigError(f"{path}: is there already; edit it, or write it anew with --force")
    # Without the existing config file, which is replaced: its settings don't count, and it may be invalid.
    loaded = load_config(with_file=False)
    settings: dict[str, TomlValue] = {
        "bot_token": _ask("Bot token", _token, hidden=True),
        "admin_ids": list(_ask("Telegram user ids of the admins, with spaces between them", _some_admins)),
    }
    if options.flags.get("data_dir") is not None:
        settings["data_dir"] = str(Path(str(options.flags["data_dir"])).expanduser().absolute())
    keyed: list[str] = []
    found = asyncio.run(_providers(loaded, plugins=options.plugins))
    for plugin, title in found.without_key:
        if key := _ask(f"Key for {title} (empty: none)", _key, hidden=True, default=""):
            settings[f"plugins.{plugin}.api_key"] = key
            keyed.append(title)
    write_config(path, toml_text(settings), replace=force)
    say(f"Written: {path}")
    ready = replace(found.readiness, others=(*found.readiness.others, *keyed))
    for sentence in ready.sentences(Catalogue()):
        say(sentence)
    say(f"Start the bot with: tgllm run{_config_flag(path)}")


def _ask(question: str, check: Callable[[str], T], *, hidden: bool = False, default: str | None = None) -> T:
    """Prompt until ``check`` accepts the answer."""
    while True:
        answer = ask(question, hidden=hidden and _terminal(), default=default)
        try:
            return check(answer)
        except ValueError as error:
            tell_raw(f"It {error}.\n")


def _token(answer: str) -> str:
    return str(bot_token(answer))


def _some_admins(answer: str) -> tuple[int, ...]:
    return cast("tuple[int, ...]", admin_ids(answer))


def _key(answer: str) -> str:
    key = answer.strip()
    if not key.isprintable():
        # Such as a lone surrogate from a terminal with another encoding, which no file could store.
        raise ValueError("must be letters, digits and signs on one line, as its provider shows it")
    return key


def _terminal() -> bool:
    # Hidden prompts of something other than a terminal print a warning and are not hidden.
    return sys.stdin.isatty()


def _config_flag(path: Path) -> str:
    return "" if path == config_place()[0] else f" --config {shlex.quote(str(path))}"


@dataclass(frozen=True, slots=True)
class _Providers:
    without_key: list[tuple[str, str]]
    """Plugin id and title of each provider with an unset setting ``api_key``."""
    readiness: "Readiness"


async def _providers(loaded: LoadedConfig, *, plugins: bool) -> _Providers:
    """Look at the installed providers, with the settings of the environment."""
    from tgllm.observe.logs import get_logger  # noqa: PLC0415  slow to import, and not needed for the first questions
    from tgllm.plugins import HostServices, PluginChoice, PluginHost, discover  # noqa: PLC0415
    from tgllm.services.models.readiness import ECHO, Readiness  # noqa: PLC0415
    from tgllm.services.models.registry import ProviderRegistry  # noqa: PLC0415

    with TemporaryDirectory() as folder:
        host = await PluginHost.load(
            discover(),
            HostServices(None, Path(folder), SystemClock(), Catalogue(), get_logger),
            settings=loaded.plugins,
            choice=PluginChoice(others=plugins, disabled=frozenset(loaded.config.disable_plugins)),
        )
        async with host, aclosing(ProviderRegistry(host)) as registry:
            offered = [(owned, owned.context.settings) for owned in host.providers]
            keyless = [
                (owned.plugin_id, owned.spec.title)
                for owned, given in offered
                if getattr(given, "api_key", "no such setting") is None
            ]
            default = loaded.config.default_model
            is_echo = default.partition("/")[0] == ECHO
            ready = Readiness.of_statuses(default, await registry.statuses()) if is_echo else Readiness(default)
            return _Providers(keyless, ready)
