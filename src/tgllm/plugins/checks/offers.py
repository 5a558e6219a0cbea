"""Validation of the providers, commands, file handlers, transcribers and jobs of plugins."""

import inspect
import sys
from typing import get_args

from tgllm.api.commands import Access, ChatCommand
from tgllm.api.files import FileHandler, Transcriber
from tgllm.api.jobs import JobSpec
from tgllm.api.provider import ProviderSpec
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks.forms import COMMAND, ID, LANGUAGE, MIME_TYPE, SUFFIX, check_form
from tgllm.plugins.checks.values import called, check_callable, check_text, texts_of

__all__ = ["check_command", "check_file_handler", "check_job", "check_provider", "check_transcriber"]

_LONGEST_DESCRIPTION = 256  # Bot API: BotCommand
_CRON_FIELDS = 5


def check_provider(spec: ProviderSpec) -> None:
    """Check a provider.

    Raises:
        Breach: names the invalid field.
    """
    for name in (spec.id, *texts_of(f"the aliases of provider {spec.id}", spec.aliases)):
        check_form("the provider id", name, ID)
    check_text(f"the title of provider {spec.id}", spec.title)
    check_callable(f"create of provider {spec.id}", spec.create, "PluginContext")


def check_command(command: ChatCommand) -> None:
    """Check a command against the rules of Telegram and of the bot.

    Raises:
        Breach: names the invalid field.
    """
    for name in (command.name, *texts_of(f"the aliases of /{command.name}", command.aliases)):
        check_form("the command name", name, COMMAND)
    for text in (command.description, *command.descriptions.values()):
        check_text(f"a description of /{command.name}", text, _LONGEST_DESCRIPTION)
    for language in command.descriptions:
        check_form(f"the language of a description of /{command.name}", language, LANGUAGE)
    if command.access not in get_args(Access):
        raise Breach(f"the access of /{command.name} is {command.access!r} instead of {' or '.join(get_args(Access))}")
    check_callable(f"the handler of /{command.name}", command.handler, "CommandCall")


def check_file_handler(handler: FileHandler) -> None:
    """Check a file handler, which must be importable in a child process.

    Raises:
        Breach: names the invalid field.
    """
    check_form("the file handler id", handler.id, ID)
    _check_kinds(f"file handler {handler.id}", handler.mime_types)
    for suffix in texts_of(f"suffixes of file handler {handler.id}", handler.suffixes):
        check_form(f"the ending that {handler.id} takes", suffix, SUFFIX)
    what, extract = f"extract of file handler {handler.id}", handler.extract
    check_callable(what, extract, "Path", "ExtractionLimits")
    module = sys.modules.get(getattr(extract, "__module__", ""))
    if getattr(module, getattr(extract, "__qualname__", ""), None) is not extract:
        raise Breach(f"{what} is no function at the top of a module: another process finds it there by its name")
    if inspect.iscoroutinefunction(extract) or inspect.isgeneratorfunction(extract):
        raise Breach(f"{what} must be a plain function: it runs in a process of its own, where it may block")


def check_transcriber(transcriber: Transcriber) -> None:
    """Check a transcriber.

    Raises:
        Breach: names the invalid field.
    """
    check_form("the transcriber id", transcriber.id, ID)
    _check_kinds(f"transcriber {transcriber.id}", transcriber.mime_types)
    check_callable(f"transcribe of transcriber {transcriber.id}", transcriber.transcribe, "Recording")


def _check_kinds(whose: str, mime_types: frozenset[str]) -> None:
    """Check the kinds of files that a handler or transcriber takes.

    Raises:
        Breach: names the invalid kind.
    """
    if not mime_types:
        raise Breach(f"{whose} names no kind of file in mime_types")
    for kind in texts_of(f"mime_types of {whose}", mime_types):
        check_form(f"the kind of file that {whose} takes", kind, MIME_TYPE)


def check_job(job: JobSpec) -> None:
    """Check a job; its cron expression is parsed only by the scheduler.

    Raises:
        Breach: names the invalid field.
    """
    check_form("the job id", job.id, ID)
    check_text(f"the title of job {job.id}", job.title)
    check_text(f"the cron of job {job.id}", job.cron)
    if len(job.cron.split()) != _CRON_FIELDS:
        fields = "minute, hour, day, month, weekday"
        raise Breach(f"the cron of job {job.id} is {job.cron!r} instead of 5 fields such as '0 4 * * *' ({fields})")
    if not isinstance(job.timeout, int | float):  # pyright: ignore[reportUnnecessaryIsInstance]  from a plugin
        raise Breach(f"the timeout of job {job.id} is {called(job.timeout)} instead of a number of seconds")
    # Not "<= 0", which is false for NaN.
    if not job.timeout > 0:
        raise Breach(f"the timeout of job {job.id} is not more than 0 s")
    check_callable(f"run of job {job.id}", job.run, "PluginContext")
