"""Updates of which nothing is left but their id are forgotten, a few at a time."""

import sqlite3

from tgllm.db.queries import traces
from tgllm.db.queries.scrub import scrub
from tgllm.db.tables import inbox
from tgllm.db.tables.inbox import NewUpdate


def test_emptied_updates_go_in_pieces(conn: sqlite3.Connection) -> None:
    ended = (1, 2, 3, 4, 4, 4, 5, 9)
    for number, at in enumerate(ended, 1):
        inbox.add_updates(conn, [NewUpdate(number, f":{number}:", "message", control=False, payload='{"x":1}')], 1)
        inbox.finish(conn, number, "done", at)
        if number != 2:
            scrub(conn, number)
    pieces, until = list[tuple[int, int]](), 0
    while until < 9:
        dropped, until = traces.drop_scrubbed(conn, until, 9, 2, spared=[8, 99])
        pieces.append((dropped, until))
    assert pieces == [(1, 3), (1, 4), (3, 5), (1, 9)]
    assert [number for number in range(1, 9) if inbox.get(conn, number)] == [2, 8]
