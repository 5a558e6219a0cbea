"""Whatever else happens in the chats: no message of unknown delivery is repeated, lost or taken for another one."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from unittest.mock import patch

from aiogram.exceptions import TelegramBadRequest
from aiogram.methods import DeleteMessage
from hypothesis import given, settings
from hypothesis import strategies as st

from tgllm.bot.delivery.calls import RawEditMarkup
from tgllm.bot.delivery.candidates import MOST_CANDIDATES, candidates, unexplained
from tgllm.bot.delivery.resolving import Absent, Arrived, Resolver, Unclear
from tgllm.db.queries.doubts import Doubt
from tgllm.db.tables.outbox import OutboxRow

CHAT, OTHER_CHAT = 7, 8
BUTTONS = [None, "a", "b"]


@dataclass
class Message:
    chat_id: int
    from_bot: bool
    markup: object
    row: int | None = None
    text: str = ""


def keyboard(name: str | None) -> dict[str, Any] | None:
    return None if name is None else {"inline_keyboard": [[{"text": name, "callback_data": name}]]}


@dataclass
class Telegram:
    """The messages of an account, counted up by one; a message that is deleted leaves a gap."""

    messages: dict[int, Message] = field(default_factory=dict[int, Message])
    last: int = 0

    def add(self, message: Message) -> int:
        self.last += 1
        self.messages[self.last] = message
        return self.last

    async def __call__(self, method: object) -> object:
        if isinstance(method, DeleteMessage):
            del self.messages[method.message_id]
            return True
        assert isinstance(method, RawEditMarkup)
        message = self.messages.get(method.message_id or 0)
        if message is None or message.chat_id != method.chat_id:
            raise TelegramBadRequest(method, "Bad Request: message to edit not found")
        if not message.from_bot:
            raise TelegramBadRequest(method, "Bad Request: message can't be edited")
        if method.reply_markup == message.markup:
            raise TelegramBadRequest(method, "Bad Request: message is not modified: specified new message content ...")
        message.markup = method.reply_markup
        return {"message_id": method.message_id, "text": message.text}


@dataclass
class Bot:
    """What the bot knows, and the database of which only the doubts are read."""

    telegram: Telegram
    known: set[int] = field(default_factory=set[int])
    rows: list[OutboxRow] = field(default_factory=list[OutboxRow])
    given_up: list[OutboxRow] = field(default_factory=list[OutboxRow])
    marked: set[int] = field(default_factory=set[int])
    """Rows whose message says that it may be a repeat."""

    def doubt(self, row: OutboxRow) -> Doubt:
        above = row.known_id or 0
        known = frozenset(number for number in self.known if number > above)
        others = [other for other in self.rows if other.id != row.id]
        return Doubt(above, known, [*others, *self.given_up], 1 + len(others))

    async def resolve(self, row: OutboxRow) -> Arrived | Absent | Unclear:
        """Resolve a row as the sender does, with the message that follows if it has not arrived."""

        class Reads:
            async def read(_, query: Callable[[Any], Any]) -> object:  # noqa: N805  `self` is the outer object, which it reads
                with (
                    patch("tgllm.bot.delivery.resolving.doubt_of", lambda _conn, _row: self.doubt(row)),
                    patch("tgllm.bot.delivery.resolving.sent_lately", lambda *_: None),
                ):
                    return query(None)

            async def write(_, unit: Callable[[Any], Any]) -> None:  # noqa: N805  `self` is the outer object
                with patch("tgllm.db.tables.outbox.exclude", lambda _conn, _row_id, number: self.exclude(row, number)):
                    unit(None)

        alike = [other for other in self.rows if other.id != row.id and same_buttons(other, row)]
        resolver = Resolver(cast("Any", self.telegram), cast("Any", Reads()))
        result = await resolver.find(row)
        assert isinstance(result, Arrived | Absent | Unclear)
        if isinstance(result, Arrived) and result.message_id is not None:
            assert self.telegram.messages[result.message_id].row == row.id
            self.known.add(result.message_id)
        if isinstance(result, Absent):
            sent = self.telegram.add(message_of(row))
            earlier = await resolver.find_earlier(row, result, sent)
            assert earlier.message_id is None or self.telegram.messages[earlier.message_id].row == row.id
            assert earlier.is_certain or earlier.message_id is None
            self.known.add(earlier.message_id or sent)
            if not earlier.is_certain:
                self.marked.add(row.id)
        self.rows.remove(row)
        if isinstance(result, Arrived) and result.message_id is None:
            self.known |= {*result.ids}
            assert {*result.too} >= {other.id for other in alike}
            self.rows = [other for other in self.rows if other.id not in result.too]
        if isinstance(result, Unclear):
            self.given_up.append(row)
        return result

    def exclude(self, row: OutboxRow, number: int) -> None:
        """Check that the message of a row is not among those that are tried no more."""
        assert all(message.row != row.id for at, message in self.telegram.messages.items() if at <= number)
        assert number <= self.telegram.last


def same_buttons(one: OutboxRow, other: OutboxRow) -> bool:
    return one.payload.get("reply_markup") == other.payload.get("reply_markup")


def message_of(row: OutboxRow) -> Message:
    return Message(CHAT, True, row.payload.get("reply_markup"), row.id, row.payload["text"].strip())


def row_of(number: int, markup: object, text: str, known_id: int) -> OutboxRow:
    payload: dict[str, Any] = {"chat_id": CHAT, "text": text}
    if markup is not None:
        payload["reply_markup"] = markup
    values: dict[str, Any] = dict.fromkeys(OutboxRow.__dataclass_fields__)
    return OutboxRow(
        **{**values, "id": number, "chat_id": CHAT, "payload": payload, "known_id": known_id, "doubt": True}
    )


Event = tuple[str, str | None]

OTHERS = st.lists(
    st.tuples(
        st.sampled_from(["person", "unseen", "elsewhere", "unseen elsewhere", "own", "deleted"]),
        st.sampled_from(BUTTONS),
    ),
    max_size=8,
)


def happen(bot: Bot, events: Sequence[Event]) -> None:
    """Let others write, and the bot send messages that are confirmed."""
    for kind, name in events:
        chat_id = OTHER_CHAT if "elsewhere" in kind else CHAT
        number = bot.telegram.add(
            Message(chat_id, from_bot=kind == "own", markup=keyboard(name) if kind == "own" else None)
        )
        if "unseen" not in kind:
            bot.known.add(number)
        if kind == "deleted":
            del bot.telegram.messages[number]


@settings(deadline=None, max_examples=300)
@given(
    before=OTHERS,
    doubtful=st.lists(
        st.tuples(st.booleans(), st.sampled_from(BUTTONS), st.sampled_from(["x", "y", "z "]), OTHERS),
        min_size=1,
        max_size=3,
    ),
    after=OTHERS,
)
def test_no_message_is_repeated_or_lost(
    before: Sequence[Event], doubtful: Sequence[tuple[bool, str | None, str, Sequence[Event]]], after: Sequence[Event]
) -> None:
    bot = Bot(Telegram(last=100), {100})
    happen(bot, before)
    for number, (has_arrived, name, text, meanwhile) in enumerate(doubtful, 1):
        row = row_of(number, keyboard(name), text, max(bot.known))
        happen(bot, meanwhile)
        if has_arrived:
            bot.telegram.add(message_of(row))
        bot.rows.append(row)
    happen(bot, after)
    while bot.rows:
        row = bot.rows[0]
        markups = {number: message.markup for number, message in bot.telegram.messages.items()}
        has_arrived = doubtful[row.id - 1][0]
        result = asyncio.run(bot.resolve(row))
        copies = sum(message.row == row.id for message in bot.telegram.messages.values())
        allowed = {1, 2} if row.id in bot.marked else {1}
        assert copies in (allowed if not isinstance(result, Unclear) else {has_arrived})
        now = {number: message.markup for number, message in bot.telegram.messages.items() if number in markups}
        assert now == {number: markups[number] for number in now}


@given(st.integers(1, 1000), st.sets(st.integers(0, 30)), st.integers(1, 5))
def test_candidates_are_the_unknown_ids_above_the_highest_known_one(above: int, gaps: set[int], open_rows: int) -> None:
    known = {above + 1 + number for number in range(20) if number not in gaps}
    found = candidates(above, known, open_rows)
    assert found is None or not set(found) & known
    assert found is None or all(number > above for number in found)
    assert found is None or len(found) <= MOST_CANDIDATES + open_rows - 1
    # The next ids to be given away are among them.
    assert found is None or set(range(max(known, default=above) + 1, max(known, default=above) + 1 + open_rows)) <= set(
        found
    )


def test_too_many_ids_are_no_candidates() -> None:
    assert candidates(100, {114}, 1) is None
    assert candidates(100, {110}, 1) == [*range(101, 110), 111, 112, 113]
    # After an outage many messages may have any of their ids.
    assert candidates(100, (), 20) == [*range(101, 123)]
    assert candidates(100, {110}, 15) is None
    assert candidates(100, (), 23) is None


def test_ids_that_were_neither_known_nor_tried_are_unexplained() -> None:
    assert unexplained(100, {101, 104}, {102}, 106) == [103, 105]
