"""What the person is told of the files of a question."""

import pytest

from tgllm.api import ModelRef
from tgllm.bot.streaming.file_notes import notes_on_files
from tgllm.i18n import Catalogue
from tgllm.services.conversations.turn import TurnOutcome
from tgllm.services.files.gathering.materials import FileNote, parts_unit


@pytest.mark.parametrize(
    ("mime", "count", "english", "russian"),
    [
        ("application/pdf", 1, "on 1 page", "1 страница"),
        ("application/pdf", 3, "on 3 pages", "3 страницы"),
        ("application/vnd.openxmlformats-officedocument.presentationml.presentation", 5, "on 5 slides", "5 слайдов"),
        ("application/vnd.ms-powerpoint", 1, "on 1 slide", "1 слайд"),
        ("application/vnd.oasis.opendocument.presentation", 2, "on 2 slides", "2 слайда"),
        ("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", 2, "on 2 sheets", "2 листа"),
        ("application/vnd.ms-excel", 1, "on 1 sheet", "1 лист"),
        ("application/vnd.oasis.opendocument.spreadsheet", 11, "on 11 sheets", "11 листов"),
        ("application/gpx+xml", 1, "in 1 part", "1 часть"),
        ("text/xml", 25, "in 25 parts", "25 частей"),
    ],
)
def test_parts_have_their_names(mime: str, count: int, english: str, russian: str) -> None:
    note = FileNote("a", chars=54, pages=count, parts=parts_unit(mime))
    outcome = TurnOutcome("ok", ModelRef("echo", "echo"), "Answer", read=(note,))

    told = [notes_on_files(outcome, Catalogue(), language) for language in ("en", "ru")]

    assert told == [[f"a: read 54 characters {english}."], [f"a: прочитано, всего {russian} (54 знака)."]]
