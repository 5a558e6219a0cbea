"""Check what hooks return, so that a mistake is told by name at start and not met later in a chat."""

import inspect
import re
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar, cast, get_args

from tgllm.api.commands import Access, ChatCommand
from tgllm.api.files import FileHandler
from tgllm.api.jobs import JobSpec
from tgllm.api.provider import ProviderSpec
from tgllm.plugins.outcome import Breach

__all__ = [
    "check_command",
    "check_file_handler",
    "check_folder",
    "check_id",
    "check_job",
    "check_list",
    "check_provider",
    "check_value",
    "refuse_async",
]

T = TypeVar("T")

_ID = re.compile(r"[a-z][a-z0-9_]*")
_COMMAND = re.compile(r"[a-z][a-z0-9_]{0,31}")  # Bot API: BotCommand
_MIME_TYPE = re.compile(r"[\w.+-]+/([\w.+-]+|\*)|\*/\*")
_LONGEST_DESCRIPTION = 256  # Bot API: BotCommand
_CRON_FIELDS = 5


def check_value(hook: str, value: object, kind: type[T]) -> T:
    """``value`` if it is of ``kind``.

    Raises:
        Breach: it is not.
    """
    if isinstance(value, kind):
        return value
    raise Breach(f"{hook} returned {_called(value)} instead of {_article(kind)}")


def check_list(hook: str, value: object, kind: type[T]) -> tuple[T, ...]:
    """The members of ``value`` if it is a list or tuple of ``kind``.

    Raises:
        Breach: it is not, or one of its members is something else.
    """
    if not isinstance(value, list | tuple):
        raise Breach(f"{hook} returned {_called(value)} instead of a list of {kind.__name__}")
    members = cast("Sequence[object]", value)
    for member in members:
        if not isinstance(member, kind):
            raise Breach(f"{hook} returned a list with {_called(member)} in it instead of {_article(kind)}")
    return cast("tuple[T, ...]", tuple(members))


def check_id(what: str, value: object) -> None:
    """Refuse what is no id.

    Raises:
        Breach: ``value`` breaks the pattern of ids.
    """
    _match(what, value, _ID)


def check_folder(what: str, value: object) -> None:
    """Refuse what is neither a path nor nothing.

    Raises:
        Breach: it is something else.
    """
    if value is not None and not isinstance(value, Path):
        raise Breach(f"{what} are {_called(value)} instead of a pathlib.Path")


def check_provider(spec: ProviderSpec) -> None:
    """Refuse a provider that could not be used.

    Raises:
        Breach: says which field is wrong.
    """
    for name in (spec.id, *_strings(f"the aliases of provider {spec.id}", spec.aliases)):
        _match("the provider id", name, _ID)
    _check_callable(f"create of provider {spec.id}", spec.create)


def check_command(command: ChatCommand) -> None:
    """Refuse a command that Telegram or the bot could not take.

    Raises:
        Breach: says which field is wrong.
    """
    for name in (command.name, *_strings(f"the aliases of /{command.name}", command.aliases)):
        _match("the command name", name, _COMMAND)
    for text in (command.description, *command.descriptions.values()):
        if not 1 <= len(text) <= _LONGEST_DESCRIPTION:
            raise Breach(f"a description of /{command.name} is not 1 to {_LONGEST_DESCRIPTION} characters long")
    if command.access not in get_args(Access):
        raise Breach(f"the access of /{command.name} is {command.access!r} instead of {' or '.join(get_args(Access))}")
    _check_callable(f"the handler of /{command.name}", command.handler)


def check_file_handler(handler: FileHandler) -> None:
    """Refuse a file handler that could not be run in a process of its own.

    Raises:
        Breach: says which field is wrong.
    """
    _match("the file handler id", handler.id, _ID)
    if not handler.mime_types:
        raise Breach(f"file handler {handler.id} names no kind of file in mime_types")
    for kind in _strings(f"mime_types of file handler {handler.id}", handler.mime_types):
        _match(f"the kind of file that {handler.id} takes", kind, _MIME_TYPE)
    _check_callable(f"extract of file handler {handler.id}", handler.extract)
    module = sys.modules.get(getattr(handler.extract, "__module__", ""))
    if getattr(module, getattr(handler.extract, "__qualname__", ""), None) is not handler.extract:
        raise Breach(f"extract of file handler {handler.id} is no function at the top of a module")


def check_job(job: JobSpec) -> None:
    """Refuse a job that could not be scheduled.

    Raises:
        Breach: says which field is wrong.
    """
    _match("the job id", job.id, _ID)
    if len(job.cron.split()) != _CRON_FIELDS:
        raise Breach(f"the cron of job {job.id} has {len(job.cron.split())} fields instead of {_CRON_FIELDS}")
    if job.timeout <= 0:
        raise Breach(f"the timeout of job {job.id} is not more than 0 s")
    _check_callable(f"run of job {job.id}", job.run)


def refuse_async(hook: str, function: Callable[..., object]) -> None:
    """Refuse an asynchronous implementation of a hook that is called before the event loop does any work.

    Raises:
        Breach: the function is asynchronous or a generator.
    """
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise Breach(f"{hook} is async, and this hook must be a plain function")


def _match(what: str, value: object, pattern: re.Pattern[str]) -> None:
    if not (isinstance(value, str) and pattern.fullmatch(value)):
        raise Breach(f"{what} {value!r} must look like {pattern.pattern}")


def _strings(what: str, values: Iterable[str]) -> Iterable[str]:
    if isinstance(values, str):
        raise Breach(f"{what} are the text {values!r} instead of a tuple of texts")
    return values


def _check_callable(what: str, value: object) -> None:
    if not callable(value):
        raise Breach(f"{what} is {_called(value)} and can't be called")


def _called(value: object) -> str:
    return "nothing" if value is None else _article(type(value))


def _article(kind: type) -> str:
    return f"{'an' if kind.__name__[0] in 'AEIOUaeio' else 'a'} {kind.__name__}"
