"""Calendars."""

import contextlib
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given
from hypothesis import strategies as st

from handler_support import read
from tgllm.api.errors import FileUnreadable
from tgllm.plugins.builtin.files.texts import events
from tgllm.plugins.builtin.files.texts.recurrence import rule_words

BERLIN = ZoneInfo("Europe/Berlin")


def calendar(zone: str = "", **properties: object) -> bytes:
    """A calendar with one event, made by another library than the reader."""
    made = icalendar.Calendar()
    made.add("prodid", "-//test//")
    made.add("version", "2.0")
    if zone:
        made.add("x-wr-timezone", zone)
    event = icalendar.Event()
    for name, value in properties.items():
        event.add(name, value)
    made.add_component(event)
    return bytes(made.to_ical())


def test_an_event_is_shown_with_its_local_times() -> None:
    found = read(
        events,
        calendar(
            summary="Team, weekly; part 1",
            dtstart=datetime(2026, 3, 2, 10, 0, tzinfo=BERLIN),
            dtend=datetime(2026, 3, 2, 11, 30, tzinfo=BERLIN),
            location="Room 1",
            description="Line one\nÜber " + "long " * 40 + "\nend",
            rrule={"freq": "weekly", "interval": 2, "byday": ["MO", "WE"], "until": datetime(2026, 12, 31, tzinfo=UTC)},
        ),
    )

    assert found.text == (
        "## Event: Team, weekly; part 1\nWhen: 2026-03-02 Mon 10:00 to 11:30 (Europe/Berlin)\n"
        "Repeats: every 2 weeks, on Monday and Wednesday, until 2026-12-31\nWhere: Room 1\n"
        f"Line one\nÜber {'long ' * 40}\nend"
    )


def test_utc_is_shown_in_the_calendars_zone() -> None:
    start = datetime(2026, 7, 1, 22, 30, tzinfo=UTC)

    assert (
        "When: 2026-07-01 Wed 22:30 (UTC), for 1 hour 30 minutes"
        in read(events, calendar(dtstart=start, duration=timedelta(minutes=90))).text
    )
    assert (
        "When: 2026-07-02 Thu 00:30 to 03:00 (Europe/Berlin)"
        in read(events, calendar("Europe/Berlin", dtstart=start, dtend=start + timedelta(minutes=150))).text
    )


@pytest.mark.parametrize(
    ("start", "end", "words"),
    [
        (date(2026, 4, 1), date(2026, 4, 4), "2026-04-01 Wed to 2026-04-03 Fri"),
        (date(2026, 4, 1), date(2026, 4, 2), "2026-04-01 Wed"),
        (datetime(2026, 4, 1, 22, 0), datetime(2026, 4, 2, 1, 0), "2026-04-01 Wed 22:00 to 2026-04-02 Thu 01:00"),  # noqa: DTZ001  a calendar's local time has no zone
        (datetime(2026, 4, 1, 9, 0), None, "2026-04-01 Wed 09:00"),  # noqa: DTZ001  a calendar's local time has no zone
    ],
)
def test_days_and_floating_times(start: date, end: date | None, words: str) -> None:
    found = read(events, calendar(dtstart=start, **({"dtend": end} if end else {})))

    assert found.text == f"## Event: no title\nWhen: {words}"


OTHER = """BEGIN:VCALENDAR\r
X-WR-CALNAME:Work\\, mine\r
BEGIN:VEVENT\r
SUMMARY:Cancelled one\r
STATUS:CANCELLED\r
ORGANIZER;CN="Ann, B":mailto:ann@e.org\r
ATTENDEE;CN=Bob;PARTSTAT=ACCEPTED:MAILTO:bob@e.org\r
ATTENDEE:mailto:eve@e.org\r
EXDATE;TZID=Europe/Berlin:20260316T100000,20260330T100000\r
BEGIN:VALARM\r
DESCRIPTION:not shown\r
TRIGGER:-PT15M\r
END:VALARM\r
END:VEVENT\r
BEGIN:VTODO\r
SUMMARY:Taxes\r
DUE;VALUE=DATE:20260531\r
END:VTODO\r
BEGIN:VTIMEZONE\r
TZID:X\r
END:VTIMEZONE\r
"""


def test_people_tasks_and_a_cut_end() -> None:
    assert read(events, OTHER).text == (
        "Calendar: Work, mine\n\n## Event: Cancelled one (cancelled)\n"
        "Except on: 2026-03-16 Mon 10:00 (Europe/Berlin), 2026-03-30 Mon 10:00 (Europe/Berlin)\n"
        "Organizer: Ann, B <ann@e.org>\nAttendees: Bob <bob@e.org, accepted>, eve@e.org\n"
        "Reminder: 15 minutes before\n\n## Task: Taxes\nDue: 2026-05-31 Sun"
    )


def test_a_long_calendar_is_cut() -> None:
    found = read(events, "BEGIN:VCALENDAR\n" + "BEGIN:VEVENT\nSUMMARY:x\nEND:VEVENT\n" * 5000, max_chars=1000)

    assert found.truncated


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ("FREQ=DAILY", "every day"),
        ("FREQ=DAILY;INTERVAL=3;COUNT=5", "every 3 days, 5 times"),
        ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "every week, on working days"),
        ("FREQ=MONTHLY;BYDAY=-1FR", "every month, on the last Friday"),
        ("FREQ=MONTHLY;BYDAY=2TU", "every month, on the second Tuesday"),
        ("FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1", "every month, on the last working day"),
        ("FREQ=MONTHLY;BYMONTHDAY=1,-1", "every month, on day 1 and the last day"),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU", "every year, in March, on the last Sunday"),
        (
            "FREQ=YEARLY;BYMONTH=3,4,5;WKST=MO;UNTIL=20271231T235959Z",
            "every year, in March, April and May, until 2027-12-31",
        ),
        ("FREQ=DAILY;BYHOUR=9,17;BYMINUTE=30", "every day, at 09:30 and 17:30"),
        ("FREQ=YEARLY;BYWEEKNO=20", "every year, BYWEEKNO=20"),
        ("nonsense", "nonsense"),
        ("FREQ=WEEKLY;BYDAY=XX", "every week, BYDAY=XX"),
    ],
)
def test_rules_in_words(rule: str, words: str) -> None:
    assert rule_words(rule) == words


ODD_LINES = ["DTSTART:20261399T250000Z", "DURATION:P", "RRULE:FREQ", "END:VEVENT", " folded", ":", "A;B:C"]
LINES = st.lists(st.sampled_from([*OTHER.split("\r\n"), *ODD_LINES]), max_size=30)


@given(LINES.map("\r\n".join) | st.text())
def test_any_calendar_is_read(content: str) -> None:
    with contextlib.suppress(FileUnreadable):
        read(events, content.encode("utf-8", "replace"))


@given(st.text(max_size=60))
def test_any_rule_has_words(rule: str) -> None:
    rule_words(rule)
    rule_words("FREQ=MONTHLY;" + rule)
