"""Cards that ask for the approval of a call, and their state after the decision.

A card names the tool and its plugin, who asks and where, and all arguments. If these don't fit one message, the card
consists of several, of which the last has the buttons. The outbox rows belong to a turn named after the call, by which
the card is found after a restart. All texts are made from what is stored, so that a restart changes none.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, Final

from tgllm.config.checks import zone as find_zone
from tgllm.db.engine.unit import Connection
from tgllm.db.tables import groups, outbox, users
from tgllm.db.tables.outbox import NewOutbox, OutboxRow
from tgllm.db.tables.tools.calls import StoredCall
from tgllm.i18n import Catalogue
from tgllm.services.chats.time_zone import chosen_time_zone
from tgllm.services.common.lane import Lane
from tgllm.services.messaging.admin_places import AdminPlaces
from tgllm.services.messaging.people import language_in, language_of
from tgllm.services.messaging.rows import (
    PLACEHOLDER,
    REPEATABLE,
    buttons,
    edit_of_row,
    message_row,
    reply_parameters,
)
from tgllm.services.people.names import chosen_name, named, named_group
from tgllm.services.tools.grants import CHAT_TIME
from tgllm.services.tools.shown_arguments import chunks, shown_arguments, units

__all__ = ["CARD", "ToolCards", "card_turn", "clock_time"]

CARD: Final = "tool"
"""First word of the callback data of the buttons; the choice, the id of the call and its mark follow."""

_MOST_UNITS: Final = 3500
"""UTF-16 units of arguments in a message; the rest of the 4096 is for the other lines. Bot API: sendMessage."""
MOST_MESSAGES: Final = 10
"""Longer arguments can't be approved: people would not read them."""
_PARTS: Final = 20
"""Numbers of rows for each place; more than ``MOST_MESSAGES``."""
_EDITS: Final = 10_000
"""Offset of the first edit: part ``_EDITS + n`` edits the message of part n. There are fewer places than that needs."""


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where a card is sent, and how."""

    lane: Lane
    language: str
    zone: tzinfo
    asker: bool
    """Whether it is the chat of the question."""


def card_turn(call_id: int) -> str:
    """Return the turn id of the outbox rows of a card."""
    return f"{CARD}:{call_id}"


class ToolCards:
    """Makes cards and their edits."""

    def __init__(self, texts: Catalogue, places: AdminPlaces, title_of: Callable[[str], str], zone: tzinfo) -> None:
        """Create the maker of cards.

        Args:
            texts: catalogue of texts.
            places: chats of the admins.
            title_of: returns the title of a plugin.
            zone: the bot's time zone, for people who have chosen none.
        """
        self._texts = texts
        self._places = places
        self._title_of = title_of
        self._zone = zone

    @staticmethod
    def fits(call: StoredCall) -> bool:
        """Return whether the arguments of a call are short enough to be shown in full."""
        return len(chunks(shown_arguments(call.arguments), _MOST_UNITS)) <= MOST_MESSAGES

    def rows(self, conn: Connection, call: StoredCall, reply_to: int | None, now: int) -> Iterator[NewOutbox]:
        """Yield the rows that send the card of a waiting call.

        Args:
            conn: an open transaction.
            call: a call in the state ``waiting``.
            reply_to: id of the message with the question; None: unknown.
            now: UTC, in milliseconds.
        """
        for index, spot in enumerate(self._spots(conn, call, now)):
            messages = self._messages(conn, call, spot, self._deadline(call, spot))
            for number, (text, extra) in enumerate(messages):
                payload = dict(extra)
                if spot.asker:
                    # A second card is better than none: only one of them can be pressed.
                    payload[REPEATABLE] = True
                    payload |= reply_parameters(reply_to if number == 0 else None)
                else:
                    # Some admins may have no chat with the bot.
                    payload[PLACEHOLDER] = True
                if number == len(messages) - 1:
                    payload["reply_markup"] = buttons(self._buttons(call, spot, now))
                yield replace(
                    message_row(spot.lane, text, payload),
                    turn_id=card_turn(call.id),
                    part=index * _PARTS + number,
                    priority=outbox.ANSWER if spot.asker else outbox.CARD,
                )

    def update(self, conn: Connection, call: StoredCall, now: int) -> None:
        """Show the state of a call on its card, without buttons; messages that are not sent yet are dropped.

        Args:
            conn: an open write transaction.
            call: a call with a card, in another state than ``waiting``.
            now: UTC, in milliseconds.
        """
        rows = outbox.of_turn(conn, card_turn(call.id))
        sent: dict[int, list[OutboxRow]] = {}
        shown: dict[int, object] = {}
        for row in rows:
            if row.part < _EDITS:
                sent.setdefault(row.part // _PARTS, []).append(row)
            else:
                shown[row.part % _EDITS] = row.payload.get("text")
        free = 1 + max((row.part for row in rows), default=0) // _EDITS
        for messages in sent.values():
            last = messages[-1]
            self._close(conn, call, messages, free * _EDITS, shown.get(last.part, last.payload.get("text")), now)

    def _close(
        self,
        conn: Connection,
        call: StoredCall,
        messages: Sequence[OutboxRow],
        edits: int,
        shown: object,
        now: int,
    ) -> None:
        """Edit the last message of a card in one place; ``shown``: the text that it has by now."""
        last = messages[-1]
        if last.state in {"failed", "dropped"} or last.chat_id is None:
            return
        if messages[0].state == "ready":
            for row in messages:
                outbox.drop(conn, row.id, "decided before it was sent")
            return
        spot = self._spot(conn, call, last)
        *_, (text, final) = self._messages(conn, call, spot, self.outcome(conn, call, spot.language, spot.zone))
        if last.state == "ready":
            kept = {key: value for key, value in last.payload.items() if key != "reply_markup"}
            outbox.requeue(conn, last.id, {**kept, **final, "text": text}, last.not_before)
            return
        if text == shown:
            return
        row = edit_of_row(message_row(spot.lane, text, {**final, PLACEHOLDER: True}), last.part)
        # In the stream of the card, so that it follows it.
        row = replace(row, turn_id=card_turn(call.id), part=edits + last.part, priority=last.priority)
        outbox.add(conn, [row], now)

    def outcome(self, conn: Connection, call: StoredCall, language: str, zone: tzinfo) -> str:
        """Return what has become of a call, in one or two sentences."""
        lines: list[str] = []
        if call.decided_at is not None:
            what = "denied" if call.state == "denied" else "approved"
            at = clock_time(call.decided_at, zone)
            lines.append(self._texts(f"approval.{what}", language, by=self.name(conn, call.decided_by), time=at))
        key = call.state
        if call.state == "stopped" and call.started_at is not None:
            key = "stopped_running"
        if key not in {"denied", "approved", "asked", "waiting"}:
            lines.append(self._texts(f"approval.state_{key}", language))
        return "\n".join(lines)

    @staticmethod
    def name(conn: Connection, user_id: int | None) -> str:
        """Return the name of a person for a text."""
        user = None if user_id is None else users.get(conn, user_id)
        return str(user_id or "") if user is None else named(user)

    def _spots(self, conn: Connection, call: StoredCall, now: int) -> Sequence[_Spot]:
        if call.approver != "admins":
            return [self._asker(conn, call)]
        return [
            _Spot(Lane(place.chat_id), place.language, self._zone_of(conn, place.chat_id), asker=False)
            for place in self._places.all(conn, now)
        ]

    def _asker(self, conn: Connection, call: StoredCall) -> _Spot:
        user = None if call.user_id is None else users.get(conn, call.user_id)
        language = "" if user is None else language_of(conn, user)
        return _Spot(Lane.parse(call.lane), language, self._zone_of(conn, call.user_id or 0), asker=True)

    def _spot(self, conn: Connection, call: StoredCall, row: OutboxRow) -> _Spot:
        if call.approver != "admins":
            return replace(self._asker(conn, call), lane=Lane.parse(row.lane))
        chat_id = row.chat_id or 0
        return _Spot(Lane.parse(row.lane), language_in(conn, chat_id), self._zone_of(conn, chat_id), asker=False)

    def _zone_of(self, conn: Connection, user_id: int) -> tzinfo:
        name = chosen_time_zone(conn, user_id) if user_id > 0 else None
        return self._zone if name is None else find_zone(name)

    def _messages(
        self, conn: Connection, call: StoredCall, spot: _Spot, end: str
    ) -> Sequence[tuple[str, dict[str, Any]]]:
        """Return text and entities of each message of a card; ``end`` stands below the arguments."""
        parts = chunks(shown_arguments(call.arguments), _MOST_UNITS)
        last = len(parts) - 1
        made: list[tuple[str, dict[str, Any]]] = []
        for number, part in enumerate(parts):
            count = f" ({number + 1}/{last + 1})" if last else ""
            head = self._head(conn, call, spot) if number == 0 else ""
            head += self._texts("approval.arguments", spot.language) + count + "\n"
            tail = f"\n\n{end}" if number == last else ""
            code = {"type": "pre", "offset": units(head), "length": units(part), "language": "json"}
            made.append((f"{head}{part}{tail}", {"entities": [code]}))
        return made

    def _head(self, conn: Connection, call: StoredCall, spot: _Spot) -> str:
        plugin = chosen_name(self._title_of(call.plugin_id or "")) or call.plugin_id or ""
        lines = [
            self._texts("approval.title", spot.language),
            "",
            self._texts("approval.tool", spot.language, tool=call.tool, plugin=plugin),
            self._texts("approval.asker", spot.language, name=self.name(conn, call.user_id)),
            self._texts("approval.chat", spot.language, chat=self._chat(conn, call, spot.language)),
        ]
        return "\n".join(lines) + "\n"

    def _chat(self, conn: Connection, call: StoredCall, language: str) -> str:
        lane = Lane.parse(call.lane)
        if lane.chat_id > 0:
            return self._texts("approval.private_chat", language)
        group = groups.get(conn, lane.chat_id)
        return str(lane.chat_id) if group is None else named_group(group)

    def _deadline(self, call: StoredCall, spot: _Spot) -> str:
        return self._texts("approval.deadline", spot.language, time=clock_time(call.expires_at or 0, spot.zone))

    def _buttons(self, call: StoredCall, spot: _Spot, now: int) -> Sequence[Sequence[tuple[str, str]]]:
        def button(choice: str, **params: object) -> tuple[str, str]:
            label = self._texts(f"approval.button_{choice}", spot.language, **params)
            return label, f"{CARD}:{choice}:{call.id}:{call.mark}"

        rows = [[button("once"), button("no")], [button("chat", time=clock_time(now + CHAT_TIME, spot.zone))]]
        return rows if call.approver == "admins" else [*rows, [button("always")]]


def clock_time(at: int, zone: tzinfo) -> str:
    """Return the time of day of a time in UTC milliseconds."""
    return datetime.fromtimestamp(at / 1000, zone).strftime("%H:%M")
