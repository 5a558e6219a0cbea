"""Cards: messages that show admins a request for access, with buttons that decide it.

A card goes to the admin chat and to each admin in private. Once the request is decided, all of them say by whom. The
rows of the outbox belong to a turn named after the request, so that the cards are found again after a restart, and by
the shell.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access
from tgllm.db.queries.pending_access import Table
from tgllm.db.tables import outbox, users
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.chats.moved_chats import present_id
from tgllm.services.messaging.people import language_of, message_to
from tgllm.services.messaging.rows import PLACEHOLDER, edit_of_row

__all__ = ["CARD", "AccessCards", "CardText", "Subject"]

CARD = "access"
"""First word of the callback data of a card's buttons; the verdict and the id of the person or group follow."""

_WINDOW = 60 * 60 * 1000
"""Milliseconds in which the cards are counted."""
_CLOSING = 1000
"""The part of the turn that edits the card of part 0, and so on; there are not so many admins."""


class CardText(Protocol):
    """Says something in a language."""

    def __call__(self, language: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """Whose request it is."""

    table: Table
    id: int
    """Of the person or the group."""
    requested_at: int

    @property
    def turn_id(self) -> str:
        """The turn of the cards' rows."""
        return f"{CARD}:{self.id}:{self.requested_at}"


@dataclass(frozen=True, slots=True)
class _Place:
    chat_id: int
    language: str


class AccessCards:
    """Shows requests to the admins, not more of them than the settings say."""

    def __init__(self, texts: Catalogue, admin_chat_id: int | None, per_hour: int) -> None:
        """Prepare.

        Args:
            texts: the words.
            admin_chat_id: the chat from the settings.
            per_hour: how many requests are shown in an hour.
        """
        self._texts = texts
        self._chat_id = admin_chat_id
        self._per_hour = per_hour

    def show(
        self, conn: Connection, subject: Subject, text: CardText, verdicts: Sequence[Sequence[str]], now: int
    ) -> bool:
        """Store the cards of a request.

        Args:
            conn: an open write transaction.
            subject: whose request it is.
            text: what the card says.
            verdicts: rows of the buttons; the label of a verdict is the text ``access.button_<verdict>``.
            now: UTC, in milliseconds.

        Returns:
            False, and nothing is stored, where the admins have been shown enough for now.
        """
        if pending_access.count_cards(conn, now - _WINDOW) >= self._per_hour:
            return False
        rows = [
            _card(
                place.chat_id,
                text(place.language),
                [
                    [(self._label(verdict, place), f"{CARD}:{verdict}:{subject.id}") for verdict in row]
                    for row in verdicts
                ],
                subject,
                part,
            )
            for part, place in enumerate(self._places(conn, now))
        ]
        outbox.add(conn, rows, now)
        pending_access.mark_carded(conn, subject.table, subject.id, now)
        return True

    def close(self, conn: Connection, subject: Subject, text: CardText, now: int) -> None:
        """Let the cards of a request say how it was decided, in place of their buttons. Cards not yet sent are not."""
        languages = {place.chat_id: place.language for place in self._places(conn, now)}
        for row in outbox.of_turn(conn, subject.turn_id):
            if row.part >= _CLOSING or row.chat_id is None or row.state in {"failed", "dropped"}:
                continue
            if row.state == "ready":
                outbox.drop(conn, row.id, "decided before it was sent")
            else:
                outbox.add(conn, [_edit(row.chat_id, subject, row.part, text(languages.get(row.chat_id, "")))], now)

    def announce(self, conn: Connection, text: CardText, now: int) -> None:
        """Tell everybody who gets cards something without buttons."""
        outbox.add(conn, [message_to(place.chat_id, text(place.language)) for place in self._places(conn, now)], now)

    def _label(self, verdict: str, place: _Place) -> str:
        return self._texts(f"access.button_{verdict}", place.language)

    def _places(self, conn: Connection, now: int) -> Sequence[_Place]:
        """The admin chat, and each admin's private chat, whose id is the admin's own (Bot API: Chat)."""
        places = [_Place(admin.id, language_of(conn, admin)) for admin in users.admins(conn, now)]
        chat_id = None if self._chat_id is None else present_id(conn, self._chat_id)
        if chat_id is None or any(place.chat_id == chat_id for place in places):
            return places
        return [_Place(chat_id, ""), *places]


def _card(
    chat_id: int, text: str, buttons: Sequence[Sequence[tuple[str, str]]], subject: Subject, part: int
) -> NewOutbox:
    """A row that nobody is told of if it fails: not every admin has begun a chat with the bot."""
    row = message_to(chat_id, text, buttons)
    return replace(row, payload={**row.payload, PLACEHOLDER: True}, turn_id=subject.turn_id, part=part)


def _edit(chat_id: int, subject: Subject, part: int, text: str) -> NewOutbox:
    return edit_of_row(_card(chat_id, text, (), subject, _CLOSING + part), part)
