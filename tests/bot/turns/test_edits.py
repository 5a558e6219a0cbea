"""Edits of a question whose turn runs."""

import json
from typing import Any

import pytest

from tgllm.bot.turns.edits import stop_superseded
from tgllm.db.tables.inbox import NewUpdate
from tgllm.services.turns.running import RunningTurns
from tgllm.testing.turns import turn_of

LANE = ":5:"


def edit(text: str | None, message_id: int = 1, kind: str = "private", **fields: object) -> NewUpdate:
    message: dict[str, Any] = {"message_id": message_id, "chat": {"id": 5, "type": kind}, "text": text, **fields}
    if text is None:
        del message["text"]
    payload = json.dumps({"update_id": 2, "edited_message": message})
    return NewUpdate(update_id=2, lane=LANE, kind="edited_message", control=False, payload=payload)


@pytest.mark.parametrize(
    ("change", "ids", "cause"),
    [
        (edit("new"), (1,), "person"),
        (edit(None, rich_message={"blocks": [{"type": "paragraph", "text": "new"}]}), (1,), "person"),
        (edit(None, rich_message={"blocks": [{"type": "paragraph", "text": "old"}]}), (1,), None),
        (edit("old"), (1,), None),
        (edit("/clear"), (1,), None),
        (edit("new", message_id=2), (1,), None),
        # One that the client has split is not asked again for a part of it.
        (edit("new"), (1, 2), None),
        (edit("@demo_bot old", kind="group"), (1,), None),
    ],
)
def test_a_turn_whose_question_says_something_else_by_now_is_stopped(
    change: NewUpdate, ids: tuple[int, ...], cause: str | None
) -> None:
    running = RunningTurns()
    with (
        running.track(turn_of("u1", LANE, 7, "old", ids)) as turn,
        running.track(turn_of("u2", ":6:", 7, "old", (1,))) as other,
    ):
        stop_superseded([change], {}, running, 42, "demo_bot")
        assert (turn.cause, other.cause) == (cause, None)


def test_a_turn_that_has_been_claimed_is_outdated_before_it_begins() -> None:
    running, change = RunningTurns(), edit("new")
    stop_superseded([change], {change.update_id: "u1"}, running, 42, "demo_bot")
    assert not running.take_outdated(":6:", "u1")
    assert not running.take_outdated(LANE, "u9")
    assert running.take_outdated(LANE, "u1")
    assert not running.take_outdated(LANE, "u1")


def test_a_turn_that_has_begun_meanwhile_is_stopped() -> None:
    running, change = RunningTurns(), edit("new")
    with running.track(turn_of("u1", LANE, 7, "old", (1,))) as turn:
        stop_superseded([change], {change.update_id: "u1"}, running, 42, "demo_bot")
        assert turn.cause == "person"
    assert not running.take_outdated(LANE, "u1")
