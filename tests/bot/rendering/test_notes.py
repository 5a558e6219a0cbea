"""Words of the bot's own after an answer."""

from tgllm.bot.rendering.notes import with_note
from tgllm.bot.rendering.payloads import EntityText, RichMessage
from tgllm.bot.rendering.render import render


def test_a_note_stands_outside_of_code_that_was_cut_off() -> None:
    (message,) = with_note(render("```py\nx = 1"), "Stopped. *")
    assert isinstance(message, EntityText)
    assert message.text == "x = 1\n\nStopped. *"
    assert [(entity.offset, entity.length) for entity in message.entities] == [(0, 5)]


def test_a_note_that_does_not_fit_is_a_message_of_its_own() -> None:
    messages = with_note(render("x" * 4090), "Stopped.")
    assert messages == [EntityText("x" * 4090), EntityText("Stopped.")]


def test_a_rich_message_has_the_note_in_both_forms() -> None:
    (message,) = with_note(render("| a |\n|-|\n| b |"), "Stopped.")
    assert isinstance(message, RichMessage)
    assert message.blocks[-1] == {"type": "paragraph", "text": "Stopped."}
    assert message.fallback[-1].text.endswith("\n\nStopped.")


def test_without_a_note_or_an_answer_there_is_only_the_other() -> None:
    assert with_note([], "Stopped.") == [EntityText("Stopped.")]
    assert with_note([EntityText("x")], "") == [EntityText("x")]
