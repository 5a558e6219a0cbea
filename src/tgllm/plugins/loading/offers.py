"""Offers of a plugin: its providers, commands, file handlers, transcribers, jobs and tools."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tgllm.api.commands import ChatCommand
from tgllm.api.files import FileHandler, Transcriber
from tgllm.api.jobs import JobSpec
from tgllm.api.provider import ProviderSpec
from tgllm.api.tools import ToolSpec
from tgllm.plugins.calls.outcome import Breach
from tgllm.plugins.checks import offers
from tgllm.plugins.checks.tools import check_tool
from tgllm.plugins.checks.values import check_list

__all__ = ["OFFER_HOOKS", "Name", "Offers"]


@dataclass(frozen=True, slots=True)
class Name:
    """Name that only one plugin can have."""

    kind: str
    """Kind of the named object: ``provider``, ``command``, ``file handler``, ``transcriber``, ``job`` or
    ``tool``."""
    text: str

    def __str__(self) -> str:
        return f"{self.kind} {'/' if self.kind == 'command' else ''}{self.text}"


@dataclass(frozen=True, slots=True)
class Offers:
    """All offers of one plugin, each with the rank of the implementation that returned it (0 comes first)."""

    providers: tuple[tuple[int, ProviderSpec], ...] = field(default=())
    commands: tuple[tuple[int, ChatCommand], ...] = field(default=())
    file_handlers: tuple[tuple[int, FileHandler], ...] = field(default=())
    transcribers: tuple[tuple[int, Transcriber], ...] = field(default=())
    jobs: tuple[tuple[int, JobSpec], ...] = field(default=())
    tools: tuple[tuple[int, ToolSpec], ...] = field(default=())

    def names(self) -> Iterable[Name]:
        """Yield every name, including aliases."""
        for _, spec in self.providers:
            yield from (Name("provider", text) for text in (spec.id, *spec.aliases))
        for _, command in self.commands:
            yield from (Name("command", text) for text in (command.name, *command.aliases))
        yield from (Name("file handler", handler.id) for _, handler in self.file_handlers)
        yield from (Name("transcriber", transcriber.id) for _, transcriber in self.transcribers)
        yield from (Name("job", job.id) for _, job in self.jobs)
        yield from (Name("tool", tool.name) for _, tool in self.tools)

    def provides(self) -> tuple[str, ...]:
        """Return descriptions such as ``provider echo`` and ``command /ping``, without aliases."""
        return (
            *(str(Name("provider", spec.id)) for _, spec in self.providers),
            *(str(Name("command", command.name)) for _, command in self.commands),
            *(str(Name("file handler", handler.id)) for _, handler in self.file_handlers),
            *(str(Name("transcriber", transcriber.id)) for _, transcriber in self.transcribers),
            *(str(Name("job", job.id)) for _, job in self.jobs),
            *(str(Name("tool", tool.name)) for _, tool in self.tools),
        )

    def without(self, left_out: Collection[Name]) -> "Offers":
        """Return these offers without some names: an alias is dropped, and what is named so is dropped as a whole."""

        def aliases(kind: str, known: Iterable[str]) -> tuple[str, ...]:
            return tuple(alias for alias in known if Name(kind, alias) not in left_out)

        def others(kind: str, offers: Iterable[tuple[int, Any]]) -> tuple[tuple[int, Any], ...]:
            return tuple((rank, offer) for rank, offer in offers if Name(kind, offer.id) not in left_out)

        return Offers(
            tuple(
                (rank, replace(spec, aliases=aliases("provider", spec.aliases)))
                for rank, spec in others("provider", self.providers)
            ),
            tuple(
                (rank, replace(command, aliases=aliases("command", command.aliases)))
                for rank, command in self.commands
                if Name("command", command.name) not in left_out
            ),
            others("file handler", self.file_handlers),
            others("transcriber", self.transcribers),
            others("job", self.jobs),
            tuple((rank, tool) for rank, tool in self.tools if Name("tool", tool.name) not in left_out),
        )

    def extended(self, hook: str, value: object, rank: int) -> "Offers":
        """Return these offers plus those that an implementation of ``hook`` returned.

        Raises:
            Breach: the value is invalid for the hook.
        """
        offer = OFFER_HOOKS[hook]
        members = check_list(hook, value, offer.kind)
        for member in members:
            _check(hook, offer, member)
        known = getattr(self, offer.field)
        return replace(self, **{offer.field: (*known, *((rank, member) for member in members))})


@dataclass(frozen=True, slots=True)
class _OfferHook:
    field: str
    kind: type[object]
    check: Callable[[Any], None]


OFFER_HOOKS: Mapping[str, _OfferHook] = {
    "tgllm_providers": _OfferHook("providers", ProviderSpec, offers.check_provider),
    "tgllm_commands": _OfferHook("commands", ChatCommand, offers.check_command),
    "tgllm_file_handlers": _OfferHook("file_handlers", FileHandler, offers.check_file_handler),
    "tgllm_transcribers": _OfferHook("transcribers", Transcriber, offers.check_transcriber),
    "tgllm_jobs": _OfferHook("jobs", JobSpec, offers.check_job),
    "tgllm_tools": _OfferHook("tools", ToolSpec, check_tool),
}
"""Hooks that return offers, in the order in which they are called."""


def _check(hook: str, offer: _OfferHook, member: object) -> None:
    try:
        offer.check(member)
    except (AttributeError, TypeError, ValueError) as error:
        raise Breach(f"{hook} returned a {offer.kind.__name__} with a field of the wrong type: {error}") from error
