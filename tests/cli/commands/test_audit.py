"""``tgllm audit``."""

from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.db.tables import audit, groups, users
from tgllm.db.tables.audit import NewEntry
from tgllm.db.tables.users import SeenUser

APPROVED = {"role": "user", "expires_at": NOW}


@pytest.fixture
def database(shell: Shell) -> None:
    entries = (
        NewEntry(actor_id=42, source="telegram", action="user.approve", target="43", details=APPROVED),
        NewEntry(actor_id=99, source="telegram", action="group.mode", target="-100", details={"mode": None}),
        NewEntry(actor_id=99, source="telegram", action="group.deny", target="-200"),
        NewEntry(actor_id=None, source="shell", action="model.default", target="p/\x1b[2Jm"),
    )
    with shell.new_database() as conn:
        users.upsert_seen(conn, SeenUser(42, "ann", "Ann"), NOW)
        users.upsert_seen(conn, SeenUser(43, None, "Bob"), NOW)
        groups.request(conn, -200, "Team", NOW)
        for number, entry in enumerate(entries):
            audit.add(conn, entry, NOW + number)


def listed(shell: Shell, *args: str) -> list[dict[str, Any]]:
    return shell.reads("audit", "--json", *args, hints=True)


@pytest.mark.usefixtures("database")
class TestList:
    def test_a_line_for_each_with_names_the_latest_first(self, shell: Shell) -> None:
        lines = [line.split("\t") for line in shell.runs("audit").out.splitlines()]

        assert lines == [
            ["Time (UTC)", "Who", "From", "What", "Whom", "Details"],
            ["2026-09-21 14:13", "-", "shell", "model.default", "p/ [2Jm", ""],
            ["2026-09-21 14:13", "99", "telegram", "group.deny", "Team (-200)", ""],
            ["2026-09-21 14:13", "99", "telegram", "group.mode", "-100", "mode: null"],
            [
                "2026-09-21 14:13",
                "Ann (@ann, 42)",
                "telegram",
                "user.approve",
                "Bob (43)",
                "role: user, expires_at: 2026-09-21T14:13:20+00:00",
            ],
        ]

    def test_for_programs(self, shell: Shell) -> None:
        assert listed(shell)[-1] == {
            "at": "2026-09-21T14:13:20+00:00",
            "actor_id": 42,
            "source": "telegram",
            "action": "user.approve",
            "target": "43",
            "details": {"role": "user", "expires_at": "2026-09-21T14:13:20+00:00"},
        }

    def test_the_latest_only(self, shell: Shell) -> None:
        assert [row["action"] for row in listed(shell, "--limit", "2")] == ["model.default", "group.deny"]

    def test_what_the_shell_does_stands_there(self, shell: Shell) -> None:
        shell.runs("users", "approve", "43")

        assert [row["source"] for row in listed(shell, "--limit", "1")] == ["shell"]


def test_before_the_first_change(shell: Shell) -> None:
    result = shell.runs("audit")

    assert (result.code, result.out, result.err) == (0, "", "tgllm: No change is noted yet.\n")
    assert listed(shell) == []
    assert not shell.data_dir.exists()


@pytest.mark.parametrize("limit", ["0", "-1", "x"])
def test_a_limit_that_makes_no_sense(shell: Shell, limit: str) -> None:
    assert shell.runs("audit", "--limit", limit).code == 2


@pytest.mark.usefixtures("database")
@pytest.mark.parametrize("name", ["TGLLM_LANGUAGE", "TGLLM_TIME_ZONE"])
def test_a_list_without_days_takes_no_notice_of_a_wrong_language_or_time_zone(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "no such")

    assert listed(shell)
