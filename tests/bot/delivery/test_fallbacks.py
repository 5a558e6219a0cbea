"""What is sent instead of a message whose formatting is refused."""

from tgllm.bot.delivery.fallbacks import following, formatted, method_of, stepped_down
from tgllm.bot.delivery.rows import EDIT_OF_PART
from tgllm.bot.rendering.payloads import Entity, EntityText, RichMessage

BOLD = EntityText("bold", (Entity("bold", 0, 4),))
RICH = RichMessage([{"type": "paragraph", "text": "x"}], (BOLD, EntityText("two"), EntityText("three")))
PLACE = {"chat_id": 7, "message_thread_id": 3}


def test_a_rich_message_steps_down_to_texts_that_follow_each_other() -> None:
    row = {**PLACE, **formatted(RICH), "reply_parameters": {"message_id": 1}, "reply_markup": {"inline_keyboard": []}}
    assert method_of(row) == "sendRichMessage"
    first = stepped_down(row)
    assert first is not None
    assert method_of(first) == "sendMessage"
    assert (first["text"], first["entities"][0]["type"]) == ("bold", "bold")
    assert first["reply_parameters"] == {"message_id": 1}
    assert first["link_preview_options"] == {"is_disabled": True}
    assert "reply_markup" not in first
    second = following(first)
    assert second is not None
    assert second["text"] == "two"
    assert "reply_markup" not in second
    assert "reply_parameters" not in second
    third = following(second)
    assert third == {
        **PLACE,
        "text": "three",
        "link_preview_options": {"is_disabled": True},
        "reply_markup": {"inline_keyboard": []},
    }
    assert following(third) is None


def test_a_text_steps_down_to_the_same_text_without_entities_and_keeps_what_follows() -> None:
    first = stepped_down({**PLACE, **formatted(RICH)})
    assert first is not None
    bare = stepped_down(first)
    assert bare is not None
    assert bare["text"] == "bold"
    assert "entities" not in bare
    assert following(bare) == following(first)
    assert stepped_down(bare) is None


def test_an_edit_steps_down_to_an_edit_and_what_follows_is_new() -> None:
    first = stepped_down({**PLACE, **formatted(RICH), EDIT_OF_PART: 0})
    assert first is not None
    assert first[EDIT_OF_PART] == 0
    assert EDIT_OF_PART not in (following(first) or {})


def test_plain_text_has_no_step_down() -> None:
    assert stepped_down({**PLACE, **formatted(EntityText("plain"))}) is None
    assert following({**PLACE, **formatted(EntityText("plain"))}) is None


def test_a_rich_row_without_its_fallback_has_no_step_down() -> None:
    assert stepped_down({**PLACE, **RICH.as_parameters()}) is None
