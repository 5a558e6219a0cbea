"""Words as the index of PostgreSQL has them, and whether queries use it."""

import pytest

from engines import Engine
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.full_text.gin import Gin, lexeme


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("KÄUFER", "kaufer"),
        ("kau\u0308fer", "kaufer"),
        ("Straße", "strasse"),
        ("ДОГОВОР", "договор"),
        ("йод", "йод"),
        ("भाषा", "भाषा"),
        ("x" * 900, "x" * 500),
    ],
)
def test_words_have_no_case_and_no_latin_accents(word: str, expected: str) -> None:
    assert lexeme(word) == expected


QUERIES = {
    "SELECT id FROM passage_index WHERE words @@ CAST('x:*' AS tsquery)": "passage_index_words",
    "SELECT id FROM passage_index WHERE trigrams(folded) @> ARRAY(SELECT value FROM json_each('[\"abc\"]'))": (
        "passage_index_trigrams"
    ),
    Gin().messages_with(["abc"])[0].replace(":query", "'[\"abc\"]'"): "message_index_trigrams",
}


@pytest.mark.postgres
@pytest.mark.parametrize("query", QUERIES)
def test_queries_use_the_indexes(conn: Connection, engine: Engine, query: str) -> None:
    assert engine.is_postgres
    conn.execute("SET LOCAL enable_seqscan = off")
    plan = "\n".join(row[0] for row in conn.execute(f"EXPLAIN {query}"))
    assert f"on {QUERIES[query]}" in plan


@pytest.mark.postgres
@pytest.mark.parametrize("word", ["o'clock", "a\\b", "a&b", "a | b", "!a", "a:*", "''", ""])
def test_no_character_of_a_word_is_an_operator(conn: Connection, word: str) -> None:
    assert Gin().with_words(conn, 0, 9, [word], is_prefix=True) == []
    assert Gin().forms(conn, word, 9) == []
