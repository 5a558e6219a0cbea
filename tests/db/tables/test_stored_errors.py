"""Texts of errors are stored without secrets."""

import base64
import sqlite3
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

import pytest

from database_support import NOW, receive
from tgllm.db.engine.sqlite import connect, in_transaction
from tgllm.db.file.schema import prepare
from tgllm.db.queries import outbox_claims
from tgllm.db.tables import audit, inbox, outbox, requests, schedules
from tgllm.db.tables.audit import NewEntry
from tgllm.db.tables.outbox import NewOutbox
from tgllm.db.tables.requests import NewRequest, Outcome
from tgllm.observe.redaction import BLOT, Redactor, redactor

KEY = "sk-not/in+any-pattern=7"
TEXT = (
    f"refused {KEY}, {quote(KEY, safe='')}, {base64.b64encode(b'u:' + KEY.encode()).decode()} at"
    f" https://x.example/?a=1&k={quote(KEY)}"
)
HIDDEN = (KEY, quote(KEY, safe=""), quote(KEY), base64.b64encode(b"u:" + KEY.encode()).decode()[4:-4])


@pytest.fixture(autouse=True)
def _known_key(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Redactor()
    known.add(KEY)
    monkeypatch.setattr(redactor, "_forms", known._forms)


def send(conn: sqlite3.Connection) -> int:
    outbox.add(conn, [NewOutbox(lane="1", chat_id=1, method="sendMessage", payload={"chat_id": 1, "text": "x"})], NOW)
    (row,) = outbox_claims.claim(conn, NOW, 1)
    return row.id


def request(conn: sqlite3.Connection) -> None:
    new = NewRequest(turn_id="t", conversation_id=None, user_id=None, provider="p", model="m")
    requests.add(conn, new, Outcome(status="failed", error_code="x", error_text=TEXT), NOW, NOW)


def finished(conn: sqlite3.Connection) -> None:
    receive(conn, 1, "l")
    inbox.finish(conn, 1, "failed", NOW, TEXT)


def quarantined(conn: sqlite3.Connection) -> None:
    receive(conn, 1, "l")
    inbox.quarantine(conn, 1, NOW, TEXT)


def again(conn: sqlite3.Connection) -> None:
    outbox.mark_ready_again(conn, send(conn), NOW, TEXT)


def uncertain(conn: sqlite3.Connection) -> None:
    outbox.mark_uncertain(conn, send(conn), TEXT)


def failed(conn: sqlite3.Connection) -> None:
    outbox.mark_failed(conn, send(conn), TEXT)


def rewritten(conn: sqlite3.Connection) -> None:
    outbox.rewrite(conn, send(conn), method="sendMessage", kind="send", payload={}, error=TEXT)


def dropped(conn: sqlite3.Connection) -> None:
    row_id = send(conn)
    outbox.mark_uncertain(conn, row_id, "")
    outbox.drop(conn, row_id, TEXT)


def scheduled(conn: sqlite3.Connection) -> None:
    schedules.start(conn, "job", 1, NOW)
    schedules.finish(conn, "job", 1, "failed", NOW, TEXT)


def audited(conn: sqlite3.Connection) -> None:
    audit.add(conn, NewEntry(actor_id=1, source="shell", action="x", target=TEXT, details={"a": [{"b": TEXT}]}), NOW)


DOORS = (request, finished, quarantined, again, uncertain, failed, rewritten, dropped, scheduled, audited)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "tgllm.db"
    prepare(path, NOW)
    return path


@pytest.mark.parametrize("door", DOORS)
def test_no_form_of_a_key_is_in_the_files(path: Path, door: Callable[[sqlite3.Connection], None]) -> None:
    conn = connect(path)
    try:
        in_transaction(conn, door, "BEGIN IMMEDIATE")
        # With the connection open, what was just written is in the write-ahead log.
        content = b"".join(file.read_bytes() for file in sorted(path.parent.iterdir()))
    finally:
        conn.close()

    assert [form for form in HIDDEN if form.encode() in content] == []
    assert BLOT.encode() in content
