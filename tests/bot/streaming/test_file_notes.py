"""Notes below an answer on what was read of its files."""

import pytest

from tgllm.api import ModelRef
from tgllm.bot.streaming.file_notes import notes_on_files
from tgllm.i18n import Catalogue
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.files.gathering.materials import FileNote


@pytest.mark.parametrize(
    ("mime", "pages", "english", "russian"),
    [
        ("application/pdf", 2, "2 pages", "2 страницы"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 1, "1 sheet", "1 лист"),
        ("application/vnd.ms-excel", 5, "5 sheets", "5 листов"),
        ("application/vnd.oasis.opendocument.spreadsheet", 2, "2 sheets", "2 листа"),
        ("application/vnd.openxmlformats-officedocument.presentationml.presentation", 5, "5 slides", "5 слайдов"),
        ("application/vnd.oasis.opendocument.presentation", 1, "1 slide", "1 слайд"),
    ],
)
def test_pages_have_the_name_of_their_kind(mime: str, pages: int, english: str, russian: str) -> None:
    texts = Catalogue(strict=True)
    outcome = TurnOutcome("ok", ModelRef("a", "b"), "Yes.", read=(FileNote("a", 9, pages, mime=mime),))
    assert notes_on_files(outcome, texts, "en") == [f"a: read 9 characters on {english}."]
    assert notes_on_files(outcome, texts, "ru") == [f"a: прочитано, всего {russian} (9 знаков)."]
