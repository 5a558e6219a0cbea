"""The quote of a voice message above an answer is no part of the answer that a reply quotes."""

import pytest

from tgllm.bot.turns.shown_thoughts import without_transcript
from tgllm.bot.updates.formats.written import written_in

QUOTE = {"type": "blockquote", "offset": 0, "length": 12}


@pytest.mark.parametrize(
    ("text", "entities", "left"),
    [
        ("🎤 Buy milk.\n\nDone.", [QUOTE], "Done."),
        ("🎤 Buy milk.\n\nDone.", [{**QUOTE, "type": "expandable_blockquote"}], "Done."),
        ("🎤 Buy milk.", [QUOTE], "🎤 Buy milk."),
        ("🎤 Buy milk.\n\nDone.", [], "🎤 Buy milk.\n\nDone."),
        ("Buy milk...\n\nDone.", [QUOTE], "Buy milk...\n\nDone."),
    ],
)
def test_only_the_quote_is_left_out(text: str, entities: list[dict[str, object]], left: str) -> None:
    assert without_transcript(written_in({"text": text, "entities": entities})).text == left
