"""``tgllm db stats``, ``prune`` and ``vacuum``."""

from collections.abc import Sequence
from pathlib import Path

import pytest

from cli_support import Shell
from database_support import NOW, say
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.engine.unit import Connection
from tgllm.db.queries import retention as messages_retention
from tgllm.db.queries.retention import Forgotten
from tgllm.db.tables import audit, conversations, inbox, requests, usage
from tgllm.db.tables.audit import NewEntry
from tgllm.db.tables.inbox import NewUpdate
from tgllm.services.maintenance import retention

YEAR = 365 * 24 * 60 * 60 * 1000


@pytest.fixture
def used(shell: Shell) -> Path:
    """A database whose conversations, updates, calls and usage are ten years old."""
    old = NOW - 10 * YEAR
    with shell.new_database() as conn:
        conn.execute("BEGIN")
        talk = conversations.active_for(conn, "a", old).id
        for number in range(300):
            say(conn, talk, None, f"{number} " * 200)
        inbox.add_updates(
            conn, [NewUpdate(n, ":7:", "message", control=False, payload='{"a":1}') for n in range(1, 201)], old
        )
        conn.execute("UPDATE inbox SET state = 'done', finished_at = received_at")
        audit.add(conn, NewEntry(actor_id=None, source="shell", action="user.approve"), old)
        for number in range(5):
            new = requests.NewRequest(
                turn_id=f"u{number}", conversation_id=None, user_id=None, provider="echo", model="words"
            )
            requests.add(conn, new, requests.Outcome(status="ok"), old if number else NOW, old if number else NOW)
        conn.execute("INSERT INTO usage (user_id, day, provider, model) VALUES (7, '2016-01-01', 'echo', 'words')")
        conn.execute("UPDATE messages SET created_at = ?", (old,))
        conn.execute("COMMIT")
    return shell.data_dir / "tgllm.db"


def rows(shell: Shell) -> dict[str, int]:
    return {name: table["rows"] for name, table in shell.reads("db", "stats", "--json")["tables"].items()}


class TestStats:
    def test_rows_and_bytes_of_each_table_the_largest_first(self, shell: Shell, used: Path) -> None:
        (shell.data_dir / "files").mkdir()
        (shell.data_dir / "files" / "ab").write_bytes(b"x" * 1000)
        found = shell.reads("db", "stats", "--json")

        assert found["path"] == str(used)
        assert found["size"] >= used.stat().st_size - 65536
        assert next(iter(found["tables"])) == "messages"
        assert found["tables"]["messages"]["rows"] == 300
        assert found["tables"]["messages"]["bytes"] > 100_000
        assert sum(table["bytes"] or 0 for table in found["tables"].values()) <= found["size"]
        assert found["files"] == {"count": 1, "bytes": 1000}
        assert found["backups"] == {"count": 0, "bytes": 0}

    def test_for_people(self, shell: Shell, used: Path) -> None:
        out = shell.runs("db", "stats").out
        assert out.startswith("Table\tRows\tMiB\nmessages\t300\t")
        assert "free within it" in out

    def test_it_changes_nothing_while_the_bot_runs(self, shell: Shell, used: Path) -> None:
        before = used.read_bytes()
        with lock_data_folder(shell.data_dir):
            assert shell.runs("db", "stats").code == 0
        assert used.read_bytes() == before


class TestPrune:
    def test_what_the_settings_do_not_keep_is_deleted(
        self, shell: Shell, used: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setenv("TGLLM_RETENTION__MESSAGES_DAYS", "100")
        monkeypatch.setenv("TGLLM_RETENTION__USAGE_DAYS", "100")
        with lock_data_folder(shell.data_dir):
            counts = shell.reads("db", "prune", "--json")
        assert {name: count for name, count in counts.items() if count} == {
            "updates": 100,
            "requests": 4,
            "usage": 1,
            "taken_back": 300,
        }
        after = rows(shell)
        # Telegram may deliver the last batch again, and an audit trail is never deleted unless it is limited.
        assert (after["inbox"], after["requests"], after["messages"], after["usage"], after["audit"]) == (
            100,
            1,
            0,
            0,
            1,
        )

    @pytest.mark.usefixtures("used")
    def test_no_transaction_deletes_more_than_a_piece(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bot that runs meanwhile waits for each of them."""
        monkeypatch.setattr(retention, "PIECE", 30)
        monkeypatch.setenv("TGLLM_RETENTION__MESSAGES_DAYS", "100")
        gone, delete = list[int](), messages_retention._delete

        def counted(conn: Connection, ids: Sequence[int]) -> Forgotten:
            gone.append(len(ids))
            return delete(conn, ids)

        monkeypatch.setattr(messages_retention, "_delete", counted)
        counts = shell.reads("db", "prune", "--json")
        assert (counts["updates"], counts["taken_back"]) == (100, 300)
        assert sum(gone) == 300
        assert max(gone) == 30

    def test_a_second_time_there_is_nothing_to_delete(self, shell: Shell, used: Path) -> None:
        assert shell.runs("db", "prune").out.startswith("Deleted\tRows\nupdates\t100\n")
        assert "Nothing is older" in shell.runs("db", "prune").out


class TestVacuum:
    def test_the_space_of_deleted_rows_goes_back_to_the_disk(self, shell: Shell, used: Path) -> None:
        shell.runs("db", "prune")
        with shell.database() as conn:
            conn.execute("DELETE FROM messages")
        done = shell.reads("db", "vacuum", "--json")

        assert done["size"] < done["size_before"]
        assert used.stat().st_size == done["size"]
        assert shell.reads("db", "stats", "--json")["free"] == 0
        assert shell.runs("db", "check").code == 0
        assert [path.name for path in shell.data_dir.glob("etilqs*")] == []

    def test_it_is_refused_while_the_bot_runs(self, shell: Shell, used: Path) -> None:
        with lock_data_folder(shell.data_dir):
            result = shell.runs("db", "vacuum")
        assert result.code == 1
        assert "Stop it first" in result.err


@pytest.mark.parametrize("command", ["stats", "prune", "vacuum"])
def test_without_a_database_the_way_to_one_is_told(shell: Shell, command: str) -> None:
    result = shell.runs("db", command)
    assert result.code == 1
    assert "make it with: tgllm db init" in result.err
    assert not shell.data_dir.exists()


def test_usage_is_deleted_by_day(shell: Shell) -> None:
    with shell.new_database() as conn:
        for day in ("2026-01-01", "2026-01-02", "2026-01-03"):
            conn.execute("INSERT INTO usage (user_id, day, provider, model) VALUES (7, ?, 'e', 'm')", (day,))
        assert usage.prune(conn, "2026-01-03", 1) == 1
        assert usage.prune(conn, "2026-01-03", 9) == 1
        assert [row[0] for row in conn.execute("SELECT day FROM usage")] == ["2026-01-03"]
