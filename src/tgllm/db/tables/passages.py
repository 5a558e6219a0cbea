"""Tables ``documents`` and ``passages``: texts of files in passages, and their full-text indexes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from tgllm.db.engine.full_text import has_full_text, plain_words
from tgllm.db.engine.rows import clean, dumps, new_id, read_all, read_one
from tgllm.db.engine.unit import Connection
from tgllm.db.tables.full_text.index import index_of

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
        index_of(conn).add_passages(conn, texts)
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
    bounds = _bounds(document_id)
    return _numbers(bounds, index_of(conn).with_words(conn, **bounds, words=plain_words(word), is_prefix=is_prefix))


def find_forms(conn: Connection, prefix: str, most: int) -> list[str]:
    """Return words of the index that begin with a prefix, of all documents, in alphabetical order.

    Args:
        conn: an open transaction.
        prefix: in lower case and without accents.
        most: maximum number of words.
    """
    return [*index_of(conn).forms(conn, prefix, most)]


def find_trigrams(conn: Connection, document_id: int, part: str) -> list[int]:
    """Return the numbers of the passages that contain all trigrams of a part of a word, of three characters or more.

    Most of them contain the part itself.
    """
    bounds = _bounds(document_id)
    return _numbers(bounds, index_of(conn).with_trigrams(conn, **bounds, part=part))


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
    return index_of(conn).merge_passages(conn, pages)


def index_waiting(conn: Connection) -> None:
    """Put all documents into the indexes that are in none, if the database has such indexes."""
    if not has_full_text(conn):
        return
    for (document_id,) in conn.execute("SELECT id FROM documents WHERE indexed = 0").fetchall():
        bounds = _bounds(document_id)
        rows = conn.execute("SELECT id, text FROM passages WHERE id >= :first AND id < :end", bounds).fetchall()
        index_of(conn).add_passages(conn, [(row["id"], row["text"]) for row in rows])
        conn.execute("UPDATE documents SET indexed = 1 WHERE id = ?", (document_id,))


def _delete(conn: Connection, document: Document, most: int) -> bool:
    """Delete the last passages of a document; return whether none is left."""
    rows = conn.execute(
        "SELECT id, text FROM passages WHERE id >= :first AND id < :end ORDER BY id DESC LIMIT :most",
        {**_bounds(document.id), "most": most},
    ).fetchall()
    if document.indexed and has_full_text(conn):
        index_of(conn).remove_passages(conn, [(row["id"], row["text"]) for row in rows])
    if rows:
        conn.execute("DELETE FROM passages WHERE id BETWEEN ? AND ?", (rows[-1]["id"], rows[0]["id"]))
    left = max(document.stored - len(rows), 0)
    # What is left counts as incomplete. An empty text has no passages, and counts so as well.
    conn.execute("UPDATE documents SET stored = ? WHERE id = ?", (left, document.id))
    return left == 0


def _numbers(bounds: dict[str, int], ids: Sequence[int]) -> list[int]:
    return [id_ - bounds["first"] for id_ in ids]


def _bounds(document_id: int) -> dict[str, int]:
    return {"first": document_id * MOST_PASSAGES, "end": (document_id + 1) * MOST_PASSAGES}
