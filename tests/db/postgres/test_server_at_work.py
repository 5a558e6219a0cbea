"""The databases of the tests on PostgreSQL are apart from each other."""

import psycopg
import pytest

from postgres_databases import fresh_database

pytestmark = pytest.mark.postgres


def test_a_database_without_tables(empty_postgres_url: str) -> None:
    with psycopg.connect(empty_postgres_url) as conn:
        assert conn.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone() == (0,)
        assert conn.execute("SHOW server_encoding").fetchone() == ("UTF8",)


def test_what_a_test_has_left_is_gone_in_the_next_one() -> None:
    with fresh_database() as first, psycopg.connect(first, autocommit=True) as conn:
        before = conn.execute("SELECT * FROM kv").fetchall()
        conn.execute("INSERT INTO kv (scope, key, value, updated_at) VALUES ('s', 'left', '1', 1)")
    with fresh_database() as second, psycopg.connect(second) as conn:
        assert conn.execute("SELECT * FROM kv").fetchall() == before


def test_a_changed_schema_is_gone_in_the_next_test() -> None:
    with fresh_database() as first, psycopg.connect(first, autocommit=True) as conn:
        conn.execute("CREATE TABLE left_over (id bigint)")
    with fresh_database() as second, psycopg.connect(second) as conn:
        assert conn.execute("SELECT to_regclass('left_over')").fetchone() == (None,)
