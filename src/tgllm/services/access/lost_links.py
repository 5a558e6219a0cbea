"""Invite links that an earlier process has not sent: their tokens were only in its memory, so they are revoked."""

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import traces
from tgllm.db.tables import invites, outbox
from tgllm.i18n import Catalogue
from tgllm.services.common.actor import PROGRAM, note
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.people import language_in
from tgllm.services.messaging.rows import plain_message

__all__ = ["revoke_lost_links"]


def revoke_lost_links(conn: Connection, texts: Catalogue, now: int) -> None:
    """Drop the messages with these links, revoke the links, and notify the chats for which they were.

    Call this at startup, before the outbox is recovered. A link that was being sent may have arrived; it is
    revoked too.

    Args:
        conn: an open write transaction.
        texts: the text catalogue.
        now: UTC, in milliseconds.
    """
    for link in traces.drop_unsent_links(conn):
        if invites.revoke(conn, link.invite_id):
            note(conn, PROGRAM, "invite.revoke", str(link.invite_id), now, {})
        lane = Lane.parse(link.lane)
        text = texts("access.link_lost", language_in(conn, lane.chat_id), id=link.invite_id)
        outbox.add(conn, [plain_message(lane, text)], now)
