"""Export of a person's data as Markdown."""

from collections.abc import Iterator

from tgllm.i18n.amounts import amount
from tgllm.services.common.times import readable_time
from tgllm.services.people.names import full_name
from tgllm.services.personal_data.containment import inline
from tgllm.services.personal_data.conversation import Say, fact_lines, message_blocks
from tgllm.services.personal_data.person import PersonConversation, PersonData

__all__ = ["as_markdown"]

MOST_TITLE = 200
"""Maximum length of a heading in UTF-16 units."""


def as_markdown(data: PersonData, say: Say) -> str:
    """Return profile, remembered facts and messages as Markdown; detailed usage is only in the JSON export."""
    return "\n\n".join(_document(data, say)) + "\n"


def _document(data: PersonData, say: Say) -> Iterator[str]:
    user = data.user
    yield f"# {inline(full_name(user), MOST_TITLE) or user.id}"
    yield say("export.exported", time=readable_time(data.now))
    yield "\n".join(_lines(data, say))
    if data.facts:
        yield f"## {say('export.person_facts')}"
        yield fact_lines(fact.text for fact in data.facts)
    for conversation in data.conversations:
        yield from _conversation(conversation, say)
    if data.elsewhere:
        yield f"## {say('export.elsewhere')}"
        for said in data.elsewhere:
            yield from message_blocks(said, say, "###")


def _lines(data: PersonData, say: Say) -> Iterator[str]:
    user = data.user
    yield f"- Telegram: {user.id}" + (f", @{inline(user.username, MOST_TITLE)}" if user.username else "")
    yield f"- {say('export.access', role=user.role, status=user.status)}"
    yield f"- {say('export.first_seen', time=readable_time(user.created_at))}"
    yield f"- {amount(say, 'requests', sum(day.requests for day in data.usage))}"


def _conversation(each: PersonConversation, say: Say) -> Iterator[str]:
    title = inline(each.conversation.title or "", MOST_TITLE) or say("history.untitled")
    yield f"## {title}, {readable_time(each.conversation.created_at)}"
    for said in each.messages:
        yield from message_blocks(said, say, "###")
