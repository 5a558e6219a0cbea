"""``tgllm users``."""

import json
import sqlite3
from contextlib import closing
from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.db.tables import audit, outbox, users
from tgllm.db.tables.outbox import OutboxRow
from tgllm.db.tables.users import SeenUser, User

ANN = SeenUser(424201, "Ann_Lee", "Ann", "Lee", "en")
BOB = SeenUser(424202, None, "Bob", None, "ru")
OWNER = 7


@pytest.fixture
def database(shell: Shell) -> None:
    """Ann and Bob have asked for access; there is an owner."""
    with shell.new_database() as conn:
        users.ensure_owners(conn, [OWNER], NOW)
        for person, at in ((BOB, NOW + 1), (ANN, NOW)):
            users.upsert_seen(conn, person, at)
            users.register_pending(conn, person.id, at, "hello")


def stored(shell: Shell, user_id: int) -> User:
    with shell.database() as conn:
        found = users.get(conn, user_id)
    assert found is not None
    return found


def waiting(shell: Shell) -> list[OutboxRow]:
    """The messages that the bot has to send."""
    with shell.database() as conn:
        rows = [outbox.get(conn, number) for number in range(1, 9)]
    return [row for row in rows if row is not None]


def listed(shell: Shell, *args: str) -> list[dict[str, Any]]:
    return shell.reads("users", "list", "--json", *args)


@pytest.mark.usefixtures("database")
class TestList:
    def test_all_that_programs_may_want_to_know(self, shell: Shell) -> None:
        ann, bob, owner = listed(shell)

        assert ann == {
            "id": ANN.id,
            "username": "Ann_Lee",
            "first_name": "Ann",
            "last_name": "Lee",
            "language_code": "en",
            "role": "guest",
            "status": "pending",
            "reason": "hello",
            "requested_at": "2026-09-21T14:13:20+00:00",
            "decided_at": None,
            "decided_by": None,
            "expires_at": None,
            "first_seen_at": "2026-09-21T14:13:20+00:00",
        }
        assert (bob["id"], owner["id"], owner["role"]) == (BOB.id, OWNER, "owner")

    def test_a_line_for_each(self, shell: Shell) -> None:
        lines = [line.split("\t") for line in shell.runs("users", "list").out.splitlines()]

        assert lines == [
            ["Id", "Name", "Username", "Role", "Status", "Asked (UTC)", "Until (UTC)"],
            [str(ANN.id), "Ann Lee", "@Ann_Lee", "guest", "pending", "2026-09-21 14:13", "-"],
            [str(BOB.id), "Bob", "-", "guest", "pending", "2026-09-21 14:13", "-"],
            [str(OWNER), str(OWNER), "-", "owner", "active", "-", "-"],
        ]

    def test_of_one_status(self, shell: Shell) -> None:
        assert [user["id"] for user in listed(shell, "--status", "active")] == [OWNER]

    def test_a_status_that_nobody_has(self, shell: Shell) -> None:
        result = shell.runs("users", "list", "--status", "blocked")

        assert (result.code, result.out, result.err) == (0, "", "tgllm: Nobody is blocked.\n")

    def test_a_name_does_not_steer_the_terminal(self, shell: Shell) -> None:
        with shell.database() as conn:
            users.upsert_seen(conn, SeenUser(1, None, "\x1b]0;owned\x07\u202eEve"), NOW)

        assert "\x1b" not in (result := shell.runs("users", "list")).out
        assert "\u202e" not in result.out
        assert "Eve" in result.out
        assert "\x1b" not in shell.runs("users", "approve", "1").out


@pytest.mark.usefixtures("database")
class TestDecisions:
    def test_somebody_is_let_in_and_told_by_the_bot(self, shell: Shell) -> None:
        result = shell.runs("users", "approve", str(ANN.id))

        assert (result.code, result.out) == (0, f"Ann Lee (@Ann_Lee, {ANN.id}) may use the bot.\n")
        user = stored(shell, ANN.id)
        assert (user.status, user.role, user.expires_at, user.decided_by) == ("active", "user", None, None)
        (row,) = waiting(shell)
        assert (row.chat_id, row.state) == (ANN.id, "ready")

    def test_in_the_language_of_the_one_who_is_told(self, shell: Shell) -> None:
        shell.runs("users", "approve", str(BOB.id))

        (row,) = waiting(shell)
        assert set(row.payload["text"]) & set("абвгдежз")

    @pytest.mark.parametrize("name", ["@Ann_Lee", "@ann_lee", "ANN_LEE"])
    def test_by_username(self, shell: Shell, name: str) -> None:
        assert shell.runs("users", "approve", name).code == 0
        assert stored(shell, ANN.id).is_active

    def test_for_a_day(self, shell: Shell) -> None:
        result = shell.runs("users", "approve", "@ann_lee", "--guest")

        user = stored(shell, ANN.id)
        assert (user.status, user.role) == ("active", "guest")
        assert user.expires_at is not None
        assert "until 20" in result.out

    @pytest.mark.parametrize(("command", "status"), [("deny", "denied"), ("block", "blocked")])
    def test_somebody_is_kept_out(self, shell: Shell, command: str, status: str) -> None:
        shell.runs("users", "approve", "@ann_lee")
        assert shell.runs("users", command, "@ann_lee").code == 0

        assert stored(shell, ANN.id).status == status
        assert len(waiting(shell)) == 2

    def test_what_was_so_before_is_not_told_again(self, shell: Shell) -> None:
        shell.runs("users", "block", "@ann_lee")
        result = shell.runs("users", "block", "@ann_lee")

        assert (result.code, result.out) == (
            0,
            f"Ann Lee (@Ann_Lee, {ANN.id}) is blocked. Nothing changed.\n",
        )
        assert len(waiting(shell)) == 1

    def test_a_role(self, shell: Shell) -> None:
        shell.runs("users", "approve", "@ann_lee")
        result = shell.runs("users", "role", "@ann_lee", "admin")

        assert (result.code, result.out) == (0, f"The role of Ann Lee (@Ann_Lee, {ANN.id}): admin.\n")
        assert stored(shell, ANN.id).role == "admin"

    def test_a_role_for_somebody_who_was_not_let_in(self, shell: Shell) -> None:
        result = shell.runs("users", "role", "@ann_lee", "admin")

        assert (result.code, result.out) == (1, "")
        assert "not been approved" in result.err
        assert stored(shell, ANN.id).role == "guest"

    @pytest.mark.parametrize("args", [("block",), ("deny",), ("role", "user")])
    def test_owners_are_left_to_the_settings(self, shell: Shell, args: tuple[str, ...]) -> None:
        result = shell.runs("users", args[0], str(OWNER), *args[1:])

        assert result.code == 1
        assert "admin_ids" in result.err
        assert (stored(shell, OWNER).role, stored(shell, OWNER).status) == ("owner", "active")

    def test_nobody_is_made_an_owner(self, shell: Shell) -> None:
        assert shell.runs("users", "role", "@ann_lee", "owner").code == 2

    def test_each_change_is_noted_with_where_it_was_made(self, shell: Shell) -> None:
        shell.runs("users", "approve", "@ann_lee")
        shell.runs("users", "role", "@ann_lee", "admin")
        with shell.database() as conn:
            rows = audit.list_recent(conn, 9)

        assert [(row.action, row.source, row.actor_id, row.target) for row in rows] == [
            ("user.role", "shell", None, str(ANN.id)),
            ("user.approve", "shell", None, str(ANN.id)),
        ]


@pytest.mark.usefixtures("database")
class TestUnknown:
    @pytest.mark.parametrize("text", ["@anm_lee", "Ann", "424210"])
    def test_those_who_are_called_nearly_so_are_named(self, shell: Shell, text: str) -> None:
        result = shell.runs("users", "approve", text)

        assert result.code == 1
        assert f"No user matches {text}. Did you mean" in result.err
        assert f"Ann Lee (@Ann_Lee, {ANN.id})" in result.err

    @pytest.mark.parametrize("text", ["zebra", "", "@", "9" * 40, "\u0664\u0662"])
    def test_the_way_to_all_of_them_is_told(self, shell: Shell, text: str) -> None:
        result = shell.runs("users", "approve", text)

        assert result.code == 1
        assert "tgllm users list" in result.err
        assert waiting(shell) == []


class TestWithout:
    def test_a_database_nobody_is_known(self, shell: Shell) -> None:
        result = shell.runs("users", "list")

        assert (result.code, result.out) == (0, "")
        assert "when they write to the bot" in result.err
        assert json.loads(shell.runs("users", "list", "--json").out) == []
        assert not shell.data_dir.exists()

    @pytest.mark.parametrize("args", [("approve", "1"), ("role", "1", "admin")])
    def test_a_database_nothing_is_changed(self, shell: Shell, args: tuple[str, ...]) -> None:
        result = shell.runs("users", *args)

        assert result.code == 1
        assert "tgllm db init" in result.err
        assert not shell.data_dir.exists()

    @pytest.mark.parametrize("args", [("list",), ("approve", "1")])
    def test_the_config_file_that_was_named(self, shell: Shell, args: tuple[str, ...]) -> None:
        result = shell.runs("users", *args, "--config", "no.toml")

        assert result.code == 2
        assert "no.toml" in result.err


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("args", [("list",), ("list", "--json"), ("approve", "@ann_lee")])
def test_a_database_of_a_newer_version_is_left_alone(shell: Shell, args: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(shell.data_dir / "tgllm.db")) as conn:
        conn.execute("PRAGMA user_version = 999")
    result = shell.runs("users", *args)

    assert (result.code, result.out) == (1, "")
    assert "newer" in result.err
    assert not stored(shell, ANN.id).is_active
