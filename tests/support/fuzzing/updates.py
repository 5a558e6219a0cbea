"""Updates made by hypothesis from aiogram's types: of all kinds, with any fields, and broken ones."""

import datetime as dt
import json
import types
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cache
from typing import Annotated, Any, Final, Literal, Union, get_args, get_origin

from aiogram.types import CallbackQuery, Message, MessageEntity, TelegramObject, Update
from hypothesis import strategies as st

from tgllm.bot.telegram.late_models import real_type
from tgllm.bot.updates.fields import MESSAGE

__all__ = ["Made", "Place", "broken", "messages", "presses", "typed_updates"]

MOST_DEPTH: Final = 3
"""Depth of objects in an update; deeper ones have no optional fields."""
MOST_OPTIONAL: Final = 4
"""Most optional fields of an object."""
LIMIT_64: Final = 2**63

Json = Any
Draw = st.DrawFn


@dataclass(frozen=True, slots=True)
class Place:
    """Where the messages of a person come from, and what they know."""

    user: Mapping[str, Json]
    chat: Mapping[str, Json]
    commands: Sequence[str] = ()
    presses: Sequence[str] = ()
    """First words of the data of buttons."""


@dataclass(frozen=True, slots=True)
class Made:
    """An update without its id, and whether the person must see something in answer."""

    body: Json
    is_asked: bool = False


_TEXT: Final = st.one_of(
    st.text(st.characters(codec=None), max_size=20),
    st.sampled_from(
        [
            "\ud83d",
            "\udc00x",
            "a\u0000b",
            "\u202eright to left",
            "👨‍👩‍👧‍👦" * 3,
            "e\u0301" * 10,
            "\ufeff",
            "﷽" * 5,
            "**a** `b` ```c",
            "<b>&amp;",
            "| a | b |\n|---|---|\n| 1 | 2 |",
            "$x^2$ \\(y\\)",
            "x" * 4096,
        ]
    ),
)
_NUMBER: Final = st.one_of(
    st.integers(-3, 50),
    st.integers(-LIMIT_64, LIMIT_64 - 1),
    st.sampled_from([2**31, 2**32, 2**53 + 1, -(2**40), 10**12]),
)
_ODD: Final = st.one_of(
    st.none(),
    st.booleans(),
    _NUMBER,
    st.sampled_from([2**64, -(2**64), 10**30, 1.5, -0.0, 1e308]),
    _TEXT,
    st.lists(st.none(), max_size=2),
    st.dictionaries(st.text(max_size=3), st.integers(), max_size=2),
    # A new one each time, since it is changed further.
    st.builds(lambda: {"id": {"id": {"id": []}}}),
)
"""Values in a place where they don't belong."""


@cache
def _fields(model: type[TelegramObject]) -> tuple[tuple[tuple[str, Any], ...], tuple[tuple[str, Any], ...]]:
    """Return the required and the optional fields of a type: their names in the Bot API, and their annotations."""
    model.model_rebuild()
    required: list[tuple[str, Any]] = []
    optional: list[tuple[str, Any]] = []
    for name, field in model.model_fields.items():
        entry = field.alias or name, Annotated[field.annotation, None, *field.metadata]
        (required if field.is_required() or field.default is not None else optional).append(entry)
    return tuple(required), tuple(optional)


def _object(draw: Draw, model: type[TelegramObject], depth: int) -> dict[str, Json]:
    required, optional = _fields(model)
    made = {name: _value(draw, annotation, depth + 1) for name, annotation in required}
    if optional and depth < MOST_DEPTH:
        for index in draw(st.lists(st.integers(0, len(optional) - 1), max_size=MOST_OPTIONAL)):
            name, annotation = optional[index]
            made[name] = _value(draw, annotation, depth + 1)
    return made


def _value(draw: Draw, annotation: Any, depth: int) -> Json:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _value(draw, real_type(annotation), depth)
    if origin is Literal:
        return draw(st.sampled_from(arguments))
    if origin in {Union, types.UnionType}:
        choices = [each for each in arguments if each is not types.NoneType]
        return _value(draw, draw(st.sampled_from(choices)), depth)
    if origin in {list, Sequence}:
        size = draw(st.integers(0, 2)) if depth < MOST_DEPTH + 1 else 0
        return [_value(draw, arguments[0], depth + 1) for _ in range(size)]
    return _of_class(draw, annotation, depth) if isinstance(annotation, type) else draw(_TEXT)


def _of_class(draw: Draw, kind: type, depth: int) -> Json:
    if issubclass(kind, TelegramObject):
        return _object(draw, kind, depth)
    if issubclass(kind, Enum):
        return draw(st.sampled_from([each.value for each in kind]))
    plain = next((made for each, made in _PLAIN.items() if issubclass(kind, each)), _TEXT)
    return draw(plain)


# In this order: a bool is an int.
_PLAIN: Final[Mapping[type, st.SearchStrategy[Json]]] = {
    bool: st.booleans(),
    int: _NUMBER,
    float: st.floats(allow_nan=False, allow_infinity=False),
    dt.datetime: st.one_of(st.integers(0, 2**31 - 1), _NUMBER),
}


@st.composite
def typed_updates(draw: Draw) -> Made:
    """Updates of every kind, from anybody, anywhere."""
    _, kinds = _fields(Update)
    name, annotation = draw(st.sampled_from(kinds))
    return Made({name: _value(draw, annotation, 0)})


def _text_of(draw: Draw, place: Place) -> str:
    text = draw(_TEXT)
    if place.commands and draw(st.integers(0, 3)) == 0:
        bot = draw(st.sampled_from(["", "@demo_bot", "@other_bot"]))
        return f"/{draw(st.sampled_from(place.commands))}{bot} {text}"[:4096]
    return text


_UNLIKE_A_QUESTION: Final = frozenset({"sender", "closed", "private", "lane"})
_OWN: Final = ("message_id", "date", "chat", "from", "text", "edit_date")


@st.composite
def messages(draw: Draw, place: Place, numbers: Callable[[], int]) -> Made:
    """Messages of a person in a chat, with any content, and edits of them; ``numbers`` returns the next message id."""
    kind = draw(st.sampled_from(["message", "message", "message", "edited_message"]))
    text = _text_of(draw, place)
    number = numbers()
    body = {"message_id": number, "date": 1_790_000_000, "chat": dict(place.chat), "from": dict(place.user)}
    if kind == "edited_message":
        body |= {"message_id": max(1, number - draw(st.integers(0, 5))), "edit_date": 1_790_000_001}
    _, optional = _fields(Message)
    decides = False
    for index in draw(st.lists(st.integers(0, len(optional) - 1), max_size=MOST_OPTIONAL)):
        name, annotation = optional[index]
        if name not in _OWN:
            body[name] = _value(draw, annotation, 1)
            decides = decides or MESSAGE.get(name) in _UNLIKE_A_QUESTION or name in _SERVICE
    if draw(st.booleans()):
        body["text"] = text
        body["entities"] = [_entity(draw, text) for _ in range(draw(st.integers(0, 3)))]
    is_plain = kind == "message" and bool(str(body.get("text", "")).strip()) and set(body) <= {*_OWN, "entities"}
    return Made({kind: body}, is_asked=is_plain and not text.startswith("/") and not decides)


def _entity(draw: Draw, text: str) -> dict[str, Json]:
    entity = _object(draw, MessageEntity, MOST_DEPTH)
    entity["type"] = draw(st.sampled_from(_ENTITIES))
    if draw(st.booleans()):
        units = len(text.encode("utf-16-le", "surrogatepass")) // 2
        entity["offset"] = draw(st.integers(0, units))
        entity["length"] = draw(st.integers(0, units - entity["offset"]))
    return entity


_ENTITIES: Final = (
    "mention",
    "hashtag",
    "bot_command",
    "url",
    "email",
    "bold",
    "italic",
    "strikethrough",
    "spoiler",
    "blockquote",
    "expandable_blockquote",
    "code",
    "pre",
    "text_link",
    "text_mention",
    "custom_emoji",
    "date_time",
    "unknown_kind",
)
_SERVICE: Final = frozenset({"migrate_to_chat_id", "migrate_from_chat_id", "reply_markup"})


@st.composite
def presses(draw: Draw, place: Place, numbers: Callable[[], int]) -> Made:
    """Presses of buttons of the bot, with any data."""
    query = _object(draw, CallbackQuery, MOST_DEPTH)
    message = {"message_id": numbers(), "date": draw(st.sampled_from([0, 1_790_000_000])), "chat": dict(place.chat)}
    query |= {"id": str(numbers()), "from": dict(place.user), "message": message}
    word = draw(st.sampled_from([*place.presses, "", "nothing"]))
    rest = draw(st.one_of(_NUMBER.map(str), _TEXT, st.sampled_from(["u1", "u1:2", "1:2:3", ":", "0", "-1"])))
    query["data"] = f"{word}:{rest}"[:64]
    return Made({"callback_query": query})


@st.composite
def broken(draw: Draw, made: st.SearchStrategy[Made]) -> Made:
    """Updates in which something is missing or is something else."""
    body = json.loads(json.dumps(draw(made).body))
    for _ in range(draw(st.integers(1, 3))):
        holder: Json = body
        while True:
            keys: Sequence[Any] = list(holder) if isinstance(holder, dict) else range(len(holder))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            below = holder[key]
            if isinstance(below, dict | list) and below and draw(st.integers(0, 3)):
                holder = below
                continue
            if draw(st.booleans()):
                del holder[key]
            else:
                holder[key] = draw(_ODD)
            break
    return Made(body)


def user_json(user_id: int, first_name: str) -> dict[str, Json]:
    """Return a user as Telegram does."""
    return {"id": user_id, "is_bot": False, "first_name": first_name, "language_code": "en"}
