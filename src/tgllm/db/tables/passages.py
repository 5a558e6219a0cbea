"""Tables ``documents`` and ``passages``: texts of files in passages, and their full-text indexes."""

import sqlite3
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tgllm.db.engine.full_text import has_full_text, merge, plain_words, words_of
from tgllm.db.engine.rows import clean, dumps, new_id, read_all, read_one
from tgllm.db.engine.unit import Connection

__all__ = [
    "MOST_PASSAGES",
    "Document",
    "Outline",
    "Passage",
    "abandon",
    "add",
    "begin",
    "complete",
    "delete_orphans",
    "drop_orphans",
    "find_forms",
    "find_trigrams",
    "find_words",
    "has_orphans",
    "index_waiting",
    "merge_indexes",
    "outline",
    "text_of",
    "texts_of",
]

MOST_PASSAGES = 2**20
"""Most passages of a document; the id of a passage is the document's id times this, plus its number."""


MOST_STRINGS = 64
"""Most strings of a query of the indexes; SQLite limits its depth to 256."""


@dataclass(frozen=True, slots=True)
class Document:
    """A text that is stored in passages; the fields are the columns of the table ``documents``."""

    id: int
    sha256: str
    passages: int
    stored: int
    chars: int
    indexed: int


@dataclass(frozen=True, slots=True)
class Outline:
    """A passage without its text."""

    number: int
    """From 0."""
    part_from: str
    part_to: str
    heading: str
    headings: str
    line_from: int
    line_to: int
    row_from: int
    row_to: int
    tokens: int
    opening: str
    closing: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """A passage to store; the fields are columns of the table ``passages``."""

    text: str
    part_from: str = ""
    part_to: str = ""
    heading: str = ""
    headings: str = ""
    line_from: int = 1
    line_to: int = 1
    row_from: int = 0
    row_to: int = 0
    tokens: int = 0
    opening: str = ""
    closing: str = ""


_COLUMNS = (
    "text",
    "part_from",
    "part_to",
    "heading",
    "headings",
    "line_from",
    "line_to",
    "row_from",
    "row_to",
    "tokens",
    "opening",
    "closing",
)
_INSERT = f"INSERT INTO passages (id, {', '.join(_COLUMNS)}) VALUES (?{', ?' * len(_COLUMNS)})"  # noqa: S608 (constants)
_OUTLINE = """
    SELECT id - :first AS number, part_from, part_to, heading, headings, line_from, line_to, row_from, row_to, tokens,
        opening, closing
    FROM passages WHERE id >= :first AND id < :end ORDER BY id
"""
_IS_ORPHAN = "NOT EXISTS (SELECT 1 FROM files WHERE files.sha256 = documents.sha256)"
_ORPHAN = f"SELECT * FROM documents WHERE {_IS_ORPHAN} AND stored > 0 LIMIT 1"  # noqa: S608 (constants)
_DROP = f"DELETE FROM documents WHERE {_IS_ORPHAN} AND stored = 0"  # noqa: S608 (constants)


def begin(conn: Connection, sha256: str, passages: int, chars: int) -> int:
    """Add a document without its passages, and return its id; an earlier one of that content must be deleted before.

    Args:
        conn: an open write transaction.
        sha256: of the file's content.
        passages: number of passages that ``add`` will store.
        chars: characters of the text.
    """
    cursor = conn.execute(
        "INSERT INTO documents (sha256, passages, chars, indexed) VALUES (?, ?, ?, ?) RETURNING id",
        (sha256, passages, chars, int(has_full_text(conn))),
    )
    return new_id(cursor)


def add(conn: Connection, document_id: int, start: int, passages: Sequence[Passage]) -> bool:
    """Store the next passages of a document.

    Args:
        conn: an open write transaction.
        document_id: the document.
        start: number of the first of the passages.
        passages: what follows the passages stored so far.

    Returns:
        Whether they were stored. They are not if the document, passages of it or the last file with its content were
        deleted meanwhile.
    """
    cursor = conn.execute(
        f"SELECT * FROM documents WHERE id = ? AND stored = ? AND NOT {_IS_ORPHAN}",  # noqa: S608 (constants)
        (document_id, start),
    )
    document = read_one(Document, cursor)
    if document is None:
        return False
    first = document_id * MOST_PASSAGES + start
    texts = [(first + index, clean(passage.text)) for index, passage in enumerate(passages)]
    rows = [
        (id_, text, *(getattr(passage, name) for name in _COLUMNS[1:]))
        for (id_, text), passage in zip(texts, passages, strict=True)
    ]
    conn.executemany(_INSERT, rows)
    if document.indexed:
        words = [(id_, words_of(text)) for id_, text in texts]
        conn.executemany("INSERT INTO passage_words (rowid, text) VALUES (?, ?)", words)
        conn.executemany("INSERT INTO passage_trigrams (rowid, text) VALUES (?, ?)", texts)
    conn.execute("UPDATE documents SET stored = stored + ? WHERE id = ?", (len(passages), document_id))
    return True


def complete(conn: Connection, hashes: Collection[str]) -> list[Document]:
    """Return the documents of some contents, in no order, without those that are still being stored."""
    cursor = conn.execute(
        "SELECT * FROM documents WHERE stored = passages AND sha256 IN (SELECT value FROM json_each(?))",
        (dumps(sorted(hashes)),),
    )
    return read_all(Document, cursor)


def outline(conn: Connection, document_id: int) -> list[Outline]:
    """Return the passages of a document without their texts, in order."""
    return read_all(Outline, conn.execute(_OUTLINE, _bounds(document_id)))


def texts_of(conn: Connection, document_id: int, numbers: Collection[int]) -> dict[int, str]:
    """Return the texts of some passages of a document by their numbers."""
    first = document_id * MOST_PASSAGES
    rows = conn.execute(
        "SELECT id, text FROM passages WHERE id IN (SELECT value FROM json_each(?))",
        (dumps([first + number for number in sorted(numbers)]),),
    )
    return {int(row[0]) - first: str(row[1]) for row in rows}


def text_of(conn: Connection, sha256: str) -> str | None:
    """Return the whole text of a content; None if it is not stored completely."""
    for document in complete(conn, [sha256]):
        rows = conn.execute(
            "SELECT text FROM passages WHERE id >= :first AND id < :end ORDER BY id", _bounds(document.id)
        )
        return "".join(str(row[0]) for row in rows)
    return None


def find_words(conn: Connection, document_id: int, word: str, *, is_prefix: bool = False) -> list[int]:
    """Return the numbers of the passages that contain a word, or a word that begins with it; the case is ignored.

    Args:
        conn: an open transaction; the document must be in the indexes.
        document_id: the document.
        word: a word, or a pair of Chinese, Japanese or Korean characters; of several words all must be there.
        is_prefix: whether it is the beginning of a word.
    """
    return _find(conn, "passage_words", document_id, [f"{_quoted(one)}{'*' * is_prefix}" for one in plain_words(word)])


def find_forms(conn: Connection, prefix: str, most: int) -> list[str]:
    """Return words of the index that begin with a prefix, of all documents, in alphabetical order.

    Args:
        conn: an open transaction.
        prefix: in lower case and without accents.
        most: maximum number of words.
    """
    rows = conn.execute(
        "SELECT term FROM passage_vocabulary WHERE term >= ? AND term < ? LIMIT ?",
        (clean(prefix), clean(prefix) + "\U0010ffff", most),
    )
    return [str(row[0]) for row in rows]


def find_trigrams(conn: Connection, document_id: int, part: str) -> list[int]:
    """Return the numbers of the passages that contain all trigrams of a part of a word, of three characters or more.

    Most of them contain the part itself.
    """
    grams = dict.fromkeys(part[i : i + 3] for i in range(len(part) - 2))
    return _find(conn, "passage_trigrams", document_id, list(map(_quoted, grams)))


def abandon(conn: Connection, sha256: str, most: int) -> bool:
    """Delete up to ``most`` passages of the document of a content, and with the last one the document.

    Returns:
        Whether nothing of it is left.
    """
    document = read_one(Document, conn.execute("SELECT * FROM documents WHERE sha256 = ?", (sha256,)))
    if document is not None and _delete(conn, document, most):
        conn.execute("DELETE FROM documents WHERE id = ?", (document.id,))
        return True
    return document is None


def delete_orphans(conn: Connection, most: int) -> bool:
    """Delete up to ``most`` passages of documents whose content no row of ``files`` has; return whether none is left.

    What was deleted is still in older segments of the indexes. So the rows of the documents stay, without passages,
    until ``merge_indexes`` has returned True and ``drop_orphans`` deletes them: after a crash it goes on.
    """
    document = read_one(Document, conn.execute(_ORPHAN))
    if document is not None:
        _delete(conn, document, most)
    return document is None


def drop_orphans(conn: Connection) -> int:
    """Delete the documents without passages whose content no row of ``files`` has, and return their number."""
    return conn.execute(_DROP).rowcount


def has_orphans(conn: Connection) -> bool:
    """Return whether there are documents whose content no row of ``files`` has."""
    return conn.execute(f"SELECT 1 FROM documents WHERE {_IS_ORPHAN} LIMIT 1").fetchone() is not None  # noqa: S608 (constants)


def merge_indexes(conn: Connection, pages: int) -> bool:
    """Merge segments of the indexes, which removes what was deleted from them; return whether there is no more to do.

    Args:
        conn: an open write transaction.
        pages: about how many pages of an index may be written.
    """
    done = [merge(conn, table, pages) for table in ("passage_words", "passage_trigrams")]
    return all(done)


def index_waiting(conn: Connection) -> None:
    """Put all documents into the indexes that are in none, if the database has such indexes."""
    if not has_full_text(conn):
        return
    for (document_id,) in conn.execute("SELECT id FROM documents WHERE indexed = 0").fetchall():
        bounds = _bounds(document_id)
        for row in conn.execute("SELECT id, text FROM passages WHERE id >= :first AND id < :end", bounds).fetchall():
            conn.execute("INSERT INTO passage_words (rowid, text) VALUES (?, ?)", (row["id"], words_of(row["text"])))
            conn.execute("INSERT INTO passage_trigrams (rowid, text) VALUES (?, ?)", (row["id"], row["text"]))
        conn.execute("UPDATE documents SET indexed = 1 WHERE id = ?", (document_id,))


def _delete(conn: Connection, document: Document, most: int) -> bool:
    """Delete the last passages of a document; return whether none is left."""
    rows = conn.execute(
        "SELECT id, text FROM passages WHERE id >= :first AND id < :end ORDER BY id DESC LIMIT :most",
        {**_bounds(document.id), "most": most},
    ).fetchall()
    if document.indexed and has_full_text(conn):
        # An index without the text needs it to delete an entry (SQLite: FTS5, the delete command).
        for table, prepare in (("passage_words", words_of), ("passage_trigrams", str)):
            entries = [(row["id"], prepare(row["text"])) for row in rows]
            conn.executemany(f"INSERT INTO {table} ({table}, rowid, text) VALUES ('delete', ?, ?)", entries)  # noqa: S608 (constants)
    if rows:
        conn.execute("DELETE FROM passages WHERE id BETWEEN ? AND ?", (rows[-1]["id"], rows[0]["id"]))
    left = max(document.stored - len(rows), 0)
    # What is left counts as incomplete. An empty text has no passages, and counts so as well.
    conn.execute("UPDATE documents SET stored = ? WHERE id = ?", (left, document.id))
    return left == 0


def _find(conn: Connection, table: str, document_id: int, strings: Sequence[str]) -> list[int]:
    """Return the numbers of the passages that contain all strings."""
    if not strings:
        return []
    bounds = _bounds(document_id)
    query = f"SELECT rowid FROM {table} WHERE {table} MATCH :query AND rowid >= :first AND rowid < :end ORDER BY rowid"  # noqa: S608 (constants)
    try:
        rows = conn.execute(query, {**bounds, "query": " AND ".join(strings[:MOST_STRINGS])}).fetchall()
    except sqlite3.OperationalError as error:
        # A string that this build's tokenizer splits, by another version of Unicode than Python's.
        if "fts5" not in str(error):
            raise
        return []
    return [int(row[0]) - bounds["first"] for row in rows]


def _quoted(text: str) -> str:
    """Return a string of FTS5's query language, which ends at NUL."""
    return '"{}"'.format(clean(text).replace("\0", " ").replace('"', '""'))


def _bounds(document_id: int) -> dict[str, int]:
    return {"first": document_id * MOST_PASSAGES, "end": (document_id + 1) * MOST_PASSAGES}
