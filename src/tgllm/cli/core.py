"""Checks of the opened core that several commands share."""

from collections.abc import Iterator, Sequence

from tgllm.api.errors import ConfigError
from tgllm.config.load import LoadedConfig
from tgllm.plugins.loading.registration import nearest
from tgllm.services.core import Core
from tgllm.services.models.readiness import look_at_fallbacks, look_at_models

__all__ = ["config_problems", "model_warnings", "raise_config_errors", "warnings"]


def config_problems(core: Core) -> list[str]:
    """Return the errors in the settings of plugins and in schedules, a sentence each."""
    problems = [str(error) for error in core.host.config_errors]
    config = core.config
    if not {"refresh_cron", "backups"} & config.model_fields_set:
        return problems
    from tgllm.scheduler.clock import backup_times, refresh_times  # noqa: PLC0415  APScheduler; the defaults are right

    for times, cron in ((refresh_times, config.refresh_cron), (backup_times, config.backups.schedule)):
        try:
            times(cron, config.time_zone)
        except ConfigError as error:
            problems.append(str(error))
    return problems


def raise_config_errors(core: Core) -> None:
    """Raise an error if ``config_problems`` finds any problem.

    Raises:
        ConfigError: a line for each problem.
    """
    if problems := config_problems(core):
        raise ConfigError("\n".join(problems))


async def model_warnings(core: Core, *, of_echo: bool = True) -> Sequence[str]:
    """Return the warnings about the default model and the fallbacks, a sentence each.

    Args:
        core: the opened core.
        of_echo: whether there is one if only the echo provider answers.
    """
    found = await look_at_models(core.registry, core.database, core.config.default_model)
    fallbacks = await look_at_fallbacks(core.registry, core.database, core.config)
    return [
        *(found.sentences(core.texts) if of_echo or found.problem else ()),
        *(core.texts("shell.fallback_unknown", model=model, reason=why) for model, why in fallbacks.items()),
    ]


def warnings(core: Core, loaded: LoadedConfig) -> Iterator[str]:
    """Yield the warnings about plugins, a sentence each; none of them stops the bot from running."""
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
