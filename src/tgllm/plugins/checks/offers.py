"""Validation of the providers, commands, file handlers, transcribers and jobs of plugins."""

import inspect
import re
import sys
from typing import get_args

from tgllm.api.commands import Access, ChatCommand
from tgllm.api.files import FileHandler, Transcriber
from tgllm.api.jobs import JobSpec
from tgllm.api.provider import ProviderSpec
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks.values import ID, check_callable, check_match, check_text, texts_of

__all__ = ["check_command", "check_file_handler", "check_job", "check_provider", "check_transcriber"]

_COMMAND = re.compile(r"[a-z][a-z0-9_]{0,31}")  # Bot API: BotCommand
_LANGUAGE = re.compile(r"[a-z]{2}")
_MIME_TYPE = re.compile(r"[\w.+-]+/([\w.+-]+|\*)|\*/\*")
_SUFFIX = re.compile(r"\.[a-z0-9_+-]{1,16}")
_LONGEST_DESCRIPTION = 256  # Bot API: BotCommand
_CRON_FIELDS = 5


def check_provider(spec: ProviderSpec) -> None:
    """Check a provider.

    Raises:
        Breach: names the invalid field.
    """
    for name in (spec.id, *texts_of(f"the aliases of provider {spec.id}", spec.aliases)):
        check_match("the provider id", name, ID)
    check_text(f"the title of provider {spec.id}", spec.title)
    check_callable(f"create of provider {spec.id}", spec.create)


def check_command(command: ChatCommand) -> None:
    """Check a command against the rules of Telegram and of the bot.

    Raises:
        Breach: names the invalid field.
    """
    for name in (command.name, *texts_of(f"the aliases of /{command.name}", command.aliases)):
        check_match("the command name", name, _COMMAND)
    for text in (command.description, *command.descriptions.values()):
        check_text(f"a description of /{command.name}", text, _LONGEST_DESCRIPTION)
    for language in command.descriptions:
        check_match(f"the language of a description of /{command.name}", language, _LANGUAGE)
    if command.access not in get_args(Access):
        raise Breach(f"the access of /{command.name} is {command.access!r} instead of {' or '.join(get_args(Access))}")
    check_callable(f"the handler of /{command.name}", command.handler)


def check_file_handler(handler: FileHandler) -> None:
    """Check a file handler, which must be importable in a child process.

    Raises:
        Breach: names the invalid field.
    """
    check_match("the file handler id", handler.id, ID)
    _check_kinds(f"file handler {handler.id}", handler.mime_types)
    for suffix in texts_of(f"suffixes of file handler {handler.id}", handler.suffixes):
        check_match(f"the ending that {handler.id} takes", suffix, _SUFFIX)
    what, extract = f"extract of file handler {handler.id}", handler.extract
    check_callable(what, extract)
    module = sys.modules.get(getattr(extract, "__module__", ""))
    if getattr(module, getattr(extract, "__qualname__", ""), None) is not extract:
        raise Breach(f"{what} is no function at the top of a module")
    if inspect.iscoroutinefunction(extract) or inspect.isgeneratorfunction(extract):
        raise Breach(f"{what} must be a plain function: it runs in a process of its own, where it may block")


def check_transcriber(transcriber: Transcriber) -> None:
    """Check a transcriber.

    Raises:
        Breach: names the invalid field.
    """
    check_match("the transcriber id", transcriber.id, ID)
    _check_kinds(f"transcriber {transcriber.id}", transcriber.mime_types)
    check_callable(f"transcribe of transcriber {transcriber.id}", transcriber.transcribe)


def _check_kinds(whose: str, mime_types: frozenset[str]) -> None:
    """Check the kinds of files that a handler or transcriber takes.

    Raises:
        Breach: names the invalid kind.
    """
    if not mime_types:
        raise Breach(f"{whose} names no kind of file in mime_types")
    for kind in texts_of(f"mime_types of {whose}", mime_types):
        check_match(f"the kind of file that {whose} takes", kind, _MIME_TYPE)


def check_job(job: JobSpec) -> None:
    """Check a job; its cron expression is parsed only by the scheduler.

    Raises:
        Breach: names the invalid field.
    """
    check_match("the job id", job.id, ID)
    check_text(f"the title of job {job.id}", job.title)
    if len(job.cron.split()) != _CRON_FIELDS:
        raise Breach(f"the cron of job {job.id} has {len(job.cron.split())} fields instead of {_CRON_FIELDS}")
    # Not "<= 0", which is false for NaN.
    if not job.timeout > 0:
        raise Breach(f"the timeout of job {job.id} is not more than 0 s")
    check_callable(f"run of job {job.id}", job.run)
