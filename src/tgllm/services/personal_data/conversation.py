"""Export of a conversation as Markdown or JSON."""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from tgllm.api import Json
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, files, messages
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.files import File
from tgllm.db.tables.messages import Message
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.observe.visible import visible_json
from tgllm.services.chats.facts import facts_in
from tgllm.services.common.times import iso_time, readable_time
from tgllm.services.conversations.tool_steps import ToolSteps
from tgllm.services.conversations.tool_words import cited, is_web
from tgllm.services.personal_data.containment import contained, inline
from tgllm.services.personal_data.plugin_data import PluginData, load_plugin_data, plugin_objects
from tgllm.services.tools.results import sources_of

__all__ = [
    "Exported",
    "ExportedMessage",
    "Say",
    "as_json",
    "as_markdown",
    "fact_lines",
    "load_export",
    "message_blocks",
    "message_object",
    "with_attached",
]

FORMAT = "tgllm-conversation"
VERSION = 1
MOST_TITLE = 200
"""Maximum length of a title or a name in UTF-16 units."""
MOST_MESSAGES = 100_000
"""Maximum number of messages in a file; the latest ones are exported."""

Places = Mapping[int, str]
"""Paths of files beside the export, by the id of the file."""

Say = Callable[..., str]
"""Function that returns the text of a key with parameters, in the language of the recipient."""


@dataclass(frozen=True, slots=True)
class ExportedMessage:
    """A message and its attachments."""

    message: Message
    attached: Sequence[File]
    sources: Sequence[tuple[str, str]] = ()
    """Titles and addresses of what an answer is based on, from the calls of its tools."""


@dataclass(frozen=True, slots=True)
class Exported:
    """The active branch of a conversation, the oldest message first."""

    conversation: Conversation
    messages: Sequence[ExportedMessage]
    facts: Sequence[str]
    """Facts that count in the chat."""
    now: int
    """Time of the export: UTC, in milliseconds."""
    plugins: PluginData = field(default_factory=PluginData)
    """What plugins keep for the person of a private chat."""


def load_export(conn: Connection, lane: str, now: int, person_id: int | None = None) -> Exported | None:
    """Read the active conversation of a lane; return None if it is empty.

    Args:
        conn: an open connection.
        lane: the lane.
        now: UTC, in milliseconds.
        person_id: the person of a private chat, for what plugins keep for them.
    """
    conversation = conversations.active_in(conn, lane)
    if conversation is None or conversation.head_message_id is None:
        return None
    branch = messages.history(conn, conversation.id, conversation.head_message_id, MOST_MESSAGES)
    said = [with_attached(conn, message) for message in branch]
    pinned = [fact.text for fact in facts_in(conn, lane)]
    plugins = PluginData() if person_id is None else load_plugin_data(conn, person_id)
    return Exported(conversation, said, pinned, now, plugins)


def with_attached(conn: Connection, message: Message) -> ExportedMessage:
    """Return a message with its attachments and sources."""
    attached = files.of_message(conn, message.id)
    if message.role == "user":
        return ExportedMessage(message, attached)
    found = sources_of(tool_calls.of_turn(conn, message.turn_id))
    return ExportedMessage(message, attached, cited(ToolSteps(sources=found), is_web))


def as_json(exported: Exported, places: Places | None = None) -> str:
    """Return a conversation as JSON. Times are ISO 8601 in UTC, sizes are bytes.

    Args:
        exported: the conversation.
        places: where its files are, by id; None: it is exported without files.
    """
    document: Json = {
        "format": FORMAT,
        "version": VERSION,
        "title": exported.conversation.title,
        "exported_at": iso_time(exported.now),
        "facts": [*exported.facts],
        "messages": [message_object(said, places) for said in exported.messages],
    }
    if kept := plugin_objects(exported.plugins):
        document = {**document, "plugins": kept}
    return visible_json(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def message_object(said: ExportedMessage, places: Places | None = None) -> dict[str, Json]:
    """Return a message as a JSON object; see ``as_json``."""
    message = said.message
    sources: dict[str, Json] = {}
    if said.sources:
        sources["sources"] = [{"title": title, "url": url} for title, url in said.sources]
    return {
        "role": message.role,
        "text": message.text,
        "model": _model_of(message),
        "status": message.status,
        "said_at": iso_time(message.created_at),
        "attachments": [_attachment(file, places) for file in said.attached],
        **sources,
    }


def _attachment(file: File, places: Places | None) -> Json:
    place = {} if places is None else {"file": places.get(file.id)}
    return {"name": file.original_name, "mime": file.mime, "size": file.size, **place}


def as_markdown(exported: Exported, say: Say, places: Places | None = None) -> str:
    """Return a conversation as Markdown; see ``as_json``."""
    title = inline(exported.conversation.title or "", MOST_TITLE) or say("history.untitled")
    head = [f"# {title}", say("export.exported", time=readable_time(exported.now))]
    return (
        "\n\n".join(
            [
                *head,
                *_pinned(exported, say),
                *(block for said in exported.messages for block in message_blocks(said, say, places=places)),
            ]
        )
        + "\n"
    )


def _pinned(exported: Exported, say: Say) -> Iterator[str]:
    if exported.facts:
        yield f"## {say('export.facts')}"
        yield fact_lines(exported.facts)


def message_blocks(
    said: ExportedMessage, say: Say, heading: str = "##", *, places: Places | None = None
) -> Iterator[str]:
    """Yield the Markdown blocks of a message."""
    message, model = said.message, _model_of(said.message)
    who = say("export.user" if message.role == "user" else "export.assistant")
    by = who if model is None else f"{who} ({inline(model, MOST_TITLE)})"
    yield f"{heading} {by}, {readable_time(message.created_at)}"
    if message.text:
        yield contained(message.text)
    if said.sources:
        yield f"{say('tools.sources')}:"
        yield "\n".join(f"- [{inline(title, MOST_TITLE)}](<{_pointed(url)}>)" for title, url in said.sources)
    for file in said.attached:
        name = inline(file.original_name or "", MOST_TITLE) or file.mime
        place = None if places is None else places.get(file.id)
        if places is not None and place is None:
            yield say("export.not_attached", name=name)
        else:
            yield say("export.attached", name=name if place is None else f"[{name}](<{place}>)")
    if message.status != "complete":
        yield f"*{say('export.incomplete')}*"


def _pointed(url: str) -> str:
    """Return an address as it stands in angle brackets."""
    return url.replace("<", "%3C").replace(">", "%3E").replace("\\", "%5C")


def _model_of(message: Message) -> str | None:
    return None if message.model is None else f"{message.provider}/{message.model}"


def fact_lines(facts: Iterable[str]) -> str:
    """Return remembered facts as a Markdown list."""
    return "\n".join("- " + "\n  ".join(contained(fact).split("\n")) for fact in facts)
