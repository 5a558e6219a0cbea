"""The tools that a turn may use: what is not allowed is not shown to the model."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from tgllm.api import ChatInfo, ToolDefinition, UserInfo
from tgllm.db.engine.unit import Connection
from tgllm.observe.logs import get_logger
from tgllm.plugins.host import PluginHost
from tgllm.providers.tokens import estimate_tool

if TYPE_CHECKING:
    from tgllm.plugins.owned import OwnedTool
    from tgllm.services.tools.policy import ToolPolicy

__all__ = ["NO_TOOLS", "Offer", "Offering"]

log = get_logger(__name__)

_MOST: Final = 128
"""Most tools of a request, which is what services take."""


@dataclass(frozen=True, slots=True)
class Offer:
    """The tools of one turn."""

    tools: tuple["OwnedTool", ...] = ()

    def find(self, name: str) -> "OwnedTool | None":
        """Return the tool of a name; None if the turn has none of that name."""
        return next((owned for owned in self.tools if owned.tool.name == name), None)

    def title_of(self, name: str, language: str) -> str:
        """Return the title of a tool in a language; its name if it has none."""
        owned = self.find(name)
        if owned is None:
            return name
        return owned.tool.titles.get(language[:2]) or owned.tool.title or name

    @property
    def definitions(self) -> tuple[ToolDefinition, ...]:
        """The tools as they are described to a model."""
        return tuple(map(_definition, self.tools))


NO_TOOLS: Final = Offer()


class Offering:
    """Chooses the tools of turns."""

    def __init__(self, host: PluginHost, policy: "ToolPolicy", most_tokens: int) -> None:
        """Create it.

        Args:
            host: has the tools of the plugins.
            policy: decides who may use what.
            most_tokens: maximum of the estimated tokens of all descriptions; tools beyond it are left out.
        """
        self._host = host
        self._policy = policy
        self._most_tokens = most_tokens
        self._revision: object = None
        self._tools: Sequence[tuple[OwnedTool, int]] = ()
        self._told: set[str] = set()
        """Names of the tools that were reported as left out."""

    def of(self, conn: Connection, user: UserInfo, chat: ChatInfo, off: Collection[str], now: int) -> Offer:
        """Return the tools of a turn.

        Args:
            conn: an open transaction; only reads.
            user: who asks.
            chat: where.
            off: names of tools that are switched off in the chat.
            now: UTC, in milliseconds.
        """
        sized = [(owned, tokens) for owned, tokens in self._sized() if owned.tool.name not in off]
        # All at once: there may be hundreds, and this is part of the transaction that claims a question.
        refusals = self._policy.refusals(conn, [owned for owned, _ in sized], user, chat, now)
        chosen: list[OwnedTool] = []
        left = self._most_tokens
        for (owned, tokens), refusal in zip(sized, refusals, strict=True):
            name = owned.tool.name
            if refusal is not None:
                continue
            if tokens > left or len(chosen) >= _MOST:
                self._report(name, tokens)
                continue
            left -= tokens
            chosen.append(owned)
        return Offer(tuple(chosen)) if chosen else NO_TOOLS

    def _sized(self) -> "Sequence[tuple[OwnedTool, int]]":
        """Return all tools with the tokens of their descriptions, computed when the plugins have changed."""
        revision = self._host.tools_revision
        if revision != self._revision:
            self._tools = [(owned, estimate_tool(_definition(owned))) for owned in self._host.tools]
            self._revision = revision
        return self._tools

    def _report(self, name: str, tokens: int) -> None:
        if name not in self._told:
            self._told.add(name)
            log.warning("tools.left_out", tool=name, tokens=tokens, limit=self._most_tokens)


def _definition(owned: "OwnedTool") -> ToolDefinition:
    return ToolDefinition(owned.tool.name, owned.tool.description, owned.tool.schema)
