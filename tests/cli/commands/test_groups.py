"""``tgllm groups``."""

from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.db.tables import audit, groups, outbox, users
from tgllm.db.tables.groups import Group
from tgllm.db.tables.users import SeenUser
from tgllm.services.chats.moved_chats import note_move

TEAM, CLASS = -1001, -1002
ANN = SeenUser(7, "ann", "Ann")


@pytest.fixture
def database(shell: Shell) -> None:
    """Two groups wait; Ann has asked for one of them."""
    with shell.new_database() as conn:
        users.upsert_seen(conn, ANN, NOW)
        groups.request(conn, TEAM, "The\nTeam", NOW, by=ANN.id)
        groups.request(conn, CLASS, "Class 7b", NOW - 1)


def stored(shell: Shell, chat_id: int) -> Group:
    with shell.database() as conn:
        found = groups.get(conn, chat_id)
    assert found is not None
    return found


def listed(shell: Shell, *args: str) -> list[dict[str, Any]]:
    return shell.reads("groups", "list", "--json", *args, hints=True)


@pytest.mark.usefixtures("database")
class TestList:
    def test_all_that_programs_may_want_to_know(self, shell: Shell) -> None:
        team, other = listed(shell)

        assert team == {
            "id": TEAM,
            "title": "The\nTeam",
            "status": "pending",
            "requested_at": "2026-09-21T14:13:20+00:00",
            "requested_by": ANN.id,
            "decided_at": None,
            "decided_by": None,
        }
        assert other["id"] == CLASS

    def test_a_line_for_each(self, shell: Shell) -> None:
        lines = [line.split("\t") for line in shell.runs("groups", "list").out.splitlines()]

        assert lines == [
            ["Id", "Title", "Status", "Asked (UTC)", "Asked by", "Decided (UTC)"],
            [str(TEAM), "The Team", "pending", "2026-09-21 14:13", str(ANN.id), "-"],
            [str(CLASS), "Class 7b", "pending", "2026-09-21 14:13", "-", "-"],
        ]

    def test_of_one_status(self, shell: Shell) -> None:
        shell.runs("groups", "approve", str(TEAM))

        assert [group["id"] for group in listed(shell, "--status", "active")] == [TEAM]
        result = shell.runs("groups", "list", "--status", "denied")
        assert (result.code, result.out, result.err) == (0, "", "tgllm: No group is denied.\n")


@pytest.mark.usefixtures("database")
class TestDecisions:
    @pytest.mark.parametrize("name", [str(CLASS), str(-CLASS), "class 7b", " Class 7B "])
    def test_a_group_is_let_in_and_told_by_the_bot(self, shell: Shell, name: str) -> None:
        result = shell.runs("groups", "approve", name)

        assert (result.code, result.out) == (0, f"The bot answers in Class 7b ({CLASS}).\n")
        assert (stored(shell, CLASS).status, stored(shell, TEAM).status) == ("active", "pending")
        with shell.database() as conn:
            row, noted = outbox.get(conn, 1), audit.list_recent(conn, 1)[0]
        assert row is not None
        assert (row.chat_id, row.state) == (CLASS, "ready")
        assert (noted.action, noted.source, noted.actor_id) == ("group.approve", "shell", None)

    def test_a_group_is_kept_out(self, shell: Shell) -> None:
        result = shell.runs("groups", "deny", str(CLASS))

        assert result.out == f"The bot does not answer in Class 7b ({CLASS}), except for admins.\n"
        assert stored(shell, CLASS).status == "denied"
        assert shell.runs("groups", "deny", str(CLASS)).out.endswith("Nothing changed.\n")

    def test_by_the_id_that_it_had_before_it_became_a_supergroup(self, shell: Shell) -> None:
        with shell.database() as conn:
            note_move(conn, -5, CLASS, NOW)

        assert shell.runs("groups", "approve", "-5").code == 0
        assert stored(shell, CLASS).status == "active"

    @pytest.mark.parametrize("name", ["-1", "Class", "", "-", "9" * 40, "--1001"])
    def test_one_that_is_not_known(self, shell: Shell, name: str) -> None:
        result = shell.runs("groups", "approve", name)

        assert (result.code, result.out) == (1, "")
        assert "tgllm groups list" in result.err

    def test_one_of_several_of_the_same_title(self, shell: Shell) -> None:
        with shell.database() as conn:
            groups.request(conn, -3, "class 7B", NOW)

        result = shell.runs("groups", "deny", "Class 7b")

        assert result.code == 1
        assert {"-3", str(CLASS)} <= set(result.err.replace(",", "").split())
        assert stored(shell, CLASS).status == "pending"


class TestWithout:
    def test_a_database_no_group_is_known(self, shell: Shell) -> None:
        result = shell.runs("groups", "list")

        assert (result.code, result.out) == (0, "")
        assert "wants the bot there" in result.err
        assert listed(shell) == []
        assert not shell.data_dir.exists()

    def test_a_database_nothing_is_changed(self, shell: Shell) -> None:
        result = shell.runs("groups", "approve", "-1")

        assert result.code == 1
        assert "tgllm db init" in result.err
