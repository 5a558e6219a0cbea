"""Admin cards: messages with an access request and buttons to decide it.

A card is sent to the admin chat and to each admin in private. If many people ask within a short time, the further
requests share one message with their number (``tgllm.services.access.bundle``). After the decision, all copies of a
card are edited to show who decided. The outbox rows belong to a turn named after the request, by which the cards are
found after a restart, and by shell commands.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access
from tgllm.db.queries.pending_access import Table
from tgllm.db.tables import outbox
from tgllm.db.tables.outbox import NewOutbox
from tgllm.i18n import Catalogue
from tgllm.services.access.bundle import Bundle
from tgllm.services.messaging.admin_places import AdminPlaces, Place
from tgllm.services.messaging.people import message_to
from tgllm.services.messaging.rows import PLACEHOLDER, edit_of_row

__all__ = ["CARD", "MOST_SHORTLY", "AccessCards", "CardText", "Subject"]

CARD = "access"
"""Prefix of the callback data of a card's buttons; the verdict and the id of the person or group follow."""

_WINDOW = 60 * 60 * 1000
"""Period of the limit on cards, in milliseconds."""
MOST_SHORTLY: Final = 3
"""Most requests with cards of their own within ten minutes."""
_SHORT_WINDOW = 10 * 60 * 1000
_CLOSING = 1000
"""Offset of the edits: part ``_CLOSING + n`` edits the card of part n. There are fewer admins than this."""


class CardText(Protocol):
    """Function that returns a text in a language."""

    def __call__(self, language: str) -> str: ...


@dataclass(frozen=True, slots=True)
class Subject:
    """The request of a person or for a group."""

    table: Table
    id: int
    """Id of the person or group."""
    requested_at: int

    @property
    def turn_id(self) -> str:
        """Turn id of the cards' outbox rows."""
        return f"{CARD}:{self.id}:{self.requested_at}"


class AccessCards:
    """Sends requests to the admins as cards, up to an hourly limit."""

    def __init__(self, texts: Catalogue, admin_chat_id: int | None, per_hour: int) -> None:
        """Create the service.

        Args:
            texts: catalogue of texts.
            admin_chat_id: the admin chat of the config.
            per_hour: maximum number of requests shown in an hour.
        """
        self._texts = texts
        self._places = AdminPlaces(admin_chat_id)
        self._per_hour = per_hour
        self.bundle = Bundle(texts, self._places)

    def show(
        self, conn: Connection, subject: Subject, text: CardText, verdicts: Sequence[Sequence[str]], now: int
    ) -> bool:
        """Add the cards of a request to the outbox; count it in the bundle if there have been too many.

        Args:
            conn: an open write transaction.
            subject: the request.
            text: text of the card.
            verdicts: rows of buttons; the label of a verdict is the text ``access.button_<verdict>``.
            now: UTC, in milliseconds.

        Returns:
            False if the request is counted in the bundle.
        """
        if self._is_many(conn, now):
            self.bundle.update(conn, now)
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
            for part, place in enumerate(self._places.all(conn, now))
        ]
        outbox.add(conn, rows, now)
        pending_access.mark_carded(conn, subject.table, subject.id, now)
        return True

    def close(self, conn: Connection, subject: Subject, text: CardText, now: int) -> None:
        """Replace the text and buttons of a request's cards by the decision; unsent cards are dropped."""
        languages = {place.chat_id: place.language for place in self._places.all(conn, now)}
        for row in outbox.of_turn(conn, subject.turn_id):
            if row.part >= _CLOSING or row.chat_id is None or row.state in {"failed", "dropped"}:
                continue
            if row.state == "ready":
                outbox.drop(conn, row.id, "decided before it was sent")
            else:
                # The edit follows the card in its lane, so it is right also while the card is being sent.
                outbox.add(conn, [_edit(row.chat_id, subject, row.part, text(languages.get(row.chat_id, "")))], now)

    def _is_many(self, conn: Connection, now: int) -> bool:
        """Return whether the admins were shown too many cards lately."""
        shortly = pending_access.count_cards(conn, now - _SHORT_WINDOW)
        return shortly >= MOST_SHORTLY or pending_access.count_cards(conn, now - _WINDOW) >= self._per_hour

    def _label(self, verdict: str, place: Place) -> str:
        return self._texts(f"access.button_{verdict}", place.language)


def _card(
    chat_id: int, text: str, buttons: Sequence[Sequence[tuple[str, str]]], subject: Subject, part: int
) -> NewOutbox:
    """Return a row whose failure causes no notice, since some admins may have no chat with the bot."""
    row = message_to(chat_id, text, buttons)
    payload = {**row.payload, PLACEHOLDER: True}
    return replace(row, payload=payload, turn_id=subject.turn_id, part=part, priority=outbox.CARD)


def _edit(chat_id: int, subject: Subject, part: int, text: str) -> NewOutbox:
    return edit_of_row(_card(chat_id, text, (), subject, _CLOSING + part), part)
