"""``tgllm invites``."""

import json
from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.db.file.schema import prepare
from tgllm.db.tables import audit, invites
from tgllm.services.access.bot_account import remember_username

BOT = 7


@pytest.fixture
def fresh(shell: Shell) -> None:
    """A database with which no bot has worked."""
    prepare(shell.data_dir / "tgllm.db", NOW)


@pytest.fixture
def database(shell: Shell, fresh: None) -> None:
    """A bot has worked with it."""
    with shell.database() as conn:
        remember_username(conn, BOT, "demo_bot", NOW)


def listed(shell: Shell) -> list[dict[str, Any]]:
    return shell.reads("invites", "list", "--json", hints=True)


@pytest.mark.usefixtures("database")
class TestNew:
    def test_the_link_alone_is_printed_and_told_of(self, shell: Shell) -> None:
        result = shell.runs("invites", "new")

        assert result.code == 0
        assert result.out.startswith("https://t.me/demo_bot?start=inv_")
        assert len(result.out.split()) == 1
        assert result.err.startswith("tgllm: The first person who opens this link is approved. It works until 20")
        assert result.err.endswith("tgllm invites revoke 1\n")

    def test_for_more_people_and_programs(self, shell: Shell) -> None:
        result = shell.runs("invites", "new", "--people", "25", "--hours", "48", "--json")
        made = json.loads(result.out)

        (invite,) = listed(shell)
        assert (invite["number"], invite["people"], invite["left"], invite["created_by"]) == (1, 25, 25, None)
        assert made == {**invite, "link": made["link"]}
        assert made["link"].startswith("https://t.me/demo_bot?start=inv_")

    @pytest.mark.parametrize("args", [("--people", "0"), ("--people", "1001"), ("--hours", "0"), ("--hours", "2161")])
    def test_not_for_ever_nor_for_everybody(self, shell: Shell, args: tuple[str, ...]) -> None:
        result = shell.runs("invites", "new", *args)

        assert (result.code, result.out) == (1, "")
        assert "1 to 1000 people" in result.err
        assert listed(shell) == []

    def test_it_is_noted_with_where_it_was_made(self, shell: Shell) -> None:
        shell.runs("invites", "new")
        with shell.database() as conn:
            (noted,) = audit.list_recent(conn, 9)

        assert (noted.action, noted.source, noted.actor_id, noted.target) == ("invite.create", "shell", None, "1")


class TestTheBotsName:
    @pytest.mark.usefixtures("fresh")
    def test_before_a_bot_has_run_nothing_is_made(self, shell: Shell) -> None:
        result = shell.runs("invites", "new")

        assert (result.code, result.out) == (1, "")
        assert "tgllm run" in result.err
        assert listed(shell) == []

    @pytest.mark.usefixtures("database")
    @pytest.mark.parametrize(("bot_id", "code"), [(BOT, 0), (8, 1)])
    def test_the_link_is_one_of_the_bot_of_the_settings(
        self, shell: Shell, monkeypatch: pytest.MonkeyPatch, bot_id: int, code: int
    ) -> None:
        monkeypatch.setenv("TGLLM_BOT_TOKEN", f"{bot_id}:{'a' * 35}")

        assert shell.runs("invites", "new").code == code


@pytest.mark.usefixtures("database")
class TestListAndRevoke:
    def test_the_latest_come_first(self, shell: Shell) -> None:
        shell.runs("invites", "new")
        shell.runs("invites", "new", "--people", "2")
        head, *lines = (line.split("\t") for line in shell.runs("invites", "list").out.splitlines())

        assert head == ["Number", "Left", "People", "Until (UTC)", "Made (UTC)", "Made by"]
        assert [(line[0], line[1], line[2], line[5]) for line in lines] == [
            ("2", "2", "2", "the shell"),
            ("1", "1", "1", "the shell"),
        ]

    def test_one_that_is_taken_back_lets_nobody_in(self, shell: Shell) -> None:
        shell.runs("invites", "new")

        assert shell.runs("invites", "revoke", "1").out == "The invite link number 1 is revoked.\n"
        assert listed(shell) == []
        with shell.database() as conn:
            invite = invites.get(conn, 1)
        assert invite is not None
        assert invite.uses_left == 0
        again = shell.runs("invites", "revoke", "1")
        assert (again.code, again.out) == (0, "The invite link number 1 is revoked. Nothing changed.\n")

    @pytest.mark.parametrize("number", ["2", "0", "9" * 30])
    def test_one_that_there_is_not(self, shell: Shell, number: str) -> None:
        result = shell.runs("invites", "revoke", number)

        assert (result.code, result.out) == (1, "")
        assert "tgllm invites list" in result.err

    def test_no_links(self, shell: Shell) -> None:
        result = shell.runs("invites", "list")

        assert (result.code, result.out, result.err) == (0, "", "tgllm: There is no invite link that works.\n")
