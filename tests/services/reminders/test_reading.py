"""What people write behind /remind."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.services.reminders.reading import read_reminder
from tgllm.services.reminders.rules import EVERY_DAY, WEEKDAYS, WEEKEND, days_in, next_time

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 11, 25, 12, 0, tzinfo=BERLIN)
"""A Wednesday."""


@pytest.mark.parametrize(
    ("words", "due", "text"),
    [
        ("in 20 minutes tea", "11-25 12:20", "tea"),
        ("20m tea", "11-25 12:20", "tea"),
        ("1h 30m: call Bob", "11-25 13:30", "call Bob"),
        ("in an hour to call Bob", "11-25 13:00", "call Bob"),
        ("in 1 hour and 5 minutes tea", "11-25 13:05", "tea"),
        ("20m 5 minutes left", "11-25 12:20", "5 minutes left"),
        ("2 days pay", "11-27 12:00", "pay"),
        ("in a week pay", "12-02 12:00", "pay"),
        ("tomorrow at 9 call", "11-26 09:00", "call"),
        ("tomorrow 9:30 call", "11-26 09:30", "call"),
        ("tomorrow call", "11-26 09:00", "call"),
        ("today at 6pm call", "11-25 18:00", "call"),
        ("at 9 call", "11-26 09:00", "call"),
        ("18:30 call", "11-25 18:30", "call"),
        ("6:30 pm call", "11-25 18:30", "call"),
        ("12am sleep", "11-26 00:00", "sleep"),
        ("on Monday at 9 call", "11-30 09:00", "call"),
        ("wednesday 10:00 call", "12-02 10:00", "call"),
        ("2026-12-24 18:00 presents", "12-24 18:00", "presents"),
        ("2026-12-24 presents", "12-24 09:00", "presents"),
        ("через 20 минут чай", "11-25 12:20", "чай"),
        ("через час чай", "11-25 13:00", "чай"),
        ("через неделю заплатить", "12-02 12:00", "заплатить"),
        ("через 1 час и 5 минут чай", "11-25 13:05", "чай"),
        ("завтра в 9 позвонить", "11-26 09:00", "позвонить"),
        ("послезавтра позвонить", "11-27 09:00", "позвонить"),
        ("в 9 утра позвонить", "11-26 09:00", "позвонить"),
        ("в 7 вечера позвонить", "11-25 19:00", "позвонить"),
        ("в понедельник в 9 позвонить", "11-30 09:00", "позвонить"),
        ("во вторник позвонить", "12-01 09:00", "позвонить"),
        ("10m", "11-25 12:10", ""),
        ("in 2 days at 9 call", "11-27 09:00", "call"),
        ("in a week, 18:30 call", "12-02 18:30", "call"),
        ("через 2 дня в 9 позвонить", "11-27 09:00", "позвонить"),
        ("tomorrow at 7. Call Bob", "11-26 07:00", "Call Bob"),
        ("tomorrow at 7 o'clock call", "11-26 07:00", "call"),
        ("at 7 in the evening call", "11-25 19:00", "call"),
        ("завтра в 7 часов вечера позвонить", "11-26 19:00", "позвонить"),
        ("завтра в 9 ч позвонить", "11-26 09:00", "позвонить"),
        ("tomorrow at 22:00 night shift", "11-26 22:00", "night shift"),
        ("tomorrow at 9 at 10 Downing Street", "11-26 09:00", "at 10 Downing Street"),
        ("tomorrow at 9 20 min walk", "11-26 09:00", "20 min walk"),
        ("in 20 minutes at 5 we meet", "11-25 12:20", "at 5 we meet"),
    ],
)
def test_once(words: str, due: str, text: str) -> None:
    wanted = read_reminder(words, NOW.timestamp(), BERLIN)

    assert wanted is not None
    assert (wanted.due.strftime("%m-%d %H:%M"), wanted.text, wanted.days, wanted.minute, wanted.is_prompt) == (
        due,
        text,
        0,
        None,
        False,
    )


@pytest.mark.parametrize(
    ("words", "days", "minute", "due", "text"),
    [
        ("every day at 8:30 tea", EVERY_DAY, 510, "11-26 08:30", "tea"),
        ("daily at 13 tea", EVERY_DAY, 780, "11-25 13:00", "tea"),
        ("every Monday at 9 tea", 1, 540, "11-30 09:00", "tea"),
        ("every monday, wednesday and friday at 9 tea", 0b10101, 540, "11-27 09:00", "tea"),
        ("mondays at 9 tea", 1, 540, "11-30 09:00", "tea"),
        ("on weekdays 7:15 tea", WEEKDAYS, 435, "11-26 07:15", "tea"),
        ("every weekday tea", WEEKDAYS, 540, "11-26 09:00", "tea"),
        ("every weekend at 10am tea", WEEKEND, 600, "11-28 10:00", "tea"),
        ("каждый день в 8:30 чай", EVERY_DAY, 510, "11-26 08:30", "чай"),
        ("ежедневно в 9 чай", EVERY_DAY, 540, "11-26 09:00", "чай"),
        ("каждый понедельник в 9 чай", 1, 540, "11-30 09:00", "чай"),
        ("каждую среду и пятницу в 9 чай", 0b10100, 540, "11-27 09:00", "чай"),
        ("по понедельникам в 9 чай", 1, 540, "11-30 09:00", "чай"),
        ("по будням в 9 чай", WEEKDAYS, 540, "11-26 09:00", "чай"),
        ("каждый будний день в 9 чай", WEEKDAYS, 540, "11-26 09:00", "чай"),
        ("по выходным чай", WEEKEND, 540, "11-28 09:00", "чай"),
    ],
)
def test_a_rule(words: str, days: int, minute: int, due: str, text: str) -> None:
    wanted = read_reminder(words, NOW.timestamp(), BERLIN)

    assert wanted is not None
    assert (wanted.days, wanted.minute, wanted.due.strftime("%m-%d %H:%M"), wanted.text) == (days, minute, due, text)


@pytest.mark.parametrize(
    ("words", "text"),
    [
        ("every Monday at 9 ask: what is new?", "what is new?"),
        ("every Monday at 9 ask what is new?", "what is new?"),
        ("in 20 minutes ask: joke", "joke"),
        ("каждый понедельник в 9 спроси: что нового?", "что нового?"),
        ("tomorrow at 9: ask, a joke", "a joke"),
    ],
)
def test_a_prompt(words: str, text: str) -> None:
    wanted = read_reminder(words, NOW.timestamp(), BERLIN)

    assert wanted is not None
    assert (wanted.text, wanted.is_prompt) == (text, True)


@pytest.mark.parametrize(
    "words",
    [
        "",
        "tea",
        "asking for tea",
        "25:00 tea",
        "at 9:75 tea",
        "13pm tea",
        "2026-13-40 tea",
        "0m tea",
        "9 tea",
        "every tea",
        "tomorrow at 25:00 tea",
        "tomorrow evening at 8 tea",
        "tomorrow at noon tea",
        "tomorrow 15:00-16:00 tea",
        "every Monday at 9-10 tea",
        "every day except Sunday at 9 tea",
        "завтра вечером чай",
        "в 11 ночи чай",
        "5.12 в 9 чай",
    ],
)
def test_what_is_no_time(words: str) -> None:
    assert read_reminder(words, NOW.timestamp(), BERLIN) is None


def test_on_the_days_on_which_clocks_change() -> None:
    # The night to 2026-03-29 has no 2:30, that to 2026-10-25 has two.
    spring = next_time(EVERY_DAY, time(2, 30), datetime(2026, 3, 28, 12, tzinfo=BERLIN))
    after = next_time(EVERY_DAY, time(2, 30), spring)
    autumn = next_time(EVERY_DAY, time(2, 30), datetime(2026, 10, 24, 12, tzinfo=BERLIN))
    later = next_time(EVERY_DAY, time(2, 30), autumn)

    assert [each.isoformat() for each in (spring, after, autumn, later)] == [
        "2026-03-29T03:30:00+02:00",
        "2026-03-30T02:30:00+02:00",
        "2026-10-25T02:30:00+02:00",
        "2026-10-26T02:30:00+01:00",
    ]


@given(
    st.integers(1, EVERY_DAY),
    st.times().map(lambda each: each.replace(second=0, microsecond=0)),
    st.integers(1_735_700_000, 1_830_000_000),
    st.sampled_from(["Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "UTC"]),
)
def test_a_rule_comes_once_on_each_of_its_days(bits: int, moment: time, begin: int, zone: str) -> None:
    at = datetime.fromtimestamp(begin, ZoneInfo(zone))
    days = []
    for _ in range(10):
        following = next_time(bits, moment, at)
        assert following.timestamp() > at.timestamp()
        days.append(following.date())
        at = following

    assert {day.weekday() for day in days} <= set(days_in(bits))
    assert len(set(days)) == 10
    assert (days[-1] - days[0]).days <= 7 * 10 // bits.bit_count() + 7


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(words: str) -> None:
    wanted = read_reminder(words, NOW.timestamp(), BERLIN)

    assert wanted is None or wanted.due.tzinfo is not None
