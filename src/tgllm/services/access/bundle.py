"""Bundle: one message in each place of the admins that counts the access requests without cards of their own.

It is edited as the number changes. So many requests at once cost an admin's chat a few messages, and not one each.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final

from tgllm.db.engine.unit import Connection
from tgllm.db.queries import pending_access
from tgllm.db.queries.pending_access import Waiting
from tgllm.db.tables import kv, outbox
from tgllm.db.tables.outbox import CARD, NewOutbox, OutboxRow
from tgllm.i18n import Catalogue
from tgllm.services.messaging.admin_places import AdminPlaces, Place
from tgllm.services.messaging.people import message_to
from tgllm.services.messaging.rows import PLACEHOLDER, edit_of_row

__all__ = ["EDIT_MILLISECONDS", "Bundle"]

EDIT_MILLISECONDS: Final = 3000
"""Time for which changes of the number are collected before the message is edited."""
_HOUR: Final = 60 * 60 * 1000
_EDIT: Final = 1000
"""Offset of the edits: part ``_EDIT + n`` edits the message of part n. There are fewer places than this."""
_SCOPE: Final = "access"
_KEY: Final = "bundle"
_SHOW: Final = {"people": "admin:users pending +", "groups": "admin:groups +"}
"""Callback data of the buttons, which show the lists as new messages."""


@dataclass(frozen=True, slots=True)
class _State:
    """The latest bundle, as stored."""

    started_at: int
    people: int
    """Number of people shown."""
    groups: int
    """Number of groups shown."""
    stale: bool = False
    """Whether a message could not be edited, because its last edit was being sent."""
    parts: Mapping[str, int] = field(default_factory=dict[str, int])
    """Parts of the messages by chat id."""

    @property
    def turn_id(self) -> str:
        """Turn id of the outbox rows."""
        return f"access:more:{self.started_at}"


@dataclass(frozen=True, slots=True)
class Bundle:
    """Adds the message to the outbox, and keeps its number right."""

    texts: Catalogue
    places: AdminPlaces

    def is_due(self, conn: Connection, now: int) -> bool:
        """Return whether the message shows another number than it should, or is to be repeated."""
        state, waiting = _stored(conn), pending_access.waiting(conn)
        if state is None:
            return waiting.unseen > 0
        shown = (state.people, state.groups)
        return state.stale or shown != (waiting.unseen_people, waiting.unseen_groups) or _is_old(conn, state, now)

    def update(self, conn: Connection, now: int) -> None:
        """Show the number of requests without a card.

        The message is edited. It is a new one if there is none yet, if the last one ended at no request, or once an
        hour if there are new requests.

        Args:
            conn: an open write transaction.
            now: UTC, in milliseconds.
        """
        before, waiting = _stored(conn), pending_access.waiting(conn)
        ended = before is None or (not before.people and not before.groups)
        if ended and not waiting.unseen:
            return
        state = _State(now, 0, 0) if before is None or ended or _is_old(conn, before, now) else before
        parts, stale = dict(state.parts), False
        for place in self.places.all(conn, now):
            part = parts.setdefault(str(place.chat_id), len(parts))
            stale |= not _show(conn, self._row(place, waiting, state.turn_id, part), now, ends=not waiting.unseen)
        state = replace(state, people=waiting.unseen_people, groups=waiting.unseen_groups, stale=stale, parts=parts)
        kv.set_value(conn, _SCOPE, _KEY, asdict(state), now)

    def _row(self, place: Place, waiting: Waiting, turn_id: str, part: int) -> NewOutbox:
        text = self.texts("access.none_waiting", place.language)
        if waiting.unseen:
            text = self.texts("access.more_waiting", place.language, count=waiting.unseen)
        row = message_to(place.chat_id, text, self._buttons(place, waiting))
        payload = {**row.payload, PLACEHOLDER: True}
        return replace(row, payload=payload, turn_id=turn_id, part=part, priority=CARD)

    def _buttons(self, place: Place, waiting: Waiting) -> Sequence[Sequence[tuple[str, str]]]:
        counts = {"people": waiting.unseen_people, "groups": waiting.unseen_groups}
        return [
            [(self.texts(f"access.button_waiting_{name}", place.language), data)]
            for name, data in _SHOW.items()
            if counts[name]
        ]


def _show(conn: Connection, row: NewOutbox, now: int, *, ends: bool) -> bool:
    """Add a message or its edit, or change the one that waits; return False if the last edit is being sent."""
    shown = _find(conn, row)
    if shown is None:
        outbox.add(conn, [row], now)
    elif shown.state == "ready" and ends:
        outbox.drop(conn, shown.id, "all requests were decided before it was sent")
    elif shown.state == "ready":
        outbox.requeue(conn, shown.id, row.payload, shown.not_before)
    elif shown.state in {"sending", "sent"}:
        return _edit(conn, row, now)
    # In another state it has not arrived, for example because the admin has no chat with the bot.
    return True


def _edit(conn: Connection, row: NewOutbox, now: int) -> bool:
    edit = replace(edit_of_row(row, row.part), part=_EDIT + row.part)
    last, due = _find(conn, edit), now + EDIT_MILLISECONDS
    if last is None:
        (row_id,) = outbox.add(conn, [edit], now)
        outbox.postpone(conn, row_id, due)
    elif last.state == "sending":
        return False
    else:
        outbox.requeue(conn, last.id, edit.payload, last.not_before if last.state == "ready" else due)
    return True


def _find(conn: Connection, row: NewOutbox) -> OutboxRow | None:
    return None if row.turn_id is None else outbox.find(conn, row.turn_id, row.part)


def _is_old(conn: Connection, state: _State, now: int) -> bool:
    return now - state.started_at >= _HOUR and pending_access.has_unseen(conn, state.started_at)


def _stored(conn: Connection) -> _State | None:
    value: Any = kv.get(conn, _SCOPE, _KEY)
    return None if value is None else _State(**value)
