"""Translation of statements, without a server."""

import pytest

from tgllm.db.postgres.dialect import Parameter, adapt, to_postgres

STATEMENTS = {
    "SELECT 1": "SELECT 1",
    "SELECT a FROM t WHERE b = ? AND c = ':x' -- d = ?\n AND e = '?''s'": (
        "SELECT a FROM t WHERE b = %s AND c = ':x' AND e = '?''s'"
    ),
    "SELECT a /* ? */ FROM t": "SELECT a FROM t",
    "SELECT a % 2, 'x%' FROM t": "SELECT a %% 2, 'x%%' FROM t",
    "SELECT a FROM t INDEXED BY t_a WHERE b = 1": "SELECT a FROM t WHERE b = 1",
    "SELECT a FROM t WHERE b IN (SELECT value FROM json_each(:ids)) AND c": "SELECT a FROM t WHERE b = ANY(%s) AND c",
    "DELETE FROM t WHERE b NOT IN (SELECT value FROM json_each(?))": "DELETE FROM t WHERE b <> ALL(%s)",
    "SELECT a FROM t WHERE b IN (SELECT value FROM json_each(t.c))": (
        "SELECT a FROM t WHERE b IN (SELECT value FROM json_each(t.c))"
    ),
    "SELECT a FROM t WHERE b GLOB 'a_b:*' AND c": "SELECT a FROM t WHERE b LIKE 'a\\_b:%%' AND c",
    "SELECT a FROM t WHERE (b NOT GLOB 'x:*') OR c": "SELECT a FROM t WHERE (b NOT LIKE 'x:%%') OR c",
    "SELECT a FROM t WHERE b GLOB ':' || :user || ':*'": "SELECT a FROM t WHERE b LIKE ':' || %s || ':%%'",
    "SELECT a FROM t WHERE b GLOB ':' || substr(c, length('d*') + 1) || ':*'": (
        "SELECT a FROM t WHERE b LIKE ':' || substr(c, length('d*') + 1) || ':%%'"
    ),
    "SELECT a FROM t WHERE b GLOB 'u[-0-9]*'": "SELECT a FROM t WHERE b ~ '^u[-0-9]'",
    "SELECT a FROM t WHERE b NOT GLOB '*[^0-9a-f]*'": "SELECT a FROM t WHERE b !~ '^.*[^0-9a-f]'",
    "SELECT a FROM t WHERE b IS NOT 'x' AND c IS NULL": "SELECT a FROM t WHERE b IS DISTINCT FROM 'x' AND c IS NULL",
    "SELECT a FROM t WHERE (b, c) IS NOT (d, e)": "SELECT a FROM t WHERE (b, c) IS DISTINCT FROM (d, e)",
    "SELECT a FROM t WHERE b IS ? AND c IS NOT NULL": (
        "SELECT a FROM t WHERE b IS NOT DISTINCT FROM %s AND c IS NOT NULL"
    ),
    "SELECT a FROM t WHERE ? IS NULL OR :x IS NOT NULL": (
        "SELECT a FROM t WHERE %s::text IS NULL OR %s::text IS NOT NULL"
    ),
    "SELECT max(a), max(0, min(b, f(c, 1)), 2) FROM t": "SELECT max(a), greatest(0, least(b, f(c, 1)), 2) FROM t",
    "SELECT CAST(substr(a, 2) AS INTEGER), CAST(b AS BIGINT) FROM t": (
        "SELECT to_integer(substr(a, 2)), CAST(b AS BIGINT) FROM t"
    ),
    "SELECT length(CAST(a AS BLOB)) FROM t": "SELECT length( convert_to(a, 'UTF8')) FROM t",
    "SELECT a FROM b CROSS JOIN c AS d ON d.e = b.f": "SELECT a FROM b JOIN c AS d ON d.e = b.f",
    "SELECT a FROM b CROSS JOIN c WHERE x": "SELECT a FROM b CROSS JOIN c WHERE x",
    "DELETE FROM t WHERE rowid IN (SELECT rowid FROM t)": "DELETE FROM t WHERE ctid IN (SELECT ctid FROM t)",
    "SELECT a FROM (SELECT b FROM c) WHERE d": "SELECT a FROM (SELECT b FROM c) AS subquery_8 WHERE d",
    "SELECT a FROM (SELECT b FROM c) AS x WHERE d": "SELECT a FROM (SELECT b FROM c) AS x WHERE d",
    "SELECT json_object('a', b), json_group_array(json_array(c)) FROM t": (
        "SELECT json_build_object('a', b), json_agg(json_build_array(c)) FROM t"
    ),
    "SELECT a FROM t WHERE b = ?2 AND c = ?1 AND d = ?2": "SELECT a FROM t WHERE b = %s AND c = %s AND d = %s",
    "SELECT a FROM t LIMIT -1 OFFSET ?": "SELECT a FROM t LIMIT ALL OFFSET %s",
    "SELECT a::text, b ->> 'c' || d FROM t": "SELECT a::text, b ->> 'c' || d FROM t",
}


@pytest.mark.parametrize(("sql", "expected"), STATEMENTS.items(), ids=range(len(STATEMENTS)))
def test_translates(sql: str, expected: str) -> None:
    assert to_postgres(sql).text == expected


def test_a_named_parameter_is_passed_for_each_place() -> None:
    translated = to_postgres("SELECT :b, :a WHERE :b GLOB :a AND c IN (SELECT value FROM json_each(:b))")
    assert [parameter.key for parameter in translated.parameters] == ["b", "a", "b", "a", "b"]
    assert [parameter.how for parameter in translated.parameters] == ["plain", "plain", "plain", "pattern", "list"]


def test_parameters_keep_their_numbers() -> None:
    translated = to_postgres("SELECT ? WHERE a = ?")
    assert translated.parameters == (Parameter(0, "plain"), Parameter(1, "plain"))


def test_converts_values() -> None:
    translated = to_postgres("INSERT INTO t VALUES (?, ?, ?, ?, ?)")
    assert adapt(translated, (True, "a\0b", None, 1.5, b"\0")) == [1, "a\ufffdb", None, 1.5, b"\0"]


def test_converts_lists_and_patterns() -> None:
    translated = to_postgres("SELECT 1 FROM t WHERE a IN (SELECT value FROM json_each(:ids)) AND b GLOB :like || :id")
    assert adapt(translated, {"ids": '[1,"x"]', "like": "50%_\\:*", "id": 7, "more": 0}) == [
        [1, "x"],
        "50\\%\\_\\\\:%",
        7,
    ]


def test_numbered_parameters_keep_their_numbers() -> None:
    translated = to_postgres("SELECT a FROM t WHERE b = ?2 AND c = ?1 AND d = ?2")
    assert adapt(translated, ("x", "y")) == ["y", "x", "y"]


@pytest.mark.parametrize(("limit", "passed"), [(-1, None), (0, 0), (5, 5)])
def test_a_negative_limit_is_none(limit: int, passed: int | None) -> None:
    assert adapt(to_postgres("SELECT a FROM t LIMIT ?"), (limit,)) == [passed]


def test_a_missing_parameter_is_an_error() -> None:
    with pytest.raises(LookupError):
        adapt(to_postgres("SELECT :a"), {})


def test_translates_a_statement_once() -> None:
    assert to_postgres("SELECT ?") is to_postgres("SELECT ?")
