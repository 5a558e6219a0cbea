"""``tgllm users budget``."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from cli_support import Shell
from database_support import NOW
from tgllm.api.clock import SystemClock
from tgllm.db.tables import audit, usage, users
from tgllm.db.tables.usage import Spent
from tgllm.db.tables.users import SeenUser

ANN = SeenUser(424201, "ann", "Ann")


@pytest.fixture(autouse=True)
def database(shell: Shell) -> None:
    """Ann is a user, and has asked something today."""
    today = f"{datetime.fromtimestamp(SystemClock().now(), UTC):%Y-%m-%d}"
    with shell.new_database() as conn:
        users.upsert_seen(conn, ANN, NOW)
        users.set_status(conn, ANN.id, "active", NOW)
        users.set_role(conn, ANN.id, "user", NOW)
        usage.add(conn, ANN.id, today, "p", "m", Spent(input_tokens=30, output_tokens=12, cost_micros=1_500_000))


def budget(shell: Shell, *args: str) -> dict[str, Any]:
    """The limits by name: amount, used, and where it comes from."""
    report = shell.reads("users", "budget", "@ann", "--json", *args, hints=True)
    assert report["user"] == ANN.id
    return {each["limit"]: (each["amount"], each["used"], each["source"]) for each in report["limits"]}


def test_nobody_limits_anything(shell: Shell) -> None:
    result = shell.runs("users", "budget", "@ann")

    assert (result.code, result.out, result.err) == (0, "", f"tgllm: Ann (@ann, {ANN.id}) has no limits.\n")


def test_limits_are_set(shell: Shell) -> None:
    args = ("--set", "requests/day=50", "--set", "USD/month=2.50", "--set", "tokens/day=1000")

    assert budget(shell, *args) == {
        "requests/day": (50, 1, "own"),
        "usd/month": (2.5, 1.5, "own"),
        "tokens/day": (1000, 42, "own"),
    }
    assert budget(shell)["requests/day"] == (50, 1, "own")


def test_a_line_for_each(shell: Shell) -> None:
    lines = shell.runs("users", "budget", "@ann", "--set", "usd/day=2", "--lift", "tokens/day").out.splitlines()

    assert lines[0].split("\t") == ["Limit", "Amount", "Used", "Left", "Until", "From"]
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in lines[1:]}
    assert rows["usd/day"][:3] == ["$2.00", "$1.50", "$0.50"]
    assert "UTC" in rows["usd/day"][3]
    assert rows["tokens/day"] == ["none", "-", "-", "-", "person"]


def test_the_settings_are_lifted_and_come_back(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_BUDGETS__ROLES", json.dumps({"user": {"requests_per_day": 10}}))

    assert budget(shell) == {"requests/day": (10, 1, "config")}
    assert budget(shell, "--lift", "requests/day") == {"requests/day": (None, None, "own")}
    assert budget(shell, "--default", "requests/day") == {"requests/day": (10, 1, "config")}


def test_extra_and_reset(shell: Shell) -> None:
    budget(shell, "--set", "requests/day=5")

    assert budget(shell, "--give", "requests/day=3") == {"requests/day": (8, 1, "own")}
    assert budget(shell, "--reset") == {"requests/day": (5, 0, "own")}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("--set", "requests/year=1"), "is not a valid limit"),
        (("--set", "requests/day"), "is not a valid amount"),
        (("--set", "requests/day=0"), "is not a valid amount"),
        (("--set", "requests/day=-1"), "is not a valid amount"),
        (("--set", "requests/day=1.5"), "is not a valid amount"),
        (("--set", "usd/day=nan"), "is not a valid amount"),
        (("--set", "usd/day=1e99999"), "is not a valid amount"),
        (("--set", "usd/day=0.0000001"), "is not a valid amount"),
        (("--lift", "beer/day"), "is not a valid limit"),
        (("--give", "usd/day=1"), "--set requests/day=50"),
    ],
)
def test_what_makes_no_sense_is_told_and_changes_nothing(shell: Shell, args: tuple[str, ...], words: str) -> None:
    result = shell.runs("users", "budget", "@ann", "--set", "tokens/day=7", *args)

    assert result.code == 1
    assert words in result.err
    assert budget(shell) == {}


def test_where_there_is_no_limit_there_is_none_to_reset(shell: Shell) -> None:
    result = shell.runs("users", "budget", "@ann", "--reset")

    assert (result.code, result.out) == (1, "")
    assert "--set requests/day=50" in result.err


def test_changes_are_noted(shell: Shell) -> None:
    budget(shell, "--set", "requests/day=5")
    with shell.database() as conn:
        (row,) = audit.list_recent(conn, 9)

    assert (row.action, row.source, row.actor_id) == ("budget.set", "shell", None)
    assert str(ANN.id) in (row.target or "")


def test_of_somebody_unknown(shell: Shell) -> None:
    result = shell.runs("users", "budget", "@anne", "--set", "requests/day=5")

    assert result.code == 1
    assert "Did you mean: Ann" in result.err
