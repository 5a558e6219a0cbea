"""``tgllm inbox``."""

import json
import sqlite3
from collections.abc import Sequence
from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.cli.commands.inbox import change
from tgllm.db.database import Database
from tgllm.db.engine.lock import lock_data_folder
from tgllm.db.queries import inbox_claims
from tgllm.db.queries.shared import inbox_recovery
from tgllm.db.tables import inbox, outbox
from tgllm.db.tables.inbox import NewUpdate
from tgllm.db.tables.outbox import NewOutbox

LANE = ":7:"


def update(update_id: int, lane: str = LANE) -> NewUpdate:
    payload = {"update_id": update_id, "message": {"message_id": update_id, "text": "secret \x1b[2J plan"}}
    return NewUpdate(update_id, lane, "message", control=False, payload=json.dumps(payload))


def states(shell: Shell) -> dict[int, str]:
    with shell.database() as conn:
        return {row[0]: row[1] for row in conn.execute("SELECT update_id, state FROM inbox ORDER BY update_id")}


@pytest.fixture
def updates(shell: Shell) -> None:
    """1 is running, 2 waits behind it, 3 has failed, 4 is quarantined, 5 has expired, 6 is done, 7 is part of 3."""
    with shell.new_database() as conn:
        inbox.add_updates(conn, [update(1), update(2), update(3, ":8:"), update(7, ":8:")], NOW)
        inbox_claims.claim(conn, 8, NOW, max_attempts=3)
        inbox.merge(conn, 3, [7], NOW)
        inbox.finish(conn, 3, "failed", NOW + 3, "the program ended during each attempt")
        conn.execute("UPDATE inbox SET crashes = 3, strikes = 3 WHERE update_id = 3")
        inbox.add_quarantined(conn, 4, "", "no JSON", NOW + 4)
        inbox.add_updates(conn, [update(5), update(6)], NOW)
        inbox.finish(conn, 5, "expired", NOW + 5)
        inbox.finish(conn, 6, "done", NOW + 6)


def ids(shell: Shell, *args: str) -> list[int]:
    return [each["id"] for each in shell.reads("inbox", "list", "--json", *args)]


@pytest.mark.usefixtures("updates")
class TestList:
    def test_those_that_wait_come_first_and_then_those_that_were_not_answered(self, shell: Shell) -> None:
        lines = [line.split("\t") for line in shell.runs("inbox", "list").out.splitlines()]

        assert lines[0] == ["Update", "State", "Kind", "Chat", "Received (UTC)", "Attempts", "Error"]
        assert [line[:2] for line in lines[1:]] == [
            ["1", "running"],
            ["2", "queued"],
            ["5", "expired"],
            ["4", "quarantined"],
            ["3", "failed"],
        ]
        assert lines[-1][2:] == ["message", "8", "2026-09-21 14:13", "1", "the program ended during each attempt"]

    def test_other_states_are_listed_when_asked_for(self, shell: Shell) -> None:
        assert ids(shell, "--state", "done") == [6]
        assert ids(shell, "--state", "merged", "--state", "failed") == [3, 7]
        assert shell.runs("inbox", "list", "--state", "lost").code == 2

    def test_what_is_left_out_is_counted(self, shell: Shell) -> None:
        result = shell.runs("inbox", "list", "--limit", "2")
        assert len(result.out.splitlines()) == 3
        assert "2 of 5" in result.err
        assert ids(shell, "--limit", "2") == [1, 2]

    def test_no_text_of_a_person_is_listed(self, shell: Shell) -> None:
        for args in ((), ("--json",)):
            assert "secret" not in shell.runs("inbox", "list", *args).out


@pytest.mark.usefixtures("updates")
class TestShow:
    def test_an_update_with_its_content_its_parts_and_its_messages(self, shell: Shell) -> None:
        with shell.database() as conn:
            row = NewOutbox(lane=":8:", method="sendMessage", chat_id=8, payload={}, turn_id="u3")
            outbox.mark_sent(conn, [(outbox.add(conn, [row], NOW)[0], 99)], NOW)
        shown = shell.reads("inbox", "show", "3", "--json")

        assert (shown["state"], shown["chat"], shown["crashes"], shown["parts"]) == ("failed", 8, 3, [7])
        assert shown["payload"]["message"]["text"] == "secret \x1b[2J plan"
        assert [(call["method"], call["state"], call["message_id"]) for call in shown["calls"]] == [
            ("sendMessage", "sent", 99)
        ]
        out = shell.runs("inbox", "show", "3").out
        for part in ("failed", "+ 7 message", "> sendMessage sent 99", "secret"):
            assert part in out
        assert "\x1b" not in out

    def test_an_unknown_one_is_an_error_in_a_sentence(self, shell: Shell) -> None:
        result = shell.runs("inbox", "show", "99")
        assert result.code == 1
        assert "No update has the id 99" in result.err

    @pytest.mark.parametrize("number", [str(2**63), "9" * 40])
    def test_an_id_beyond_64_bits_is_an_unknown_one(self, shell: Shell, number: str) -> None:
        for args in (["show", number], ["retry", number], ["drop", number]):
            result = shell.runs("inbox", *args)
            assert (result.code, f"No update has the id {number}" in result.err) == (1, True), args
        assert shell.reads("inbox", "drop", "3", "--json")["changed"] == [3]


@pytest.mark.usefixtures("updates")
class TestRetry:
    def test_one_that_failed_is_queued_as_if_it_had_just_arrived(self, shell: Shell) -> None:
        with shell.database() as conn:
            row = NewOutbox(lane=":8:", method="editMessageText", chat_id=8, payload={}, turn_id="u3", part=1)
            outbox.mark_sent(conn, [(outbox.add(conn, [row], NOW)[0], 99)], NOW)
        result = shell.runs("inbox", "retry", "3", "5")

        assert (result.code, result.err) == (0, "")
        assert "Update 3 is queued again" in result.out
        assert states(shell) == {
            1: "running",
            2: "queued",
            3: "queued",
            4: "quarantined",
            5: "queued",
            6: "done",
            7: "merged",
        }
        with shell.database() as conn:
            again = inbox.get(conn, 3)
            assert again is not None
            assert (again.crashes, again.strikes, again.error, again.finished_at) == (0, 0, None, None)
            assert again.received_at > NOW
            # The message about its end does not block the new answer.
            assert outbox.of_turn(conn, "u3") == []
            # A week later, or after the next start, it does not expire at once.
            recovered = inbox_recovery.recover(conn, again.received_at, max_attempts=3)
            assert [row.update_id for row in recovered.expired] == [1, 2]
            assert [row.update_id for row in inbox_claims.claim(conn, 8, NOW, max_attempts=3)] == [3, 5]

    @pytest.mark.parametrize(
        ("update_id", "words"),
        [
            (1, "is being answered"),
            (2, "is waiting already"),
            (4, "content of update 4 is not kept"),
            (6, "is done"),
            (7, "is part of another one"),
            (99, "No update has the id 99"),
        ],
    )
    def test_others_are_refused_with_the_reason_and_stay(self, shell: Shell, update_id: int, words: str) -> None:
        before = states(shell)
        result = shell.runs("inbox", "retry", str(update_id))
        assert result.code == 1
        assert words in result.err
        assert states(shell) == before

    def test_one_whose_messages_are_on_their_way_is_refused(self, shell: Shell) -> None:
        with shell.database() as conn:
            outbox.add(conn, [NewOutbox(lane=":8:", method="sendMessage", chat_id=8, payload={}, turn_id="u3")], NOW)
        assert "not sent yet" in shell.runs("inbox", "retry", "3").err
        assert states(shell)[3] == "failed"

    def test_all_that_can_be_are_retried(self, shell: Shell) -> None:
        result = shell.runs("inbox", "retry", "--all", "--json")
        assert json.loads(result.out) == {"changed": [3, 5], "refused": {"4": "empty"}}
        assert result.code == 1

    def test_a_change_is_in_the_audit_trail(self, shell: Shell) -> None:
        shell.runs("inbox", "retry", "3")
        shell.runs("inbox", "drop", "5")
        found = {(each["action"], each["target"], each["source"]) for each in shell.reads("audit", "--json")}
        assert found == {("update.retry", "3", "shell"), ("update.drop", "5", "shell")}


@pytest.mark.usefixtures("updates")
class TestDrop:
    def test_what_waits_or_failed_is_dropped_and_not_listed_any_more(self, shell: Shell) -> None:
        assert shell.runs("inbox", "drop", "2", "3", "4").code == 0
        assert ids(shell) == [1, 5]
        # The row stays: Telegram may deliver the update again.
        assert states(shell)[3] == "done"

    def test_the_next_one_of_the_lane_can_begin(self, shell: Shell) -> None:
        with shell.database() as conn:
            inbox.add_updates(conn, [update(20, ":9:"), update(21, ":9:")], NOW)
        assert shell.runs("inbox", "drop", "20").code == 0
        with shell.database() as conn:
            assert [row.update_id for row in inbox_claims.claim(conn, 8, NOW, max_attempts=3)] == [21]

    def test_a_running_one_is_dropped_only_while_the_bot_is_stopped(self, shell: Shell) -> None:
        with lock_data_folder(shell.data_dir):
            result = shell.runs("inbox", "drop", "1")
        assert result.code == 1
        assert "/stop" in result.err
        assert shell.runs("inbox", "drop", "1").code == 0
        assert states(shell)[1] == "done"

    def test_an_answer_that_waits_to_be_sent_is_dropped_too(self, shell: Shell) -> None:
        with shell.database() as conn:
            rows = [
                NewOutbox(lane=":7:", method="sendMessage", chat_id=7, payload={}, turn_id="u1", part=n)
                for n in (1, 2, 3)
            ]
            first, second, _ = outbox.add(conn, rows, NOW)
            outbox.mark_sent(conn, [(first, 99)], NOW)
            conn.execute("UPDATE outbox SET state = 'sending' WHERE id = ?", (second,))
        assert shell.runs("inbox", "drop", "1").code == 0
        assert [call["state"] for call in shell.reads("inbox", "show", "1", "--json")["calls"]] == ["sent", "sending"]

    def test_many_are_changed_in_several_transactions(self, shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
        """A bot that runs meanwhile waits for each of them."""
        monkeypatch.setattr(change, "PIECE", 2)
        units, write = list[object](), Database.write

        def counted(database: Database, unit: Any, **options: Any) -> Any:
            units.append(unit)
            return write(database, unit, **options)

        monkeypatch.setattr(Database, "write", counted)
        assert shell.reads("inbox", "drop", "--all", "--json") == {"changed": [3, 4, 5], "refused": {}}
        assert len(units) == 2

    def test_where_none_ended_badly_those_that_wait_are_not_denied(self, shell: Shell) -> None:
        shell.runs("inbox", "drop", "--all")
        result = shell.runs("inbox", "drop", "--all")
        assert "No update has failed" in result.err
        assert "No update waits" not in result.err

    def test_all_are_those_that_ended_badly(self, shell: Shell) -> None:
        assert shell.reads("inbox", "drop", "--all", "--json") == {"changed": [3, 4, 5], "refused": {}}
        assert ids(shell) == [1, 2]


@pytest.mark.parametrize("args", [["retry"], ["drop"], ["retry", "1", "--all"], ["drop", "x"]])
def test_what_to_change_has_to_be_said(shell: Shell, args: Sequence[str]) -> None:
    assert shell.runs("inbox", *args).code == 2


def test_without_updates_there_is_a_sentence(shell: Shell) -> None:
    result = shell.runs("inbox", "list")
    assert (result.code, result.out) == (0, "")
    assert "No update waits" in result.err
    assert shell.reads("inbox", "list", "--json", hints=True) == []
    assert "tgllm db init" in shell.runs("inbox", "drop", "1").err


def test_ten_thousand_updates_are_listed_without_their_content(shell: Shell) -> None:
    with shell.new_database() as conn:
        conn.execute("BEGIN")
        inbox.add_updates(conn, [update(number) for number in range(1, 10_001)], NOW)
        conn.execute("COMMIT")
        assert _sorted_ids(conn) == 10_000
    assert ids(shell) == [*range(1, 51)]


def _sorted_ids(conn: sqlite3.Connection) -> int:
    return int(conn.execute("SELECT count(*) FROM inbox").fetchone()[0])
