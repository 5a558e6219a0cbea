"""Commands of the shell where the database is on a server."""

import json

import psycopg
import pytest

from cli_support import Shell
from tgllm.cli.commands.plugins.leftovers import leftovers
from tgllm.cli.options import Options
from tgllm.db.postgres.connection import PostgresConnection
from tgllm.db.postgres.look import live_bots
from tgllm.db.postgres.store import connect
from tgllm.i18n import Catalogue

pytestmark = pytest.mark.postgres

PASSWORD = "pass-of-the-database"


@pytest.fixture
def url(postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The database of the settings; the server takes any password."""
    url = postgres_url.replace("@", f":{PASSWORD}@", 1)
    monkeypatch.setenv("TGLLM_DATABASE__URL", url)
    return url


def begin_bot(url: str, alive: int = 60_000) -> None:
    """Add a process of the bot that lives for so many milliseconds."""
    with connect(url) as conn:
        conn.execute(
            "INSERT INTO replicas (name, kind, started_at, alive_until)"
            f" VALUES ('a', 'bot', 1, (extract(epoch FROM clock_timestamp()) * 1000)::bigint + {alive})".encode()
        )


LISTS = ("users list", "groups list", "invites list", "audit", "errors list", "inbox list", "models list", "usage")


def test_lists_read_the_server(shell: Shell, url: str) -> None:
    for command in LISTS:
        result = shell.runs(*command.split(), "--json")
        assert (command, result.code) == (command, 0), result.err
        json.loads(result.out)
    assert not (shell.data_dir / "tgllm.db").exists()


def test_a_list_does_not_create_tables(shell: Shell, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_DATABASE__URL", empty_postgres_url)

    assert shell.reads("users", "list", "--json", hints=True) == []
    with psycopg.connect(empty_postgres_url) as conn:
        assert conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)


def test_init_creates_the_tables_and_says_where(
    shell: Shell, empty_postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TGLLM_DATABASE__URL", empty_postgres_url)

    assert "there is no database postgresql://" in shell.runs("db", "check").err
    assert empty_postgres_url in shell.runs("db", "init").out
    assert shell.runs("db", "check").code == 0


def test_check_counts_rows_and_finds_what_is_turned_off(shell: Shell, url: str) -> None:
    found = shell.reads("db", "check", "--json")
    assert (found["ok"], found["rows"]["users"]) == (True, 0)
    assert PASSWORD not in found["place"]

    with connect(url) as conn:
        conn.execute("CREATE INDEX spare ON users (first_name)")
        conn.execute("UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'spare'::regclass")
    result = shell.runs("db", "check")

    assert (result.code, "REINDEX INDEX spare" in result.err) == (1, True)


def test_stats_show_the_space_of_tables(shell: Shell, url: str) -> None:
    found = shell.reads("db", "stats", "--json")

    assert found["tables"]["messages"]["bytes"] > 0
    assert found["size"] > found["tables"]["messages"]["bytes"]
    assert shell.runs("db", "stats").code == 0


def test_what_is_about_a_file_says_what_to_do_instead(shell: Shell, url: str) -> None:
    for command, instead in (
        ("backup", "pg_dump"),
        ("backups", "pg_dump"),
        ("restore copy.tar", "pg_restore"),
        ("vacuum", "VACUUM FULL"),
    ):
        result = shell.runs("db", *command.split())
        assert (command, result.code, instead in result.err) == (command, 1, True), result.err
        assert PASSWORD not in result.err


def test_prune_deletes_on_the_server(shell: Shell, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_RETENTION__USAGE_DAYS", "100")
    with connect(url) as conn:
        conn.execute("INSERT INTO usage (user_id, day, provider, model) VALUES (7, '2016-01-01', 'echo', 'words')")
    assert shell.reads("db", "prune", "--json")["usage"] == 1

    with connect(url) as conn:
        assert conn.execute("SELECT count(*) FROM usage").fetchone() == (0,)


def test_a_person_is_approved_and_forgotten(shell: Shell, url: str) -> None:
    with connect(url) as conn:
        conn.execute(
            "INSERT INTO users (id, first_name, status, created_at, updated_at) VALUES (42, 'Ann', 'pending', 1, 1)"
        )
    assert shell.runs("users", "approve", "42").code == 0
    result = shell.runs("users", "forget", "42", "--yes")

    assert (result.code, "log of the database server" in result.out) == (0, True), result.err
    with connect(url) as conn:
        assert live_bots(PostgresConnection(conn)) == 0


def test_a_bot_runs_while_its_lease_is_valid(shell: Shell, url: str) -> None:
    with connect(url) as conn:
        begin_bot(url, alive=-1)
        assert live_bots(PostgresConnection(conn)) == 0
        begin_bot(url)
        assert live_bots(PostgresConnection(conn)) == 1


def test_doctor_and_ping_and_upgrade(shell: Shell, url: str) -> None:
    begin_bot(url)
    result = shell.runs("doctor", "--offline", "--json")
    found = {check["name"]: check for check in json.loads(result.out)}

    assert found["Database server"]["state"] == "ok", found["Database server"]
    assert found["Database integrity"]["state"] == "ok"
    assert found["Database connections"]["state"] == "ok"
    assert "1" in found["Bot"]["detail"]
    assert "pg_dump" in found["Backups"]["detail"]
    assert PASSWORD not in result.out + result.err

    assert shell.runs("ping").code == 0
    assert "up to date, on PostgreSQL" in shell.runs("upgrade", "--check").out


def test_a_server_that_is_away_is_said_without_the_password(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TGLLM_DATABASE__URL", f"postgresql://bot:{PASSWORD}@127.0.0.1:1/tgllm")

    result = shell.runs("users", "list")
    assert (result.code, "can't be reached" in result.err) == (1, True)
    doctor = shell.runs("doctor", "--offline")
    assert doctor.code == 1
    assert PASSWORD not in result.err + doctor.out + doctor.err


def test_the_address_is_shown_without_its_password(shell: Shell, url: str) -> None:
    shown = url.replace(f":{PASSWORD}", "")
    found = {each["key"]: each["value"] for each in shell.reads("config", "show", "--json")}

    assert found["database.url"] == shown


def test_a_missing_package_is_named(shell: Shell, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tgllm.db.engine.driver.find_spec", lambda _: None)

    assert "tgllm[postgres]" in shell.runs("users", "list").err
    assert "tgllm[postgres]" in shell.runs("db", "init").err
    assert "tgllm[postgres]" in shell.runs("doctor", "--offline").out


def test_what_an_uninstalled_plugin_leaves_on_the_server_is_named(shell: Shell, url: str) -> None:
    with connect(url) as conn:
        conn.execute("INSERT INTO plugin_room (plugin_id, owner, keys, bytes) VALUES ('notes', 0, 3, 3)")

    assert "3" in next(iter(leftovers(Options(), ["notes"], Catalogue())))
