"""Commands of run-on-postgresql.md and back-up-postgresql.md, with the tools of the server."""

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import psycopg
import pytest

from doc_pages.marks import ROOT, read_blocks
from postgres_databases import server_url
from postgres_server import programs
from tgllm.config.load import load_config
from tgllm.database_place import database_place
from tgllm.db.engine.place import Server
from tgllm.db.postgres.check import check
from tgllm.db.postgres.store import connect

pytestmark = pytest.mark.postgres


def commands(page: str, test: str) -> Sequence[str]:
    """The blocks of a page that say that a test runs them."""
    return [block.text for block in read_blocks(ROOT / "docs" / "howto" / page) if block.detail.endswith(f"::{test}")]


def run(script: str, folder: Path, **variables: str) -> str:
    """Run a block of a page where the programs of PostgreSQL and of this project are found."""
    path = os.pathsep.join([str(programs()), str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "HOME": str(folder), "TGLLM_DATA_DIR": str(folder / "data"), **variables}
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_settings_behind_a_pooler(tmp_path: Path) -> None:
    (block,) = commands("run-on-postgresql.md", "test_settings_behind_a_pooler")
    (tmp_path / "config.toml").write_text(block, encoding="utf-8")
    place = database_place(load_config({}, config_path=tmp_path / "config.toml", environ={}, cwd=tmp_path).config)

    assert isinstance(place, Server)
    assert (place.pooled, place.listen_url) == (True, "postgresql://tgllm@db.example/tgllm")


def test_a_role_and_its_database(tmp_path: Path) -> None:
    (block,) = commands("run-on-postgresql.md", "test_a_role_and_its_database")
    try:
        run(block, tmp_path, SERVER=server_url())
        url = server_url().replace("tests@", "tgllm:change-me@").removesuffix("/postgres") + "/tgllm"
        with psycopg.connect(url) as conn:
            assert conn.info.parameter_status("server_encoding") == "UTF8"
            # The role may create the bot's tables.
            conn.execute("CREATE TABLE made (id bigint)")
    finally:
        with psycopg.connect(server_url(), autocommit=True) as conn:
            conn.execute("DROP DATABASE IF EXISTS tgllm")
            conn.execute("DROP ROLE IF EXISTS tgllm")


def test_a_backup_is_restored(tmp_path: Path, postgres_url: str, empty_postgres_url: str) -> None:
    """With rows, numbers of rows, constraints and functions."""
    with connect(postgres_url) as conn:
        conn.execute(
            "INSERT INTO users (id, first_name, status, created_at, updated_at) VALUES (42, 'Ann', 'active', 1, 1)"
        )
        conn.execute("INSERT INTO audit (at, source, action) VALUES (1, 'shell', 'user.approve')")
    backup, restore = commands("back-up-postgresql.md", "test_a_backup_is_restored")
    run(backup, tmp_path, TGLLM_DATABASE__URL=postgres_url)
    run(restore, tmp_path, NEW_DATABASE_URL=empty_postgres_url)

    before, after = check(Server(postgres_url)), check(Server(empty_postgres_url))
    assert (after.rows, after.version, after.problems) == (before.rows, before.version, ())
    with connect(empty_postgres_url) as conn:
        conn.execute("INSERT INTO audit (at, source, action) VALUES (2, 'shell', 'user.deny')")
        assert conn.execute("SELECT count(DISTINCT id) FROM audit").fetchone() == (2,)
