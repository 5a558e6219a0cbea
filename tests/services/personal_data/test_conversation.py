"""What an exported conversation holds."""

import json

from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import conversations, files, messages
from tgllm.db.tables.files import NewFile
from tgllm.db.tables.messages import NewMessage, Role, Status
from tgllm.db.tables.tools import calls as tool_calls
from tgllm.db.tables.tools.calls import Ended, NewCall
from tgllm.i18n import Catalogue
from tgllm.services.personal_data.conversation import as_json, as_markdown, load_export

SAID = 1_762_862_400_000  # 2025-11-11 12:00 UTC
LANE = ":7:"


def add(conn: Connection, parent: int | None, role: Role, text: str, status: Status = "complete") -> int:
    conversation = conversations.active_for(conn, LANE, SAID)
    model = "model" if role == "assistant" else None
    new = NewMessage(
        conversation_id=conversation.id,
        parent_id=parent,
        turn_id=text,
        role=role,
        text=text,
        provider=None if model is None else "scripted",
        model=model,
        status=status,
    )
    message_id = messages.add(conn, new, SAID)
    conversations.set_head(conn, conversation.id, message_id, SAID)
    return message_id


def talk(conn: Connection) -> None:
    """A question with two answers, the second of which was cut and is the one that is gone on with."""
    question = add(conn, None, "user", "Why *is* it?")
    attached = NewFile(
        path="files/secret-place",
        mime="text/plain",
        size=3,
        sha256="0" * 64,
        original_name="why.txt",
        user_id=None,
        message_id=question,
    )
    files.add(conn, attached, SAID)
    add(conn, question, "assistant", "left aside")
    add(conn, question, "assistant", "Жаль", "stopped")
    conversations.set_title(conn, 1, "Why", SAID)


async def test_the_branch_in_view_is_there_as_markdown(database: Database) -> None:
    await database.write(talk)
    exported = await database.read(lambda conn: load_export(conn, LANE, SAID + 60_000))
    assert exported is not None
    assert as_markdown(exported, Catalogue(strict=True)) == (
        "# Why\n\nExported 2025-11-11 12:01 UTC\n\n"
        "## User, 2025-11-11 12:00 UTC\n\nWhy *is* it?\n\nAttached: why.txt\n\n"
        "## Assistant (scripted/model), 2025-11-11 12:00 UTC\n\nЖаль\n\n*This answer is not complete.*\n"
    )


async def test_the_branch_in_view_is_there_as_json(database: Database) -> None:
    await database.write(talk)
    exported = await database.read(lambda conn: load_export(conn, LANE, SAID + 60_000))
    assert exported is not None
    said_at = "2025-11-11T12:00:00+00:00"
    question = {
        "role": "user",
        "text": "Why *is* it?",
        "model": None,
        "status": "complete",
        "said_at": said_at,
        "attachments": [{"name": "why.txt", "mime": "text/plain", "size": 3}],
    }
    answer: dict[str, object] = {
        "role": "assistant",
        "text": "Жаль",
        "model": "scripted/model",
        "status": "stopped",
        "said_at": said_at,
        "attachments": [],
    }
    assert json.loads(as_json(exported)) == {
        "format": "tgllm-conversation",
        "version": 1,
        "title": "Why",
        "exported_at": "2025-11-11T12:01:00+00:00",
        "facts": [],
        "messages": [question, answer],
    }


async def test_an_empty_conversation_gives_nothing(database: Database) -> None:
    assert await database.read(lambda conn: load_export(conn, LANE, SAID)) is None
    await database.write(lambda conn: conversations.active_for(conn, LANE, SAID))
    assert await database.read(lambda conn: load_export(conn, LANE, SAID)) is None


def with_sources(conn: Connection) -> None:
    talk(conn)
    new = NewCall(
        turn_id="Жаль",
        round=1,
        place=0,
        call_id="1",
        tool="web_search",
        plugin_id="web",
        lane=LANE,
        user_id=None,
        arguments="{}",
    )
    sources = [
        {"url": "https://example.org/a", "title": "A [page]"},
        {"url": "https://example.org/a", "title": "again"},
        {"url": "javascript:alert(1)", "title": "no"},
    ]
    row = tool_calls.add(conn, new, SAID)
    tool_calls.end(conn, row, Ended(state="done", result="It purrs.", extras={"sources": sources}), SAID)


async def test_an_answer_has_the_sources_of_its_tools(database: Database) -> None:
    await database.write(with_sources)
    exported = await database.read(lambda conn: load_export(conn, LANE, SAID))
    assert exported is not None

    _, answer = json.loads(as_json(exported))["messages"]
    assert answer["sources"] == [{"title": "A [page]", "url": "https://example.org/a"}]
    markdown = as_markdown(exported, Catalogue(strict=True))
    assert "\n\nЖаль\n\nSources:\n\n- [A \\[page\\]](<https://example.org/a>)\n\n" in markdown
    assert "purrs" not in markdown
