"""What may be done again when nobody knows whether it was done."""

from pathlib import Path

from tgllm.bot.delivery.rows import message_rows
from tgllm.bot.delivery.uncertain import is_repeatable, settle
from tgllm.db.database import Database
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.i18n import Catalogue
from tgllm.services.common.lane import Lane

LANE = Lane(-100, 3)


async def test_what_is_no_message_may_be_repeated(tmp_path: Path) -> None:
    reaction = NewOutbox(lane=LANE.key, method="setMessageReaction", chat_id=-100, payload={}, kind="other")
    menu = NewOutbox(lane=LANE.key, method="editMessageText", chat_id=-100, payload={"message_id": 5}, kind="edit")
    lost = NewOutbox(
        lane=LANE.key, method="editMessageText", chat_id=-100, payload={"edit_of_part": 0}, turn_id="u1", kind="edit"
    )
    new = [reaction, menu, lost, *message_rows(LANE, "Hi")]

    def repeatable(conn: Connection) -> list[bool]:
        rows = [outbox.get(conn, row_id) for row_id in outbox.add(conn, new, 0)]
        return [is_repeatable(conn, row) for row in rows if isinstance(row, OutboxRow)]

    async with await Database.open(tmp_path / "tgllm.db") as database:
        assert await database.write(repeatable) == [True, True, False, False]


async def test_the_notice_of_a_message_that_may_be_lost_may_be_repeated(tmp_path: Path) -> None:
    def offered(conn: Connection) -> list[bool]:
        ids = outbox.add(conn, message_rows(LANE, "Hi"), 0)
        rows = [row for row_id in ids if (row := outbox.get(conn, row_id)) is not None]
        notices = outbox.add(conn, settle(conn, rows, Catalogue(strict=True), "ask"), 0)
        return [is_repeatable(conn, row) for row_id in notices if (row := outbox.get(conn, row_id)) is not None]

    async with await Database.open(tmp_path / "tgllm.db") as database:
        assert await database.write(offered) == [True]
