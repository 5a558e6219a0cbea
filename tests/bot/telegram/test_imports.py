"""aiogram with deferred models does what aiogram does. Each way is tried in a process of its own."""

import json
import subprocess
import sys
from typing import Any

import pytest

pytestmark = pytest.mark.timeout(300)

PROBE = """
import json

import tgllm.bot

import aiogram
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


def probe(prelude: str = "") -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", prelude + PROBE], capture_output=True, text=True, check=False, timeout=140
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(scope="module")
def both() -> tuple[dict[str, Any], dict[str, Any]]:
    return probe(), probe(ORDINARY)


def test_both_ways_were_gone(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    deferred, ordinary = both
    assert (deferred["deferred"], ordinary["deferred"]) == (True, False)


@pytest.mark.parametrize(
    "what", ["updates", "event", "bound", "markup", "call", "call_types", "answer", "refused", "models"]
)
def test_nothing_tells_them_apart(both: tuple[dict[str, Any], dict[str, Any]], what: str) -> None:
    deferred, ordinary = both
    assert deferred[what] == ordinary[what]


def test_the_probe_looked_at_something(both: tuple[dict[str, Any], dict[str, Any]]) -> None:
    _, ordinary = both
    assert len(ordinary["models"]) > 400
    assert ordinary["event"] == ["Message", "CallbackQuery"]
    assert ordinary["bound"]
    assert ordinary["call_types"] == ["InlineKeyboardMarkup", "ReplyParameters", "Default"]
    assert ordinary["answer"] == [True, "Message", "Ann"]
    assert all(ordinary["refused"])
