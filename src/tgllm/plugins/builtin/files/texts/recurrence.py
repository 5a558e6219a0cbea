"""Rules of repetition in words. RFC 5545, 3.3.10."""

import re

__all__ = ["rule_words"]

_UNITS = {
    "SECONDLY": "second",
    "MINUTELY": "minute",
    "HOURLY": "hour",
    "DAILY": "day",
    "WEEKLY": "week",
    "MONTHLY": "month",
    "YEARLY": "year",
}
_DAYS = {
    "MO": "Monday",
    "TU": "Tuesday",
    "WE": "Wednesday",
    "TH": "Thursday",
    "FR": "Friday",
    "SA": "Saturday",
    "SU": "Sunday",
}
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_ORDINALS = {1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", -1: "last", -2: "second to last"}
_BY_DAY = re.compile(r"([+-]?\d{1,2})?(MO|TU|WE|TH|FR|SA|SU)")
_LONGEST = 500


def rule_words(rule: str) -> str:
    """Return a rule such as ``FREQ=WEEKLY;BYDAY=MO`` in words; a part that has no words as it is written."""
    pairs = (part.partition("=") for part in rule.strip().upper()[:_LONGEST].split(";"))
    parts = {name.strip(): value.strip() for name, _, value in pairs if value}
    unit = _UNITS.get(parts.pop("FREQ", ""))
    if unit is None:
        return rule.strip()[:_LONGEST]
    every = parts.pop("INTERVAL", "1").lstrip("0") or "1"
    words = [f"every {unit}" if every == "1" else f"every {every} {unit}s"]
    parts.pop("WKST", None)
    until, count = parts.pop("UNTIL", ""), parts.pop("COUNT", "")
    for name, phrase in (
        ("BYMONTH", _months(parts.get("BYMONTH", ""))),
        ("BYDAY", _days(parts.get("BYDAY", ""), parts.get("BYSETPOS", ""))),
        ("BYMONTHDAY", _month_days(parts.get("BYMONTHDAY", ""))),
        ("BYHOUR", _times(parts.get("BYHOUR", ""), parts.get("BYMINUTE", ""))),
    ):
        if phrase:
            words.append(phrase)
            parts.pop(name, None)
            for used in {"BYDAY": ("BYSETPOS",), "BYHOUR": ("BYMINUTE", "BYSECOND")}.get(name, ()):
                parts.pop(used, None)
    words.extend(f"{name}={value}" for name, value in parts.items())
    if until:
        words.append(f"until {until[:4]}-{until[4:6]}-{until[6:8]}" if until[:8].isdecimal() else f"until {until}")
    if count:
        words.append(f"{count} times" if count != "1" else "once")
    return ", ".join(words)


def _months(value: str) -> str:
    numbers = [int(each) for each in value.split(",") if each.isdecimal() and 1 <= int(each) <= 12]
    return f"in {_joined([_MONTHS[number - 1] for number in numbers])}" if numbers else ""


def _days(value: str, position: str) -> str:
    """Return days of the week, such as "on the last Friday"; a position counts among all of them."""
    matches = [match for each in value.split(",") if (match := _BY_DAY.fullmatch(each))]
    if not matches:
        return ""
    if {match[2] for match in matches} == {"MO", "TU", "WE", "TH", "FR"} and not any(match[1] for match in matches):
        return f"on the {_ordinal(position)} working day" if position else "on working days"
    names = [f"the {_ordinal(match[1])} {_DAYS[match[2]]}" if match[1] else _DAYS[match[2]] for match in matches]
    if position:
        return f"on the {_ordinal(position)} of {_joined(names)}"
    return f"on {_joined(names)}"


def _month_days(value: str) -> str:
    numbers = [int(each) for each in value.split(",") if re.fullmatch(r"[+-]?\d{1,2}", each)]
    if not numbers:
        return ""
    return f"on {_joined(['the last day' if number == -1 else f'day {number}' for number in numbers])}"


def _times(hours: str, minutes: str) -> str:
    if not re.fullmatch(r"\d{1,2}(,\d{1,2})*", hours):
        return ""
    first = minutes.partition(",")[0]
    minute = first if re.fullmatch(r"\d{1,2}", first) else "0"
    return f"at {_joined([f'{int(hour):02}:{int(minute):02}' for hour in hours.split(',')])}"


def _ordinal(value: str) -> str:
    number = int(value) if re.fullmatch(r"[+-]?\d{1,3}", value) else 0
    return _ORDINALS.get(number, f"{value}.")


def _joined(words: list[str]) -> str:
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]
