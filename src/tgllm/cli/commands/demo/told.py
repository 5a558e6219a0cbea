"""What the demo says about a plugin that is not installed: what it offers, or why it does not load."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tgllm.testing.local.plugins import Tried
    from tgllm.testing.local.trial import Trial

__all__ = ["told"]


def told(tried: "Tried", *, again: bool = False) -> str:
    """Return lines about the plugins of one path, after the first time or ``again``."""
    if tried.problem:
        return f"{tried.path}: {tried.problem}{_goes_on(again=again)}"
    return "\n".join(line for trial in tried.trials for line in _lines(trial, again=again))


def _lines(trial: "Trial", *, again: bool) -> Iterator[str]:
    name = f"{trial.found.id} {trial.found.version}"
    if trial.problem:
        yield f"Plugin {name} does not load: {trial.problem}{_goes_on(again=again)}"
        return
    offers = ", ".join(trial.offers) or "nothing to try"
    yield f"Plugin {name} is loaded{' again' if again else ''}: {offers}"
    for command, description in trial.commands.items():
        yield f"  write /{command}: {description}"
    if trial.endings:
        yield f"  send a file: {' '.join(trial.endings)}"
    for job, cron in trial.jobs.items():
        yield f"  the job {job} runs at {cron}"
    if trial.model:
        yield f"  write anything: {trial.model} answers, and /model shows its other models"
    elif trial.why_no_model:
        yield f"  its models don't answer yet: {trial.why_no_model}"


def _goes_on(*, again: bool) -> str:
    if again:
        return "\nThe bot goes on with what it has; save a file of the plugin to try again."
    return "\nThe bot runs without it; save a file of the plugin to try again."
