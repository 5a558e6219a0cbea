"""Reader of calendars (iCalendar, RFC 5545).

Own lines instead of a library: a calendar is read line by line within the limits, and what a person asks about (times,
places, people, repetition) needs no model of all of its components.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from pathlib import Path
from typing import BinaryIO, TextIO
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.plugins.builtin.files.shared.building import TextBuilder, clean_text, one_line
from tgllm.plugins.builtin.files.shared.encoding import open_text
from tgllm.plugins.builtin.files.shared.reading import read_file
from tgllm.plugins.builtin.files.texts.recurrence import rule_words

__all__ = ["extract", "write"]

_LONGEST_LINE = 100_000
_MOST_IN_LINE = 100
"""People or dates that are listed of one event."""
_LINE = re.compile(
    r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):(.*)', re.DOTALL
)
_PARAMETER = re.compile(r';([A-Za-z0-9-]+)=("[^"]*"|[^";:]*)')
_TIME = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})?(Z)?)?")
_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
_DURATION = re.compile(r"([+-])?P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")
_SHOWN = {"VEVENT": "Event", "VTODO": "Task", "VJOURNAL": "Note"}
_STATES = {"CANCELLED": "cancelled", "TENTATIVE": "tentative", "COMPLETED": "completed"}


@dataclass(slots=True)
class _Property:
    name: str
    parameters: dict[str, str]
    value: str

    @property
    def text(self) -> str:
        return _ESCAPE.sub(lambda match: "\n" if match[1] in "nN" else match[1], self.value).strip()


@dataclass(slots=True)
class _Component:
    kind: str
    properties: list[_Property] = field(default_factory=list[_Property])
    alarms: list[str] = field(default_factory=list[str])

    def first(self, name: str) -> _Property | None:
        return next((found for found in self.properties if found.name == name), None)

    def all(self, name: str) -> list[_Property]:
        return [found for found in self.properties if found.name == name]


def extract(path: Path, limits: ExtractionLimits) -> Extracted:
    """Return the events and tasks with their local times; repetition is told in words."""
    return read_file(path, limits, write)


def write(stream: BinaryIO, _name: str, builder: TextBuilder) -> str:
    """Add a calendar."""
    zone: tzinfo | None = None
    with open_text(stream) as (reader, encoding):
        stack: list[_Component] = []
        for found in _properties(reader):
            if found.name == "BEGIN":
                stack.append(_Component(found.value.strip().upper()))
            elif found.name == "END":
                if stack:
                    _end(stack, builder, zone)
                if builder.full:
                    break
            elif stack:
                stack[-1].properties.append(found)
                if found.name == "X-WR-CALNAME":
                    builder.add(f"Calendar: {one_line(found.text)}")
                if found.name in {"X-WR-TIMEZONE", "TZID"} and stack[-1].kind in {"VCALENDAR", "VTIMEZONE"}:
                    zone = zone or _zone(found.value)
        while stack and not builder.full:
            # The end is cut off.
            _end(stack, builder, zone)
    return encoding


def _end(stack: list[_Component], builder: TextBuilder, zone: tzinfo | None) -> None:
    component = stack.pop()
    if component.kind == "VALARM" and stack:
        trigger = component.first("TRIGGER")
        if trigger is not None:
            stack[-1].alarms.append(_alarm_words(trigger.value))
    elif component.kind in _SHOWN:
        builder.add("\n".join(_lines(component, zone)))


def _properties(reader: TextIO) -> Iterator[_Property]:
    """Yield the properties; a line that begins with a space continues the one before. RFC 5545, 3.1."""
    line = ""
    while True:
        raw = reader.readline(_LONGEST_LINE)
        if raw[:1] in {" ", "\t"} and raw:
            if len(line) < _LONGEST_LINE:
                line += raw[1:].rstrip("\r\n")
            continue
        match = _LINE.fullmatch(line.lstrip("\ufeff"))
        if match:
            parameters = {name.upper(): value.strip('"') for name, value in _PARAMETER.findall(match[2])}
            yield _Property(match[1].upper(), parameters, match[3])
        if not raw:
            return
        line = raw.rstrip("\r\n")


def _lines(component: _Component, zone: tzinfo | None) -> Iterator[str]:
    """Yield what a person wants to know about an event or task."""
    title, state = component.first("SUMMARY"), component.first("STATUS")
    mark = _STATES.get(state.value.strip().upper(), "") if state is not None else ""
    heading = f"## {_SHOWN[component.kind]}: {one_line(title.text) if title else 'no title'}"
    yield f"{heading} ({mark})" if mark else heading
    yield from _time_lines(component, zone)
    for name, label in (("LOCATION", "Where"), ("URL", "Link"), ("CATEGORIES", "Categories")):
        found = component.first(name)
        if found is not None and found.text:
            yield f"{label}: {one_line(found.text)}"
    for name, label in (("ORGANIZER", "Organizer"), ("ATTENDEE", "Attendees")):
        people = [_person(found) for found in component.all(name)]
        if people:
            yield f"{label}: {', '.join(people[:_MOST_IN_LINE])}"
    for words in component.alarms:
        yield f"Reminder: {words}"
    description = component.first("DESCRIPTION")
    if description is not None and description.text:
        yield clean_text(description.text)


def _time_lines(component: _Component, zone: tzinfo | None) -> Iterator[str]:
    when = _when(component, zone)
    if when:
        yield f"When: {when}"
    due = component.first("DUE")
    if due is not None:
        yield f"Due: {_time_words(due, zone)}"
    for rule in component.all("RRULE"):
        yield f"Repeats: {rule_words(rule.value)}"
    for name, label in (("RDATE", "Also on"), ("EXDATE", "Except on"), ("RECURRENCE-ID", "Replaces the one on")):
        values = [(each, value) for each in component.all(name) for value in each.value.split(",")]
        dates = [_time_words(_Property(name, each.parameters, value), zone) for each, value in values[:_MOST_IN_LINE]]
        if dates:
            yield f"{label}: {', '.join(dates)}"


def _when(component: _Component, zone: tzinfo | None) -> str:
    start, end, duration = component.first("DTSTART"), component.first("DTEND"), component.first("DURATION")
    if start is None:
        return ""
    first = _time_words(start, zone)
    if duration is not None:
        return f"{first}, for {_duration_words(duration.value)}"
    if end is None:
        return first
    if len(start.value.strip()) == 8 and len(end.value.strip()) == 8:
        last = _day_before(end.value.strip())
        return first if last in {None, _day(start.value.strip())} else f"{first} to {last}"
    last = _time_words(end, zone)
    day, _, rest = last.partition(" ")
    weekday, _, time = rest.partition(" ")
    # The same day is not repeated.
    return f"{first.rpartition(' (')[0] or first} to {time if first.startswith(f'{day} {weekday}') else last}"


def _time_words(found: _Property, zone: tzinfo | None) -> str:
    """Return a time in its own zone; a time in UTC in the calendar's zone if that is known."""
    value = found.value.strip()
    match = _TIME.match(value)
    if match is None:
        return one_line(value)
    if match[4] is None:
        return _day(value) or one_line(value)
    try:
        time = datetime(int(match[1]), int(match[2]), int(match[3]), int(match[4]), int(match[5]), tzinfo=UTC)
    except ValueError:
        return one_line(value)
    name = found.parameters.get("TZID", "")
    if match[7]:
        name = "UTC"
        if zone is not None:
            time = time.astimezone(zone)
            name = str(zone)
    return f"{time:%Y-%m-%d %a %H:%M}" + (f" ({one_line(name.lstrip('/'))})" if name else "")


def _day(value: str) -> str | None:
    try:
        return f"{datetime.strptime(value[:8], '%Y%m%d').replace(tzinfo=UTC):%Y-%m-%d %a}"
    except ValueError:
        return None


def _day_before(value: str) -> str | None:
    """Return the last day of an event of whole days, whose end is the day after."""
    try:
        after = datetime.strptime(value[:8], "%Y%m%d").replace(tzinfo=UTC)
        return f"{datetime.fromtimestamp(after.timestamp() - 43_200, UTC):%Y-%m-%d %a}"
    except (ValueError, OverflowError, OSError):
        return None


def _zone(name: str) -> tzinfo | None:
    try:
        return ZoneInfo(name.strip().lstrip("/"))
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def _person(found: _Property) -> str:
    address = re.sub(r"^mailto:", "", found.value.strip(), flags=re.IGNORECASE)
    name = one_line(found.parameters.get("CN", ""))
    answer = found.parameters.get("PARTSTAT", "").lower()
    said = f", {answer}" if answer in {"accepted", "declined", "tentative"} else ""
    return (
        f"{name} <{one_line(address)}{said}>" if name and name != address else one_line(address) + said
    ) or "unknown"


def _duration_words(value: str) -> str:
    match = _DURATION.fullmatch(value.strip())
    if match is None:
        return one_line(value)
    units = zip(match.groups()[1:], ("week", "day", "hour", "minute", "second"), strict=True)
    parts = [
        f"{int(number)} {unit}{'s' if int(number) != 1 else ''}" for number, unit in units if number and int(number)
    ]
    return " ".join(parts) or "0 minutes"


def _alarm_words(value: str) -> str:
    words = _duration_words(value)
    if not _DURATION.fullmatch(value.strip()):
        return words
    return f"{words} {'before' if value.strip().startswith('-') else 'after'}"
