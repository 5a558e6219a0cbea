"""Lengths of time are said in the words that people use."""

import re

import pytest

from tgllm.api import RateLimited, Unavailable
from tgllm.i18n import Catalogue, error_text
from tgllm.i18n.catalogue import languages, texts_of
from tgllm.i18n.durations import duration, from_now, short_duration

TEXTS = Catalogue(strict=True)
HOUR, DAY = 3600, 86_400


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (0, "1 second", "1 секунду"),
        (0.2, "1 second", "1 секунду"),
        (45, "45 seconds", "45 секунд"),
        (60, "60 seconds", "60 секунд"),
        (121, "3 minutes", "3 минуты"),
        (300, "5 minutes", "5 минут"),
        (21 * 60, "21 minutes", "21 минуту"),
        (3 * HOUR, "3 hours", "3 часа"),
        (DAY, "24 hours", "24 часа"),
        (2 * DAY, "2 days", "2 дня"),
        (21 * DAY, "21 days", "21 день"),
        (float("inf"), "36500 days", "36500 дней"),
    ],
)
def test_a_length(seconds: float, english: str, russian: str) -> None:
    assert [duration(TEXTS, seconds, language) for language in ("en", "ru")] == [english, russian]


@pytest.mark.parametrize(
    ("seconds", "english", "russian"),
    [
        (0.2, "in 1 second", "через 1 секунду"),
        (30, "in 30 seconds", "через 30 секунд"),
        (300, "in 5 minutes", "через 5 минут"),
        (3 * HOUR + 300, "in about 3 hours", "примерно через 3 часа"),
        (DAY, "tomorrow", "завтра"),
        (DAY + 1, "tomorrow", "завтра"),
        (40 * HOUR, "in about 40 hours", "примерно через 40 часов"),
        (5 * DAY, "in about 5 days", "примерно через 5 дней"),
        (100 * DAY, "in more than a month", "больше чем через месяц"),
        (float("inf"), "in more than a month", "больше чем через месяц"),
        (1e308, "in more than a month", "больше чем через месяц"),
    ],
)
def test_when_a_wait_is_over(seconds: float, english: str, russian: str) -> None:
    assert [from_now(TEXTS, seconds, language) for language in ("en", "ru")] == [english, russian]


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.44, "0 s"), (12.9, "12 s"), (119, "119 s"), (125, "2 min"), (HOUR, "60 min"), (DAY, "24 h")],
)
def test_a_short_form(seconds: float, words: str) -> None:
    assert short_duration(TEXTS, seconds, "en") == words


def test_a_short_form_with_decimals() -> None:
    assert short_duration(TEXTS, 1.26, "ru", digits=1) == "1.3 с"


@pytest.mark.parametrize(("wait", "words"), [(None, "in a moment"), (5, "in a moment"), (86_400, "tomorrow")])
def test_a_service_that_is_down_for_long_says_so(wait: float | None, words: str) -> None:
    assert f"Try again {words}" in error_text(TEXTS, Unavailable(retry_after=wait), "en")


@pytest.mark.parametrize("language", sorted(languages()))
@pytest.mark.parametrize("wait", [1, 90, 119, 120, 7200, 84_600, 86_400, 86_401, 172_800, 1e6, 1e300, float("inf")])
def test_no_error_says_thousands_of_seconds(language: str, wait: float) -> None:
    errors = RateLimited(retry_after=wait), Unavailable(retry_after=wait), Unavailable(code="idle", seconds=wait)
    for error in errors:
        said = error_text(TEXTS, error, language)
        assert not re.search(r"\b\d{3,}\b", said.replace("119", "").replace("36500", "")), said


@pytest.mark.parametrize("language", sorted(languages()))
def test_no_text_names_a_unit_beside_a_parameter(language: str) -> None:
    """A number of seconds that varies is given as words: see ``durations``."""
    found = {
        key
        for key, text in texts_of(language).items()
        for form in ([text] if isinstance(text, str) else text.values())
        if not key.startswith("duration.") and re.search(r"\{seconds|\{count\} (second|hour|секунд|час[ао. ])", form)
    }
    assert found == set()
