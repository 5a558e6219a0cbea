"""Trial of a plugin before the bot uses it: whether it loads, what it offers, and which of its models answers."""

import asyncio
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tgllm.api.clock import SystemClock
from tgllm.api.errors import ProviderError
from tgllm.config.load import load_config
from tgllm.i18n import Catalogue
from tgllm.observe.logs import get_logger
from tgllm.plugins.calls.outcome import explain
from tgllm.plugins.discovery import FoundPlugin
from tgllm.plugins.host import PluginHost
from tgllm.plugins.loading.assemble import PluginChoice
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.plugins.loading.contexts import HostServices
from tgllm.plugins.owned import OwnedProvider

__all__ = ["Trial", "try_plugin"]

_ADVICE = (
    "the demo installs nothing: install what the plugin requires, such as by pip install --editable and its folder"
)
LIST_SECONDS = 10.0
"""Timeout of a list of models."""


@dataclass(frozen=True, slots=True)
class Trial:
    """Result of a trial."""

    found: FoundPlugin
    problem: str = ""
    """Why it does not load, with the place in its code; empty if it loads."""
    offers: tuple[str, ...] = ()
    """Such as ``provider echo`` and ``command /ping``."""
    commands: Mapping[str, str] = field(default_factory=dict[str, str])
    """Descriptions of its chat commands, by name."""
    endings: tuple[str, ...] = ()
    """Endings and types of files that it reads."""
    jobs: Mapping[str, str] = field(default_factory=dict[str, str])
    """Cron expressions of its jobs, by id."""
    variables: tuple[str, ...] = ()
    """Environment variables of its own that it reads, such as that of a key."""
    model: str = ""
    """A reference of its first model; empty if there is none."""
    why_no_model: str = ""
    """Why its provider has no model that answers; empty if it has no provider."""


async def try_plugin(
    found: FoundPlugin, environ: Mapping[str, str], variables: Mapping[str, str], folder: Path, root: Path
) -> Trial:
    """Load a plugin apart from the bot, and look at what it offers.

    Args:
        found: the plugin.
        environ: variables with settings.
        variables: all variables; the plugin gets those of them that it declares.
        folder: an empty folder for its files.
        root: the folder of its modules.
    """
    services = HostServices(None, folder, SystemClock(), Catalogue(), get_logger)
    choice = PluginChoice(builtin=False)
    infos = await PluginHost.describe([found], services, choice=choice)
    declared = tuple(infos[found.id].env.values()) if found.id in infos else ()
    own = {name: variables[name] for name in declared if name in variables}
    settings = load_config({"data_dir": str(folder)}, environ={**environ, **own}, cwd=folder).plugins
    host = await PluginHost.load([found], services, settings=settings, choice=choice, reserved_commands=CORE_COMMANDS)
    async with host:
        (record,) = host.records
        if record.state != "active":
            place = await _place_of_failure(host, root)
            return Trial(found, f"{record.reason}{place}", variables=declared)
        if record.left_out:
            # The bot would go on without what clashes; its author has to rename it.
            return Trial(found, "; ".join(record.left_out), variables=declared)
        model, why_not = await _first_model(host.providers[0]) if host.providers else ("", "")
        commands = [owned.command for owned in host.commands]
        handlers = [owned.handler for owned in host.file_handlers]
        return Trial(
            found,
            offers=record.provides,
            commands={command.name: command.description for command in commands},
            endings=tuple(sorted({each for one in handlers for each in one.suffixes or one.mime_types})),
            jobs={owned.job.id: owned.job.cron for owned in host.jobs},
            variables=declared,
            model=model,
            why_no_model=why_not,
        )


async def _place_of_failure(host: PluginHost, root: Path) -> str:
    """Return lines with the file and line of the plugin's code in which it failed, and advice; empty if not known."""
    failures: list[BaseException] = []
    host.report_to(lambda _plugin, _reason, failure: failures.append(failure))
    # The plugin is not active, so that nothing of it is started: the failure is reported.
    await host.startup()
    causes = [cause for failure in failures for cause in _causes(failure)]
    places = [place for cause in causes for place in _places(cause, root)]
    lines = [*places[-1:], *(_ADVICE for cause in causes if isinstance(cause, ModuleNotFoundError))]
    return "".join(f"\n  {line}" for line in lines)


def _causes(failure: BaseException) -> list[BaseException]:
    causes = [failure]
    while (cause := causes[-1].__cause__) is not None and cause not in causes:
        causes.append(cause)
    return causes


def _places(error: BaseException, root: Path) -> Iterator[str]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        file = Path(frame.f_code.co_filename)
        if file.is_relative_to(root):
            yield f"{file}, line {line}"
    if isinstance(error, SyntaxError) and error.filename:
        yield f"{error.filename}, line {error.lineno}: {(error.text or '').strip()}"


async def _first_model(owned: OwnedProvider) -> tuple[str, str]:
    """Return a reference of the first model of a provider, or why there is none."""
    try:
        provider = await asyncio.to_thread(owned.spec.create, owned.context)
        try:
            async with asyncio.timeout(LIST_SECONDS):
                models = await provider.list_models()
        finally:
            await provider.aclose()
    except TimeoutError:
        return "", f"its list of models did not come within {LIST_SECONDS:g} s"
    except ProviderError as error:
        return "", str(error)
    except Exception as error:  # noqa: BLE001  a plugin may raise anything
        return "", f"its models can't be listed: {explain(error)}"
    return (f"{owned.spec.id}/{models[0].id}", "") if models else ("", "its list of models is empty")
