"""Export of a person's data as JSON."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import cast

from tgllm.api import Json
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import person
from tgllm.db.tables import audit
from tgllm.db.tables.conversations import Conversation
from tgllm.db.tables.facts import Fact
from tgllm.db.tables.files import File
from tgllm.db.tables.reminders import store as reminders
from tgllm.db.tables.reminders.store import Reminder
from tgllm.db.tables.requests import Request
from tgllm.db.tables.summaries import Summary
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools.calls import StoredCall
from tgllm.db.tables.users import User
from tgllm.observe.visible import visible_json
from tgllm.services.common.times import iso_time, iso_times
from tgllm.services.people.fields import person_object
from tgllm.services.personal_data.conversation import ExportedMessage, message_object, with_attached
from tgllm.services.personal_data.plugin_data import PluginData, load_plugin_data, plugin_objects
from tgllm.services.reminders.rules import days_in

__all__ = ["PersonConversation", "PersonData", "as_json", "load_person"]

FORMAT = "tgllm-person"
VERSION = 1
MOST_CHANGES = 100_000


@dataclass(frozen=True, slots=True)
class PersonConversation:
    """A conversation of a private chat with all its branches, in chronological order."""

    conversation: Conversation
    messages: Sequence[ExportedMessage]
    summaries: Sequence[Summary]


@dataclass(frozen=True, slots=True)
class PersonData:
    """Data stored about a person, except for inbox and outbox rows, whose content is the same."""

    user: User
    settings: dict[str, Json]
    facts: Sequence[Fact]
    conversations: Sequence[PersonConversation]
    elsewhere: Sequence[ExportedMessage]
    """Messages of the person in groups."""
    files: Sequence[File]
    requests: Sequence[Request]
    tools: Sequence[StoredCall]
    """Calls of tools on behalf of the person."""
    usage: Sequence[person.Day]
    reminders: Sequence[Reminder]
    plugins: PluginData
    changes: Sequence[audit.AuditRow]
    """Audit entries about the person, the oldest first."""
    now: int
    """Time of the export: UTC, in milliseconds."""


def load_person(conn: Connection, user: User, now: int) -> PersonData:
    """Read the data of a person."""
    return PersonData(
        user,
        cast("dict[str, Json]", person.settings(conn, user.id)),
        person.facts(conn, user.id),
        [_conversation(conn, conversation) for conversation in person.conversations(conn, user.id)],
        [with_attached(conn, message) for message in person.elsewhere(conn, user.id)],
        person.files(conn, user.id),
        person.requests(conn, user.id),
        tool_calls.of_user(conn, user.id),
        person.usage(conn, user.id),
        reminders.of_person(conn, user.id),
        load_plugin_data(conn, user.id),
        audit.list_recent(conn, MOST_CHANGES, target=str(user.id))[::-1],
        now,
    )


def _conversation(conn: Connection, conversation: Conversation) -> PersonConversation:
    said = [with_attached(conn, message) for message in person.all_of(conn, conversation.id)]
    return PersonConversation(conversation, said, person.summaries(conn, conversation.id))


def as_json(data: PersonData) -> str:
    """Return the data as JSON. Times are ISO 8601 in UTC, sizes are bytes, costs are millionths of a US dollar."""
    document: Json = {
        "format": FORMAT,
        "version": VERSION,
        "exported_at": iso_time(data.now),
        "person": {**person_object(data.user)},
        "settings": data.settings,
        "facts": [_fact(fact) for fact in data.facts],
        "conversations": [_conversation_object(each) for each in data.conversations],
        "elsewhere": [{"chat": said.message.telegram_chat_id, **message_object(said)} for said in data.elsewhere],
        "files": [_file(file) for file in data.files],
        "requests": [_request(request) for request in data.requests],
        "tools": [_call(call) for call in data.tools],
        "usage": [_day(day) for day in data.usage],
        "reminders": [_reminder(each) for each in data.reminders],
        "plugins": plugin_objects(data.plugins),
        "changes": [_change(row) for row in data.changes],
    }
    return visible_json(json.dumps(document, ensure_ascii=False, indent=2)) + "\n"


def _fact(fact: Fact) -> Json:
    return {"text": fact.text, "said_at": iso_time(fact.created_at), "source": fact.source}


def _conversation_object(each: PersonConversation) -> Json:
    conversation = each.conversation
    return {
        "title": conversation.title,
        "model": None if conversation.chosen is None else str(conversation.chosen),
        "settings": conversation.settings,
        "active": conversation.active,
        "begun_at": iso_time(conversation.created_at),
        "messages": [*_tree(each.messages)],
        "summaries": [{"up_to": summary.message_id, "text": summary.text} for summary in each.summaries],
    }


def _tree(messages: Sequence[ExportedMessage]) -> Iterator[Json]:
    for said in messages:
        yield {"id": said.message.id, "parent": said.message.parent_id, **message_object(said)}


def _reminder(each: Reminder) -> Json:
    return {
        "kind": each.kind,
        "text": each.text,
        "chat": each.lane,
        "next_at": iso_time(each.due_at),
        "weekdays": days_in(each.days),
        "paused": each.paused,
        "set_at": iso_time(each.created_at),
    }


def _file(file: File) -> Json:
    return {
        "name": file.original_name,
        "mime": file.mime,
        "size": file.size,
        "sha256": file.sha256,
        "sent_at": iso_time(file.created_at),
    }


def _call(call: StoredCall) -> Json:
    return {
        "tool": call.tool,
        "plugin": call.plugin_id,
        "arguments": call.arguments,
        "outcome": call.state,
        "result": call.result,
        "called_at": iso_time(call.created_at),
    }


def _request(request: Request) -> Json:
    return {
        "model": f"{request.provider}/{request.model}",
        "status": request.status,
        "input_tokens": request.input_tokens,
        "output_tokens": request.output_tokens,
        "cost_micros": request.cost_micros,
        "error": request.error_code,
        "asked_at": iso_time(request.created_at),
    }


def _day(day: person.Day) -> Json:
    return {
        "day": day.day,
        "group": day.group_id or None,
        "model": f"{day.provider}/{day.model}",
        "requests": day.requests,
        "input_tokens": day.input_tokens,
        "output_tokens": day.output_tokens,
        "cost_micros": day.cost_micros,
        "unpriced_requests": day.unpriced_requests,
    }


def _change(row: audit.AuditRow) -> Json:
    return {"at": iso_time(row.at), "source": row.source, "action": row.action, "details": iso_times(row.details)}
