"""Days and months of the bot's time zone."""

from datetime import UTC, datetime, tzinfo
from zoneinfo import ZoneInfo

import pytest

from tgllm.services.common.calendar import Days

BERLIN = ZoneInfo("Europe/Berlin")
NOON = 1_762_862_400_000  # 2025-11-11 12:00 UTC
LAST_OF_YEAR = 1_767_225_599_999  # 2025-12-31 23:59:59.999 UTC
DAY_BEFORE_SUMMER = 1_774_735_200_000  # 2026-03-28 22:00 UTC, 23:00 in Berlin; the clocks go forward that night
LEAP_DAY = 1_709_208_000_000  # 2024-02-29 12:00 UTC


@pytest.mark.parametrize(
    ("zone", "now", "day", "month"),
    [
        (UTC, NOON, "2025-11-11", "2025-11-01"),
        (UTC, LAST_OF_YEAR, "2025-12-31", "2025-12-01"),
        (UTC, LAST_OF_YEAR + 1, "2026-01-01", "2026-01-01"),
        (BERLIN, LAST_OF_YEAR, "2026-01-01", "2026-01-01"),
        (ZoneInfo("America/New_York"), LAST_OF_YEAR + 1, "2025-12-31", "2025-12-01"),
    ],
)
def test_days_and_months_are_those_of_the_zone(zone: tzinfo, now: int, day: str, month: str) -> None:
    assert (Days(zone).day(now), Days(zone).month(now)) == (day, month)


@pytest.mark.parametrize(
    ("zone", "now", "day_end", "month_end"),
    [
        (UTC, NOON, "2025-11-12T00:00:00+00:00", "2025-12-01T00:00:00+00:00"),
        (UTC, LAST_OF_YEAR, "2026-01-01T00:00:00+00:00", "2026-01-01T00:00:00+00:00"),
        (UTC, LEAP_DAY, "2024-03-01T00:00:00+00:00", "2024-03-01T00:00:00+00:00"),
        (BERLIN, LAST_OF_YEAR, "2026-01-02T00:00:00+01:00", "2026-02-01T00:00:00+01:00"),
        (BERLIN, DAY_BEFORE_SUMMER, "2026-03-29T00:00:00+01:00", "2026-04-01T00:00:00+02:00"),
        (BERLIN, DAY_BEFORE_SUMMER + 7_200_000, "2026-03-30T00:00:00+02:00", "2026-04-01T00:00:00+02:00"),
    ],
)
def test_they_end_at_midnight_of_the_zone(zone: tzinfo, now: int, day_end: str, month_end: str) -> None:
    days = Days(zone)
    assert (days.day_end(now).isoformat(), days.month_end(now).isoformat()) == (day_end, month_end)


def test_a_day_begins_at_midnight_also_where_the_clock_was_set_meanwhile() -> None:
    days = Days(BERLIN)
    now = int(datetime(2026, 3, 30, 1, 30, tzinfo=UTC).timestamp() * 1000)
    assert [days.begin(now, back).isoformat() for back in (0, 1, 2)] == [
        "2026-03-30T00:00:00+02:00",
        "2026-03-29T00:00:00+01:00",
        "2026-03-28T00:00:00+01:00",
    ]
