"""The settings of a chat: read leniently, kept as a whole."""

from typing import Any

import pytest

from tgllm.db.database import Database
from tgllm.db.tables import conversations
from tgllm.services.chats.settings import ChatSettings, change_settings, settings_of
from tgllm.testing.clock import ManualClock

SET = ChatSettings("Be brief.", "pirate", 0.5, "low", "folded")


def test_what_is_written_is_read() -> None:
    assert ChatSettings.parse(SET.to_json()) == SET
    assert ChatSettings.parse({}) == ChatSettings()
    assert ChatSettings().to_json() == {}


def test_what_is_not_known_is_kept() -> None:
    assert ChatSettings.parse({"colour": "red", "temperature": 1}).to_json() == {"colour": "red", "temperature": 1.0}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"),
        ("temperature", True),
        ("temperature", 2.1),
        ("temperature", -0.1),
        ("temperature", float("nan")),
        ("reasoning_effort", "huge"),
        ("reasoning_effort", ["low"]),
        ("reasoning_display", "loud"),
        ("context", 100),
        ("context", "min"),
        ("context", True),
        ("summary", True),
        ("system", " "),
        ("system", 1),
        ("persona", None),
    ],
)
def test_a_value_without_sense_counts_as_unset(name: str, value: Any) -> None:
    assert ChatSettings.parse({name: value}) == ChatSettings()


async def test_a_new_conversation_keeps_them_and_another_lane_has_none(database: Database, clock: ManualClock) -> None:
    await database.write(change_settings(clock, ":7:", lambda _before: SET))
    await database.write(lambda conn: conversations.start_new(conn, ":7:", 1))
    here, there = await database.read(
        lambda conn: [settings_of(conversations.active_in(conn, lane)) for lane in (":7:", ":7:5")]
    )
    assert (here, there) == (SET, ChatSettings())


def test_sizes_of_the_context_are_numbers_or_all_there_is() -> None:
    for size in (256, 32_000, "max"):
        assert ChatSettings.parse({"context": size}).to_json() == {"context": size}
    assert ChatSettings.parse({"summary": "on"}) == ChatSettings(summary="on")
