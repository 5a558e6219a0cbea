"""Tools, which models may call: their description, a call, and its result. Since 1.2."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, Protocol, TypeAlias

from tgllm.api.files import OutgoingFile
from tgllm.api.people import ChatInfo, Role, UserInfo
from tgllm.api.types import JsonObject

if TYPE_CHECKING:
    from tgllm.api.context import PluginContext

__all__ = ["Ask", "Danger", "Progress", "Source", "ToolHandler", "ToolOutput", "ToolSpec", "ToolUse", "Tools"]

Danger = Literal["read", "write", "dangerous"]
"""What a call of a tool can do: ``read``: it changes nothing; ``write``: it changes something, within what the person
may do anyway; ``dangerous``: it changes what can't be undone, costs money, or reaches other people, so that each call
needs an approval. Everything but ``read`` is closed until the operator or an admin opens it."""


@dataclass(frozen=True, slots=True)
class Source:
    """A page or document that a tool's result is based on; shown below the answer as a link."""

    url: str
    """``https://`` or ``http://`` URL; others are not shown."""
    title: str = ""
    """Text of the link; if empty, the host name."""


@dataclass(frozen=True, slots=True)
class ToolOutput:
    """Result of a call."""

    text: str
    """What the model reads: plain text, Markdown or JSON. A long one is truncated, with a note to the model."""
    sources: tuple[Source, ...] = ()
    files: tuple[OutgoingFile, ...] = ()
    """Files that are sent with the answer; the model does not see them."""
    is_error: bool = False
    """Whether the call has failed, so that ``text`` is the reason; the model may try again."""


class Progress(Protocol):
    """Shows in the chat what a call is doing."""

    def __call__(self, text: str = "", done: int | None = None, total: int | None = None) -> None:
        """Show the state of the call; it returns at once, and the chat shows the latest state in its own time.

        Args:
            text: what is being done, such as the title of a page; a few words.
            done: how much is done.
            total: how much there is to do.
        """
        ...


class Ask(Protocol):
    """Asks the person a question with buttons, in the middle of a call."""

    async def __call__(self, question: str, choices: Sequence[str] = (), *, url: str = "") -> str | None:
        """Return the pressed choice; None if the person declined, or did not answer in time.

        Only the person who has asked the model can press. The time limit of the call stands still meanwhile. The
        questions of a call are asked one after another, at most 10 of them.

        Args:
            question: plain text, at most 1,000 characters.
            choices: labels of the buttons, at most 20; empty: a button that says that it is done.
            url: page that a further button opens, such as one to sign in.
        """
        ...


@dataclass(frozen=True, slots=True)
class ToolUse:
    """One call of a tool by a model, on behalf of the person whose question it answers."""

    id: str
    """Unique; it stays the same if the call is made again after a crash."""
    tool: str
    """Name of the tool."""
    arguments: JsonObject
    """They are valid for the schema of the tool."""
    user: UserInfo
    """Who has asked the model."""
    chat: ChatInfo
    turn: str
    """``TurnInfo.id``."""
    context: "PluginContext"
    """Context of the plugin that owns the tool."""
    progress: Progress = lambda text="", done=None, total=None: None  # noqa: ARG005  does nothing
    ask: Ask | None = None
    """Asks the person; None where no one can be asked, as in ``tgllm chat``."""


ToolHandler: TypeAlias = Callable[[ToolUse], Awaitable[ToolOutput | str]]
"""Does a call. It is cancelled when its time limit has passed, and when the person stops the answer. ToolFailed tells
the model why the call failed; any other exception is reported as a fault of the plugin, and the model reads only that
it failed."""


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """Description of a tool."""

    name: str
    """``[A-Za-z_][A-Za-z0-9_-]{0,63}``, what all services accept; unique among all tools."""
    description: str
    """For the model: what it does and when to use it. It counts as input tokens in each question."""
    handler: ToolHandler
    schema: JsonObject = field(default_factory=lambda: {"type": "object", "properties": {}})
    """JSON Schema of the arguments, an object. The host checks the arguments of each call by it."""
    access: Role = "user"
    """The lowest role that may use it, unless the operator or an admin has set another."""
    danger: Danger = "dangerous"
    timeout: float = 30.0
    """Time limit of a call, in seconds."""
    repeatable: bool | None = None
    """Whether a call may be made again if a crash left its result unknown; None: only if it is ``read``. Any other call
    is not made again: the model and the person read that it is unknown whether it happened."""
    title: str = ""
    """Shown in the chat during a call, such as ``🔎 searching``; if empty, the name."""
    titles: Mapping[str, str] = field(default_factory=dict[str, str])
    """The title in other languages, by two-letter language code."""

    @property
    def may_repeat(self) -> bool:
        """Whether a call may be made again after a crash."""
        return self.danger == "read" if self.repeatable is None else self.repeatable


class Tools(Protocol):
    """The tools of a plugin that are known only while it runs, such as those of a server."""

    def replace(self, tools: Sequence[ToolSpec], group: str = "") -> Sequence[str]:
        """Replace the plugin's tools of a group by others; an empty sequence removes them.

        Args:
            tools: the tools; running calls of tools that are removed go on.
            group: names the tools that are replaced, such as a server; those of ``tgllm_tools`` have no group.

        Returns:
            Why tools are left out, one sentence each: a name is taken or a field is invalid.
        """
        ...
