"""Times as people write them."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm_remind.times import parse_when

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 1, 1, 12, 0, tzinfo=BERLIN)
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Apia"]

moments = st.floats(min_value=946_684_800, max_value=4_102_444_800)
zones = st.sampled_from(ZONES).map(ZoneInfo)


def read(words: str, now: datetime = NOW) -> tuple[str, str] | None:
    found = parse_when(words, now.timestamp(), now.tzinfo or UTC)
    return found and (f"{found.due:%Y-%m-%d %H:%M:%S%z}", found.text)


@pytest.mark.parametrize(
    ("words", "due", "text"),
    [
        ("20m tea", "2026-01-01 12:20:00+0100", "tea"),
        ("20 minutes tea", "2026-01-01 12:20:00+0100", "tea"),
        ("in 20 Min. tea", "2026-01-01 12:20:00+0100", "tea"),
        ("in 1h30m tea", "2026-01-01 13:30:00+0100", "tea"),
        ("1 h 30 m", "2026-01-01 13:30:00+0100", ""),
        ("90s\ntwo\nlines", "2026-01-01 12:01:30+0100", "two\nlines"),
        ("20m 5 minutes left", "2026-01-01 12:20:00+0100", "5 minutes left"),
        ("2 miles", None, ""),
        ("через 2 часа чай", "2026-01-01 14:00:00+0100", "чай"),
        ("1ч30м чай", "2026-01-01 13:30:00+0100", "чай"),
        ("1w 2d 3h rest", "2026-01-10 15:00:00+0100", "rest"),
        ("0m tea", None, ""),
        ("18:30 tea", "2026-01-01 18:30:00+0100", "tea"),
        ("at 6:30 pm tea", "2026-01-01 18:30:00+0100", "tea"),
        ("6pm tea", "2026-01-01 18:00:00+0100", "tea"),
        ("12am tea", "2026-01-02 00:00:00+0100", "tea"),
        ("13pm tea", None, ""),
        ("11:59 tea", "2026-01-02 11:59:00+0100", "tea"),
        ("12:00 tea", "2026-01-02 12:00:00+0100", "tea"),
        ("24:00 tea", None, ""),
        ("12:60 tea", None, ""),
        ("tomorrow at 9:30 tea", "2026-01-02 09:30:00+0100", "tea"),
        ("завтра в 9:30 чай", "2026-01-02 09:30:00+0100", "чай"),
        ("tomorrow buy milk", "2026-01-02 09:00:00+0100", "buy milk"),
        ("Today 18:00 tea", "2026-01-01 18:00:00+0100", "tea"),
        ("on 2026-07-01 8:00 tea", "2026-07-01 08:00:00+0200", "tea"),
        ("2026-02-30 8:00 tea", None, ""),
        ("tea in 20m", None, ""),
        ("", None, ""),
        ("in", None, ""),
    ],
)
def test_a_time_and_the_text_behind_it(words: str, due: str | None, text: str) -> None:
    assert read(words) == (due and (due, text))


def test_a_day_is_one_of_the_calendar_and_hours_pass() -> None:
    saturday = datetime(2026, 3, 28, 12, 0, tzinfo=BERLIN)
    assert read("1d", saturday) == ("2026-03-29 12:00:00+0200", "")
    assert read("24h", saturday) == ("2026-03-29 13:00:00+0200", "")


def test_a_time_that_is_skipped_is_that_much_later() -> None:
    assert read("2:30", datetime(2026, 3, 29, 1, 0, tzinfo=BERLIN)) == ("2026-03-29 03:30:00+0200", "")


def test_of_a_time_that_comes_twice_the_first_that_is_not_over_is_meant() -> None:
    first = datetime(2026, 10, 25, 2, 30, tzinfo=BERLIN)
    assert read("2:30", datetime(2026, 10, 25, 1, 0, tzinfo=BERLIN)) == ("2026-10-25 02:30:00+0200", "")
    assert read("2:30", first) == ("2026-10-25 02:30:00+0100", "")
    assert read("2:30", first.replace(fold=1)) == ("2026-10-26 02:30:00+0100", "")


@given(now=moments, zone=zones, hour=st.integers(0, 23), minute=st.integers(0, 59))
def test_a_time_of_day_is_the_next_one(now: float, zone: ZoneInfo, hour: int, minute: int) -> None:
    found = parse_when(f"{hour}:{minute:02} x", now, zone)
    assert found
    assert 0 < found.due.timestamp() - now <= 2 * 86_400
    wall = found.due.hour, found.due.minute
    # No clock of the zone shows a time that was skipped; then it is a later one of the same day.
    naive = datetime.combine(found.due.date(), datetime.min.time()).replace(hour=hour, minute=minute)
    is_skipped = naive.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != naive
    assert wall == (hour, minute) or is_skipped


@given(now=moments, zone=zones, hours=st.integers(0, 99), minutes=st.integers(1, 999))
def test_a_span_passes(now: float, zone: ZoneInfo, hours: int, minutes: int) -> None:
    found = parse_when(f"{hours}h {minutes}m x", now, zone)
    assert found
    assert found.due.timestamp() - now == pytest.approx(3600 * hours + 60 * minutes, abs=1e-3)


@given(now=moments, zone=zones, days=st.integers(1, 400))
def test_days_keep_the_time_on_the_clock(now: float, zone: ZoneInfo, days: int) -> None:
    found = parse_when(f"{days}d x", now, zone)
    assert found
    local = datetime.fromtimestamp(now, zone)
    assert abs(found.due.replace(tzinfo=None) - local.replace(tzinfo=None) - timedelta(days)) <= timedelta(days=1)
    assert found.due.timestamp() > now


@given(words=st.text(), now=moments, zone=zones)
def test_no_words_break_it(words: str, now: float, zone: ZoneInfo) -> None:
    found = parse_when(words, now, zone)
    assert found is None or words.endswith(found.text) or words.strip().endswith(found.text)


@pytest.mark.parametrize("words", ["999999999w x", "99999d x", "9999-12-31 23:59 x"])
def test_a_time_beyond_the_calendar_is_an_overflow(words: str) -> None:
    try:
        found = parse_when(words, NOW.timestamp(), ZoneInfo("America/New_York"))
    except OverflowError:
        return
    assert found
    assert found.due.year > 2200
