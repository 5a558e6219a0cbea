"""What commands ask of the opened core."""

from collections.abc import Iterator

from tgllm.api.errors import ConfigError
from tgllm.config.load import LoadedConfig
from tgllm.plugins.registration import nearest
from tgllm.scheduler.jobs import refresh_times
from tgllm.services.core import Core

__all__ = ["raise_config_errors", "warnings"]


def raise_config_errors(core: Core) -> None:
    """Raise what is wrong with the settings of plugins, and with the times of the refresh.

    Raises:
        ConfigError: a sentence for each problem, one a line.
    """
    problems = [str(error) for error in core.host.config_errors]
    try:
        refresh_times(core.config.refresh_cron, core.config.time_zone)
    except ConfigError as error:
        problems.append(str(error))
    if problems:
        raise ConfigError("\n".join(problems))


def warnings(core: Core, loaded: LoadedConfig) -> Iterator[str]:
    """What an operator should know of the plugins, a sentence each; the bot runs all the same."""
    for record in core.host.records:
        if record.state in {"quarantined", "missing"}:
            yield core.texts("shell.plugin_warning", plugin=record.id, reason=record.reason)
    known = {record.id for record in core.host.records}
    for plugin in loaded.plugins.ids:
        if plugin not in known:
            yield core.texts("shell.plugin_not_installed", plugin=plugin)
    for plugin in loaded.config.disable_plugins:
        if plugin not in known:
            yield core.texts("shell.plugin_disabled_unknown", plugin=plugin, hint=nearest(plugin, known))
