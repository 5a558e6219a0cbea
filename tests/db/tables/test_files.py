"""Each attachment has a row; a blob goes when nothing shares it any more."""

import sqlite3
from dataclasses import replace

import pytest

from database_support import NOW, refused
from tgllm.db.tables import conversations, files, messages, requests
from tgllm.db.tables.files import NewFile

ONE, TWO = "a" * 64, "b" * 64


def attach(conn: sqlite3.Connection, sha256: str = ONE, now: int = NOW) -> int:
    new = NewFile(
        path=f"files/{sha256[:8]}",
        mime="text/plain",
        size=3,
        sha256=sha256,
        original_name="../a \ud83d.txt",
        user_id=None,
    )
    return files.add(conn, new, now)


def message_and_request(conn: sqlite3.Connection) -> tuple[int, int]:
    talk = conversations.active_for(conn, "a", NOW).id
    new = messages.NewMessage(conversation_id=talk, parent_id=None, turn_id="t", role="user", text="look")
    call = requests.NewRequest(turn_id="t", conversation_id=talk, user_id=None, provider="echo", model="words")
    return messages.add(conn, new, NOW), requests.add(conn, call, requests.Outcome(status="ok"), NOW, NOW)


def test_an_attachment_is_read_back_as_it_was(conn: sqlite3.Connection) -> None:
    file = files.get(conn, attach(conn))
    assert file is not None
    assert (file.path, file.mime, file.size, file.sha256) == ("files/aaaaaaaa", "text/plain", 3, ONE)
    assert (file.original_name, file.created_at, file.message_id, file.request_id) == (
        "../a \ufffd.txt",
        NOW,
        None,
        None,
    )


def test_attachments_are_linked_to_their_message_and_first_request(conn: sqlite3.Connection) -> None:
    one, two = attach(conn), attach(conn, TWO)
    message_id, request_id = message_and_request(conn)
    files.link(conn, [one, two], message_id, request_id)
    files.link(conn, [one], message_id, None)
    found = files.of_message(conn, message_id)
    assert [(file.id, file.request_id) for file in found] == [(one, request_id), (two, request_id)]


def test_the_same_content_is_found_again(conn: sqlite3.Connection) -> None:
    assert files.path_of(conn, ONE) is None
    attach(conn)
    assert files.path_of(conn, ONE) == "files/aaaaaaaa"


def test_a_blob_goes_with_its_last_attachment(conn: sqlite3.Connection) -> None:
    one, two = attach(conn), attach(conn)
    assert files.delete(conn, one) is None
    assert files.delete(conn, two) == "files/aaaaaaaa"
    assert files.delete(conn, two) is None


@pytest.mark.parametrize("sha256", ["A" * 64, "a" * 63, "../" + "a" * 61])
def test_a_hash_that_is_none_is_refused(conn: sqlite3.Connection, sha256: str) -> None:
    with refused(conn):
        attach(conn, sha256)


def test_the_attachments_of_a_turn_are_found_in_their_order(conn: sqlite3.Connection) -> None:
    new = NewFile(path="files/x", mime="image/png", size=3, sha256=ONE, original_name=None, user_id=None)
    late = files.add(conn, replace(new, turn_id="u1", position=1, kind="photo", key="k1", seconds=2.5), NOW)
    first = files.add(conn, replace(new, turn_id="u1", position=0), NOW)
    files.add(conn, replace(new, turn_id="u2"), NOW)
    assert [file.id for file in files.of_turn(conn, "u1")] == [first, late]
    found = files.with_key(conn, "k1")
    assert found is not None
    assert (found.id, found.kind, found.seconds) == (late, "photo", 2.5)
    assert files.with_key(conn, "k2") is None


def test_a_repeated_question_has_its_own_attachments(conn: sqlite3.Connection) -> None:
    one = attach(conn)
    message_id, _ = message_and_request(conn)
    files.copy(conn, [one, 999], message_id, NOW + 1)
    (copied,) = files.of_messages(conn, [message_id])
    assert (copied.sha256, copied.message_id, copied.created_at) == (ONE, message_id, NOW + 1)
    assert files.delete(conn, one) is None
    assert files.delete(conn, copied.id) == "files/aaaaaaaa"


def test_what_belongs_to_no_question_goes_after_a_while(conn: sqlite3.Connection) -> None:
    linked = attach(conn)
    message_id, _ = message_and_request(conn)
    files.link(conn, [linked], message_id, None)
    attach(conn, TWO)
    attach(conn, TWO, NOW + 9)
    assert files.prune_unlinked(conn, NOW + 1, 10) == (1, [])
    assert files.prune_unlinked(conn, NOW + 10, 10) == (1, ["files/bbbbbbbb"])
    assert files.path_of(conn, ONE) is not None
    assert files.paths_among(conn, ["files/aaaaaaaa", "files/bbbbbbbb"]) == {"files/aaaaaaaa"}
