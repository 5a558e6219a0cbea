"""aiogram with late modules and models does what aiogram does. Each way is tried in a process of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st
from tests.support.fuzzing.updates import Made, broken, typed_updates

from tgllm.bot.telegram.late_modules import Listed, listed_in

pytestmark = pytest.mark.timeout(300)

PROBE = """
import json
import sys

import tgllm.bot

import aiogram
import aiogram.dispatcher.dispatcher

modules = len([name for name in sys.modules if name.startswith("aiogram")])
from aiogram import Bot, methods, types
from aiogram.client.default import DefaultBotProperties
from aiogram.methods import Response, SendMessage
from aiogram.types import Message, Update
from pydantic import BaseModel, ValidationError

deferred = not types.Giveaway.__pydantic_complete__
chat = {"id": -100, "type": "supergroup", "title": "Team"}
person = {"id": 7, "is_bot": False, "first_name": "Ann"}
message = {
    "message_id": 2, "date": 0, "chat": chat, "from": person, "text": "hi @demo_bot",
    "entities": [{"type": "mention", "offset": 3, "length": 9}],
    "reply_to_message": {"message_id": 1, "date": 0, "chat": chat, "photo": [
        {"file_id": "a", "file_unique_id": "b", "width": 1, "height": 1}]},
    "reply_markup": {"inline_keyboard": [[{"text": "Stop", "callback_data": "stop"}]]},
}
bot = Bot("42:TEST", default=DefaultBotProperties(parse_mode="HTML"))
press = {"id": "1", "from": person, "chat_instance": "x", "data": "stop", "message": message}
updates = [
    Update.model_validate({"update_id": 5, "message": message}, context={"bot": bot}),
    Update.model_validate({"update_id": 6, "callback_query": press}, context={"bot": bot}),
]
call = SendMessage(chat_id=7, text="x", reply_markup=message["reply_markup"], reply_parameters={"message_id": 1})
answer = Response[Message].model_validate({"ok": True, "result": message}, context={"bot": bot})


def refused(make):
    try:
        make()
    except ValidationError as error:
        return [[list(map(str, part["loc"])), part["type"]] for part in error.errors()]


made = {"update": [], "dump": [], "refused": []}
for raw in json.load(sys.stdin):
    try:
        update = Update.model_validate({"update_id": 5, **raw}, context={"bot": bot})
        made["update"].append(repr(update))
        made["dump"].append(repr(update.model_dump()))
    except ValidationError as error:
        wrong = error.errors(include_url=False, include_context=False)
        made["refused"].append([repr([part["loc"], part["type"], part["msg"], part["input"]]) for part in wrong])

models = {}
for module in (types, methods):
    for name in sorted(module.__all__):
        model = getattr(module, name)
        if isinstance(model, type) and issubclass(model, BaseModel):
            model.model_rebuild()
            assert model.__pydantic_complete__, name
            models[name] = sorted(model.model_fields)

print(json.dumps({
    "deferred": deferred,
    "modules": modules,
    "made": made,
    "updates": [repr(update) for update in updates],
    "event": [type(update.event).__name__ for update in updates],
    "bound": updates[0].message.bot is bot and updates[0].message.reply_to_message.bot is bot,
    "markup": type(updates[0].message.reply_markup.inline_keyboard[0][0]).__name__,
    "call": repr(call),
    "call_types": [type(part).__name__ for part in (call.reply_markup, call.reply_parameters, call.parse_mode)],
    "answer": [answer.ok, type(answer.result).__name__, answer.result.from_user.first_name],
    "refused": [refused(lambda: SendMessage(chat_id=7)), refused(lambda: Update(update_id="x")),
        refused(lambda: Message.model_validate({"message_id": 1}))],
    "models": models,
}))
"""
ORDINARY = "import aiogram, aiogram.methods\n"
ODD_PACKAGES = """
import ast
parse = ast.parse
ast.parse = lambda source, *args: parse(source + chr(10) + "globals()" if "__all__" in source else source, *args)
"""
"""Each ``__init__`` module of aiogram seems to do more than to list names."""
SAME = ["updates", "event", "bound", "markup", "call", "call_types", "answer", "refused", "models", "made"]
MOST_MODULES = 90
"""Modules of aiogram at its start, of 736; not counted are those that parts of the bot import."""


def made_updates() -> list[Any]:
    found: list[Any] = []

    @seed(1)
    @settings(max_examples=150, database=None, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(st.one_of(typed_updates(), typed_updates(), broken(typed_updates())))
    def make(made: Made) -> None:
        found.append(made.body)

    make()
    return found


def probe(updates: str, prelude: str = "") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", prelude + PROBE],
        input=updates,
        capture_output=True,
        text=True,
        check=False,
        timeout=140,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def ways() -> dict[str, dict[str, Any]]:
    updates = json.dumps(made_updates())
    preludes = {"late": "", "odd packages": ODD_PACKAGES, "ordinary": ORDINARY}
    return {way: probe(updates, prelude) for way, prelude in preludes.items()}


def test_each_way_was_gone(ways: dict[str, dict[str, Any]]) -> None:
    assert {way: found["deferred"] for way, found in ways.items()} == {
        "late": True,
        "odd packages": True,
        "ordinary": False,
    }


def test_late_packages_import_few_modules(ways: dict[str, dict[str, Any]]) -> None:
    assert ways["late"]["modules"] <= MOST_MODULES
    assert ways["odd packages"]["modules"] == ways["ordinary"]["modules"] > 8 * MOST_MODULES


@pytest.mark.parametrize("way", ["late", "odd packages"])
@pytest.mark.parametrize("what", SAME)
def test_nothing_tells_them_apart(ways: dict[str, dict[str, Any]], way: str, what: str) -> None:
    assert ways[way][what] == ways["ordinary"][what]


def test_the_probe_looked_at_something(ways: dict[str, dict[str, Any]]) -> None:
    ordinary = ways["ordinary"]
    assert len(ordinary["models"]) > 400
    assert ordinary["event"] == ["Message", "CallbackQuery"]
    assert ordinary["bound"]
    assert ordinary["call_types"] == ["InlineKeyboardMarkup", "ReplyParameters", "Default"]
    assert ordinary["answer"] == [True, "Message", "Ann"]
    assert all(ordinary["refused"])
    assert len(ordinary["made"]["dump"]) > 50
    assert len(ordinary["made"]["refused"]) > 5
    assert len(set(ordinary["made"]["update"])) > 40


def test_a_package_that_lists_names() -> None:
    source = """
'''Types.'''
from typing import Literal
from ..client import Default as _Default
from .a import A, B as C
D = C
__all__ = ("A", "C", "D")
_names = {}
for name in __all__:
    globals()[name].model_rebuild()
del name
"""
    assert listed_in(source) == Listed(("A", "C", "D"), {"A": ("a", "A"), "C": ("a", "B"), "D": ("a", "B")})


@pytest.mark.parametrize(
    "source",
    [
        "",
        "from .a import A",
        "from .a import A\n__all__ = ('A', 'B')",
        "from .a import *\n__all__ = ('A',)",
        "from . import a\n__all__ = ('a',)",
        "from .a import a\n__all__ = ('a',)",
        "from .a import A\n__all__ = ('A',)\nA.x = 1",
        "from .a import A\n__all__ = ('A',)\nregister(A)",
        "from .a import A\n__all__ = ('A',)\ndef f(): ...",
        "import re\nfrom .a import A\n__all__ = ('A',)",
        "from other import B\nfrom .a import A\n__all__ = ('A',)",
        "try:\n    from .a import A\nexcept ImportError:\n    pass\n__all__ = ('A',)",
        "from .a import A\n__all__ = ('A',)\nfor name in __all__:\n    pass",
    ],
)
def test_a_package_that_does_more_is_imported_the_ordinary_way(source: str) -> None:
    assert listed_in(source) is None
