"""Texts of files in passages: what is stored comes back, is found, and is deleted without a trace."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from database_support import NOW
from engines import Engine
from tgllm.db.database import Database
from tgllm.db.engine import full_text
from tgllm.db.engine.sqlite import checkpoint, connect
from tgllm.db.file.check import check
from tgllm.db.file.schema import prepare
from tgllm.db.migrations.load import shipped
from tgllm.db.tables import files, passages
from tgllm.db.tables.files import NewFile
from tgllm.db.tables.passages import Passage

SHA = "a" * 64
OTHER = "b" * 64
TEXTS = [
    "The contract ends in September.",
    "Договор заканчивается. Der Käufer zahlt die Kündigungsgebühr.",
    "本合同的终止期限为三十天。東京タワーへ行きます。",
    "ราคาสินค้าและบริการทั้งหมด",
    "हिन्दी भाषा में",
    "Straße, ёлка",
]


def attach(conn: sqlite3.Connection, sha256: str = SHA) -> int:
    new = NewFile(
        path=f"files/{sha256[:3]}", mime="text/plain", size=1, sha256=sha256, original_name=None, user_id=None
    )
    return files.add(conn, new, NOW)


def store(conn: sqlite3.Connection, texts: list[str], sha256: str = SHA) -> int:
    document = passages.begin(conn, sha256, len(texts), sum(map(len, texts)))
    assert passages.add(conn, document, 0, [Passage(text=text, part_from=f"page {i}") for i, text in enumerate(texts)])
    return document


def terms(conn: sqlite3.Connection) -> list[str]:
    """Everything that the indexes hold."""
    found: list[str] = []
    if not isinstance(conn, sqlite3.Connection):
        rows = conn.execute("SELECT tsvector_to_array(words) || trigrams(folded) FROM passage_index")
        return [term for row in rows for term in row[0]]
    for table in ("passage_words", "passage_trigrams"):
        conn.execute(f"CREATE VIRTUAL TABLE temp.v USING fts5vocab(main, {table}, row)")
        found += [row[0] for row in conn.execute("SELECT term FROM temp.v")]
        conn.execute("DROP TABLE temp.v")
    return found


def delete_all(conn: sqlite3.Connection) -> None:
    while not passages.delete_orphans(conn, 2):
        pass
    while not passages.merge_indexes(conn, 64):
        pass


def test_a_text_comes_back_as_it_was(conn: sqlite3.Connection, engine: Engine) -> None:
    attach(conn)
    kept = "a\0b \U0001f600".replace("\0", "\ufffd" if engine.is_postgres else "\0")
    document = store(conn, [*TEXTS, "a\0b \U0001f600", "x\ud800"])
    assert passages.text_of(conn, SHA) == "".join([*TEXTS, kept, "x\ufffd"])
    assert passages.texts_of(conn, document, [1, 3]) == {1: TEXTS[1], 3: TEXTS[3]}
    assert [(o.number, o.part_from) for o in passages.outline(conn, document)][:2] == [(0, "page 0"), (1, "page 1")]


@pytest.mark.parametrize(
    ("word", "is_prefix", "found"),
    [
        ("september", False, [0]),
        ("septem", True, [0]),
        ("septem", False, []),
        ("ДОГОВОР", False, [1]),
        ("догов", True, [1]),
        ("kaufer", False, [1]),
        ("Käufer", False, [1]),
        ("kündigungsgebühr", False, [1]),
        ("भाषा", False, [4]),
        ("भा", True, [4]),
        ("strasse", False, [5]),
        ("елка", False, [5]),
        ("ЁЛКА", False, [5]),
        ("合同", False, [2]),
        ("期限", False, [2]),
        ("タワ", False, [2]),
        ("限合", False, []),
    ],
)
def test_words_are_found(conn: sqlite3.Connection, word: str, is_prefix: bool, found: list[int]) -> None:
    attach(conn)
    assert passages.find_words(conn, store(conn, TEXTS), word, is_prefix=is_prefix) == found


def test_forms_of_a_word_are_found(conn: sqlite3.Connection) -> None:
    attach(conn)
    store(conn, ["Contract, contracts; contracted. Договора", "control contractor"])
    assert passages.find_forms(conn, "contract", 9) == ["contract", "contracted", "contractor", "contracts"]
    assert passages.find_forms(conn, "contract", 2) == ["contract", "contracted"]
    assert passages.find_forms(conn, "догов", 9) == ["договора"]
    assert passages.find_forms(conn, "x\ud800\0", 9) == []


@pytest.mark.parametrize(
    ("part", "found"), [("gebühr", [1]), ("GEBÜHR", [1]), ("tract", [0]), ("สินค้า", [3]), ("nowhere", []), ("ab", [])]
)
def test_parts_of_words_are_found(conn: sqlite3.Connection, part: str, found: list[int]) -> None:
    attach(conn)
    assert passages.find_trigrams(conn, store(conn, TEXTS), part) == found


@pytest.mark.parametrize(
    "word", ['"', "\0", 'a" OR "contract', "contract*", "NEAR(", "-", "text:the", "\ud800", "", "^the", "x" * 10_000]
)
def test_a_query_is_no_syntax(conn: sqlite3.Connection, word: str) -> None:
    attach(conn)
    document = store(conn, TEXTS)
    assert passages.find_words(conn, document, word, is_prefix=True) in ([], [0])
    assert passages.find_trigrams(conn, document, word) in ([], [0])


def test_other_documents_are_not_searched(conn: sqlite3.Connection) -> None:
    attach(conn)
    attach(conn, OTHER)
    first, second = store(conn, TEXTS), store(conn, ["", TEXTS[0]], OTHER)
    assert passages.find_words(conn, first, "contract") == [0]
    assert passages.find_words(conn, second, "contract") == [1]


def test_a_text_that_is_stored_in_part_does_not_count(conn: sqlite3.Connection) -> None:
    attach(conn)
    document = passages.begin(conn, SHA, 2, 4)
    passages.add(conn, document, 0, [Passage(text="ab")])
    assert (passages.complete(conn, [SHA]), passages.text_of(conn, SHA)) == ([], None)
    passages.add(conn, document, 1, [Passage(text="cd")])
    assert passages.text_of(conn, SHA) == "abcd"


def test_nothing_is_added_to_a_content_that_was_deleted(conn: sqlite3.Connection) -> None:
    file = attach(conn)
    document = passages.begin(conn, SHA, 2, 4)
    assert passages.add(conn, document, 0, [Passage(text="ab")])
    assert not passages.add(conn, document, 0, [Passage(text="ab")])
    files.delete(conn, file)
    assert not passages.add(conn, document, 1, [Passage(text="cd")])


def test_an_empty_text_is_a_text(conn: sqlite3.Connection) -> None:
    attach(conn)
    passages.begin(conn, SHA, 0, 0)
    assert passages.text_of(conn, SHA) == ""
    assert passages.abandon(conn, SHA, 1)
    assert passages.text_of(conn, SHA) is None


def test_a_text_stays_until_the_last_file_with_its_content_is_deleted(conn: sqlite3.Connection) -> None:
    ids = [attach(conn), attach(conn)]
    store(conn, TEXTS)
    files.delete(conn, ids[0])
    assert not passages.has_orphans(conn)
    delete_all(conn)
    assert passages.text_of(conn, SHA) == "".join(TEXTS)
    files.delete(conn, ids[1])
    assert passages.has_orphans(conn)
    delete_all(conn)
    assert passages.has_orphans(conn), "a crash now must not lose what is still to be merged"
    assert passages.drop_orphans(conn) == 1
    assert (passages.text_of(conn, SHA), terms(conn)) == (None, [])


def test_the_text_of_others_is_still_found_after_a_deletion(conn: sqlite3.Connection) -> None:
    file = attach(conn)
    attach(conn, OTHER)
    store(conn, TEXTS)
    kept = store(conn, ["unrelated words", TEXTS[2]], OTHER)
    files.delete(conn, file)
    delete_all(conn)
    assert passages.find_words(conn, kept, "合同") == [1]
    assert passages.find_trigrams(conn, kept, "relate") == [0]
    assert "contract" not in terms(conn)


def test_a_deleted_text_leaves_no_trace_in_the_file(path: Path) -> None:
    prepare(path, NOW)
    secrets = [f"zebra{number}quagga" for number in range(200)]
    with closing(connect(path)) as conn:
        attach(conn, OTHER)
        store(conn, ["kept words of another"], OTHER)
        file = attach(conn)
        document = passages.begin(conn, SHA, len(secrets), 1)
        for number, secret in enumerate(secrets):
            passages.add(conn, document, number, [Passage(text=secret, part_from=f"page {secret}", heading=secret)])
        files.delete(conn, file)
        delete_all(conn)
        assert checkpoint(conn)
        assert [term for term in terms(conn) if "ebr" in term or "uag" in term] == []
    content = b"".join(file.read_bytes() for file in path.parent.iterdir())
    assert b"kept words" in content
    assert b"zebr" not in content
    assert b"uagga" not in content


@pytest.mark.sqlite  # about the file and FTS5
def test_without_full_text_search_the_text_is_kept(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        for module in ("tgllm.db.file.schema", "tgllm.db.tables.passages", "tgllm.db.tables.full_text.fts5"):
            patch.setattr(f"{module}.has_full_text", lambda _: False)
        prepare(path, NOW)
        with closing(connect(path)) as conn:
            file = attach(conn)
            document = store(conn, TEXTS)
            assert [found.indexed for found in passages.complete(conn, [SHA])] == [0]
            assert passages.text_of(conn, SHA) == "".join(TEXTS)
            assert conn.execute("SELECT 1 FROM sqlite_schema WHERE name = 'passage_words'").fetchone() is None
            assert passages.merge_indexes(conn, 1)
    # A build of SQLite that has it makes the indexes; texts from before stay without.
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        assert full_text.has_full_text(conn)
        assert passages.find_words(conn, document, "contract") == []
        files.delete(conn, file)
        delete_all(conn)
        assert passages.drop_orphans(conn) == 1
        attach(conn)
        assert passages.find_words(conn, store(conn, TEXTS), "contract") == [0]


TABLES_SINCE = (
    "error_places", "errors", "known_ids", "plugin_jobs", "plugin_keyboards", "plugin_messages", "plugin_room",
    "unreachable_chats", "replicas", "leases", "turn_orders", "budget_reservations", "question_times",
)  # fmt: skip
"""Tables of later versions."""
COLUMNS_SINCE = """
DROP INDEX outbox_doubt;
ALTER TABLE outbox DROP COLUMN claimed_at;
ALTER TABLE outbox DROP COLUMN known_id;
ALTER TABLE outbox DROP COLUMN doubt;
ALTER TABLE outbox DROP COLUMN unconfirmed;
ALTER TABLE outbox DROP COLUMN holder;
ALTER TABLE inbox DROP COLUMN holder;
DROP INDEX messages_parts;
DROP TRIGGER messages_search_new;
DROP TRIGGER messages_search_gone;
DROP TABLE search_waiting;
DROP TABLE search_removals;
DROP TABLE fact_proposals;
DROP TABLE reminders;
DROP INDEX facts_owner;
ALTER TABLE facts DROP COLUMN owner;
ALTER TABLE facts DROP COLUMN source;
ALTER TABLE facts DROP COLUMN message_id;
ALTER TABLE models DROP COLUMN tools;
DROP TRIGGER tool_grants_lost;
DROP TABLE tool_rounds;
DROP TABLE tool_calls;
DROP TABLE tool_rules;
DROP TABLE tool_grants;
ALTER TABLE requests DROP COLUMN cache_write_tokens;
ALTER TABLE models DROP COLUMN cache_write_price;
ALTER TABLE messages DROP COLUMN tokens;
ALTER TABLE messages DROP COLUMN tokens_before;
"""


@pytest.mark.sqlite  # about the file and FTS5
def test_a_database_from_before_gets_the_tables(path: Path) -> None:
    prepare(path, NOW)
    with closing(connect(path)) as conn:
        wanted = [[tuple(row) for row in conn.execute(f"PRAGMA table_info({t})")] for t in ("documents", "passages")]
        of_texts = ("documents", "passages", "passage_vocabulary", "passage_words", "passage_trigrams")
        for table in (*of_texts, *TABLES_SINCE):
            conn.execute(f"DROP TABLE {table}")
        conn.executescript(COLUMNS_SINCE)
        conn.execute("PRAGMA user_version = 6")
    prepare(path, NOW, shipped())
    with closing(connect(path)) as conn:
        found = [[tuple(row) for row in conn.execute(f"PRAGMA table_info({t})")] for t in ("documents", "passages")]
        assert found == wanted
        attach(conn)
        assert passages.find_words(conn, store(conn, TEXTS), "contract") == [0]


@pytest.mark.sqlite  # about the file and FTS5
async def test_the_check_of_the_database_counts_tables_only(path: Path) -> None:
    async with await Database.open(path) as database:
        await database.write(attach)
        await database.write(lambda conn: store(conn, TEXTS))
    report = check(path)
    assert report.ok
    assert report.rows["passages"] == len(TEXTS)
    assert not [name for name in report.rows if name.startswith(("passage_words", "passage_trigrams"))]
