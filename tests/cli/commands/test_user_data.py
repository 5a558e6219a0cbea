"""``tgllm users export`` and ``tgllm users forget``."""

import io
import json
import resource
import sqlite3
import sys
from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.api.errors import TgllmError
from tgllm.cli.commands.users.data import write_new
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.sqlite import in_transaction
from tgllm.db.tables import audit, conversations, facts, files, inbox, kv, messages, outbox, requests, usage, users
from tgllm.db.tables.facts import NewFact
from tgllm.db.tables.files import NewFile
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.messages import NewMessage
from tgllm.db.tables.plugins import values
from tgllm.db.tables.requests import NewRequest, Outcome
from tgllm.db.tables.usage import Spent
from tgllm.db.tables.users import SeenUser

ANN = SeenUser(424201, "ann_lee", "Ann", "Lee", "ru")
BOB = SeenUser(424202, "bob", "Bob")
GROUP = -1001


def talk(conn: sqlite3.Connection, lane: str, chat_id: int, user_id: int, text: str) -> None:
    """A question and two answers to it."""
    conversation = conversations.active_for(conn, lane, NOW)
    asked = NewMessage(
        conversation_id=conversation.id,
        parent_id=None,
        turn_id=f"{lane}{text}",
        role="user",
        text=text,
        telegram_chat_id=chat_id,
        user_id=user_id,
    )
    question = messages.add(conn, asked, NOW)
    for number in (1, 2):
        answer = NewMessage(
            conversation_id=conversation.id,
            parent_id=question,
            turn_id=f"{lane}{text}{number}",
            role="assistant",
            text=f"answer {number} to {text}",
            provider="p",
            model="m",
            telegram_chat_id=chat_id,
        )
        head = messages.add(conn, answer, NOW + number)
        conversations.set_head(conn, conversation.id, head, NOW)


@pytest.fixture
def database(shell: Shell) -> None:
    """Ann talked in private and in a group, and Bob in private."""

    def unit(conn: sqlite3.Connection) -> None:
        for person in (ANN, BOB):
            users.upsert_seen(conn, person, NOW)
            users.set_status(conn, person.id, "active", NOW)
        talk(conn, f":{ANN.id}:", ANN.id, ANN.id, "Ann's secret")
        talk(conn, f":{GROUP}:", GROUP, ANN.id, "Ann to the group")
        talk(conn, f":{BOB.id}:", BOB.id, BOB.id, "Bob's secret")
        facts.add(conn, NewFact(lane=f":{ANN.id}:", owner=ANN.id, user_id=ANN.id, text="likes tea"), NOW)
        kv.set_value(conn, "language", str(ANN.id), "en", NOW)
        for person in (ANN, BOB):
            values.store(conn, "tea", person.id, "likes", f'"{person.first_name}"', NOW)
        usage.add(conn, ANN.id, "2026-09-21", "p", "m", Spent(input_tokens=3, output_tokens=4, cost_micros=5))
        new = NewRequest(turn_id="t", conversation_id=None, user_id=ANN.id, provider="p", model="m")
        requests.add(conn, new, Outcome(status="ok"), NOW, NOW)
        attached = NewFile(
            path="files/a",
            mime="text/plain",
            size=3,
            sha256="ab" * 32,
            original_name="a.txt",
            user_id=ANN.id,
            message_id=1,
        )
        files.add(conn, attached, NOW)

    with shell.new_database() as conn:
        in_transaction(conn, unit, "BEGIN IMMEDIATE")
    (shell.data_dir / "files").mkdir()
    (shell.data_dir / "files" / "a").write_text("abc")


def exported(shell: Shell, person: str) -> dict[str, Any]:
    return shell.reads("users", "export", person)


@pytest.mark.usefixtures("database")
class TestExport:
    def test_everything_of_the_person_and_nothing_of_others(self, shell: Shell) -> None:
        data = exported(shell, "@ann_lee")

        assert (data["format"], data["version"]) == ("tgllm-person", 1)
        assert (data["person"]["id"], data["person"]["status"]) == (ANN.id, "active")
        assert data["settings"] == {"language": "en"}
        assert [fact["text"] for fact in data["facts"]] == ["likes tea"]
        (conversation,) = data["conversations"]
        assert [(said["id"], said["parent"], said["role"], said["text"]) for said in conversation["messages"]] == [
            (1, None, "user", "Ann's secret"),
            (2, 1, "assistant", "answer 1 to Ann's secret"),
            (3, 1, "assistant", "answer 2 to Ann's secret"),
        ]
        assert conversation["messages"][0]["attachments"] == [{"name": "a.txt", "mime": "text/plain", "size": 3}]
        assert [(said["chat"], said["text"]) for said in data["elsewhere"]] == [(GROUP, "Ann to the group")]
        assert data["plugins"] == [{"plugin": "tea", "values": {"likes": ANN.first_name}, "jobs": []}]
        assert [file["sha256"] for file in data["files"]] == ["ab" * 32]
        assert [request["model"] for request in data["requests"]] == ["p/m"]
        assert [(day["day"], day["input_tokens"], day["cost_micros"]) for day in data["usage"]] == [
            ("2026-09-21", 3, 5)
        ]
        assert "Bob" not in json.dumps(data)

    def test_what_was_decided_about_them(self, shell: Shell) -> None:
        shell.runs("users", "role", "@ann_lee", "admin")

        (change,) = exported(shell, "@ann_lee")["changes"]
        assert (change["action"], change["details"]["role"]) == ("user.role", "admin")

    def test_as_markdown_in_the_persons_language(self, shell: Shell) -> None:
        english = shell.runs("users", "export", "@ann_lee", "--format", "markdown").out
        with shell.database() as conn:
            kv.delete(conn, "language", str(ANN.id))
        russian = shell.runs("users", "export", "@ann_lee", "--format", "markdown").out

        for text in (english, russian):
            assert text.startswith("# Ann Lee\n")
            assert "answer 2 to Ann's secret" in text
            assert "Ann to the group" in text
            assert "- likes tea" in text
            assert "Bob" not in text
        assert "Said in groups" in english
        assert "Said in groups" not in russian

    @pytest.mark.parametrize(("name", "begin"), [("a.md", "# Ann Lee"), ("a.json", "{"), ("a", "{")])
    def test_into_a_file_that_others_cannot_read(self, shell: Shell, name: str, begin: str) -> None:
        target = shell.folder / name
        result = shell.runs("users", "export", "@ann_lee", str(target))

        assert (result.code, result.out) == (0, f"Written: {target}\n")
        assert target.read_text(encoding="utf-8").startswith(begin)
        assert target.stat().st_mode & 0o077 == 0

    def test_never_over_another_file(self, shell: Shell) -> None:
        target = shell.folder / "a.json"
        target.write_text("mine")
        result = shell.runs("users", "export", "@ann_lee", str(target))

        assert result.code == 1
        assert "is there already" in result.err
        assert target.read_text() == "mine"

    def test_where_the_disk_is_full_no_half_a_file_is_left(self, shell: Shell) -> None:
        target = shell.folder / "ann.json"
        most, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, hard))
        try:
            with pytest.raises(TgllmError, match="can't be written"):
                write_new(target, "x" * 100_000)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, hard))

        assert not target.exists()

    def test_into_a_folder_that_is_not_there(self, shell: Shell) -> None:
        result = shell.runs("users", "export", "@ann_lee", str(shell.folder / "no" / "a.json"))

        assert result.code == 1
        assert "can't be written" in result.err

    def test_of_somebody_unknown(self, shell: Shell) -> None:
        assert "Did you mean" in shell.runs("users", "export", "@ann_le").err


@pytest.mark.usefixtures("database")
class TestForget:
    def test_what_is_stored_goes_and_the_person_is_told_in_their_language(self, shell: Shell) -> None:
        result = shell.runs("users", "forget", "@ann_lee", "--yes")

        assert (result.code, result.err) == (0, "")
        assert "1 conversation, 3 messages, 1 file" in result.out
        assert not (shell.data_dir / "files" / "a").exists()
        data = exported(shell, "@ann_lee")
        assert (data["conversations"], data["files"], data["facts"], data["settings"]) == ([], [], [], {})
        assert data["person"]["status"] == "active"
        with shell.database() as conn:
            row, change = outbox.get(conn, 1), audit.list_recent(conn, 1)[0]
        assert row is not None
        assert (row.chat_id, row.payload["text"][:12]) == (ANN.id, "The operator")
        assert (change.action, change.source, change.actor_id, change.target) == (
            "user.forget",
            "shell",
            None,
            str(ANN.id),
        )

    def test_no_byte_of_it_stays_in_the_files(self, shell: Shell) -> None:
        shell.runs("users", "forget", "@ann_lee", "--yes")

        for path in shell.data_dir.glob("tgllm.db*"):
            assert b"Ann's secret" not in path.read_bytes()
        assert b"Bob's secret" in (shell.data_dir / "tgllm.db").read_bytes()

    @pytest.mark.parametrize("answer", ["n\n", "\n", ""])
    def test_without_a_yes_nothing_is_deleted(self, shell: Shell, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO(answer))
        result = shell.runs("users", "forget", "@ann_lee")

        assert result.code == 1
        assert f"Ann Lee (@ann_lee, {ANN.id})" in result.out
        assert exported(shell, "@ann_lee")["conversations"] != []

    def test_with_a_yes(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(sys, "stdin", io.StringIO("y\n"))

        assert shell.runs("users", "forget", "@ann_lee").code == 0
        assert exported(shell, "@ann_lee")["conversations"] == []

    def test_an_answer_that_is_being_written_is_waited_for(self, shell: Shell) -> None:
        with shell.database() as conn:
            inbox.add_updates(conn, [NewUpdate(7, f":{ANN.id}:", "message", False, "{}")], NOW)
            conn.execute("UPDATE inbox SET state = 'running'")
        with lock_data_folder(shell.data_dir):
            result = shell.runs("users", "forget", "@ann_lee", "--yes")

        assert result.code == 1
        assert "writing an answer" in result.err
        assert exported(shell, "@ann_lee")["conversations"] != []

    def test_nobody_waits_for_a_bot_that_was_killed(self, shell: Shell) -> None:
        with shell.database() as conn:
            inbox.add_updates(conn, [NewUpdate(7, f":{ANN.id}:", "message", False, "{}")], NOW)
            conn.execute("UPDATE inbox SET state = 'running'")

        assert shell.runs("users", "forget", "@ann_lee", "--yes").code == 0
        assert exported(shell, "@ann_lee")["conversations"] == []

    def test_somebody_unknown_is_not_asked_about(self, shell: Shell) -> None:
        assert "tgllm users list" in shell.runs("users", "forget", "zebra").err
