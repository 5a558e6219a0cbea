"""Messages of which nobody knows whether they arrived."""

from dataclasses import replace

from tgllm.bot.delivery.rows import PLACEHOLDER, buttons, edit_of_part, message_rows, placeholder_row
from tgllm.bot.delivery.uncertain import edited_message, settle
from tgllm.bot.rendering.payloads import EntityText
from tgllm.db.database import Database
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.db.tables.users import SeenUser
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane

LANE = Lane(-100, 3)


async def stored(database: Database, *rows: NewOutbox) -> list[OutboxRow]:
    ids = await database.write(lambda conn: outbox.add(conn, rows, 0))
    found = await database.read(lambda conn: [outbox.get(conn, row_id) for row_id in ids])
    return [row for row in found if row is not None]


async def test_a_message_is_offered_again_where_it_belongs(database: Database) -> None:
    (row,) = await stored(database, *message_rows(LANE, "Hi"))
    (notice,) = await database.write(lambda conn: settle(conn, [row], Catalogue(strict=True), "ask"))
    assert (notice.lane, notice.thread_id) == (LANE.key, 3)
    keyboard = notice.payload["reply_markup"]["inline_keyboard"]  # type: ignore[index,call-overload]  JSON
    assert [button["callback_data"] for button in keyboard[0]] == [f"resend:{row.id}", f"keep:{row.id}"]


async def test_a_placeholder_that_may_be_left_behind_is_said(database: Database) -> None:
    markup = buttons([[("Stop", "stop")]])
    lost = message_rows(LANE, "a broadcast")[0]
    rows = await stored(
        database,
        placeholder_row(LANE, "...", turn_id="u1", reply_to=None, reply_markup=markup),
        replace(lost, payload={**lost.payload, PLACEHOLDER: True}),
    )
    (notice,) = await database.write(lambda conn: settle(conn, rows, Catalogue(strict=True), "ask"))
    assert "may be left above" in str(notice.payload["text"])
    assert (PLACEHOLDER in notice.payload, "reply_markup" in notice.payload) == (True, False)


async def test_a_person_is_asked_in_their_own_language(database: Database) -> None:
    await database.write(lambda conn: users.upsert_seen(conn, SeenUser(7, None, "Ivan", language_code="ru"), 0))
    (row,) = await stored(database, *message_rows(Lane(7), "Hi"))
    (notice,) = await database.write(lambda conn: settle(conn, [row], Catalogue(strict=True), "ask"))
    assert "Отправить" in str(notice.payload["text"])
    assert "Отправить" in str(notice.payload["reply_markup"])


async def test_an_edit_finds_the_message_of_its_turn(database: Database) -> None:
    markup = buttons([[("Stop", "stop")]])
    placeholder, edit, other = await stored(
        database,
        placeholder_row(LANE, "...", turn_id="u1", reply_to=None, reply_markup=markup),
        edit_of_part(LANE, EntityText("Fine."), turn_id="u1", part=1, edited_part=0, reply_to=None),
        edit_of_part(LANE, EntityText("Fine."), turn_id="u2", part=1, edited_part=0, reply_to=None),
    )
    assert await database.read(lambda conn: edited_message(conn, edit)) is None
    await database.write(lambda conn: outbox.mark_sent(conn, [(placeholder.id, 55)], 0))
    assert await database.read(lambda conn: edited_message(conn, edit)) == 55
    assert await database.read(lambda conn: edited_message(conn, other)) is None
    assert await database.read(lambda conn: edited_message(conn, placeholder)) is None
