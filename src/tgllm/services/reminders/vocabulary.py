"""Words for times, in English and Russian."""

from collections.abc import Mapping
from typing import Final

from tgllm.services.reminders.rules import EVERY_DAY, WEEKDAYS, WEEKEND

__all__ = ["DAYS", "DAY_NAMES", "DAY_SETS", "HALVES", "PARTS_OF_DAYS", "SECONDS", "WEEKDAY_NAMES"]


def _by_word(groups: Mapping[int, str]) -> Mapping[str, int]:
    return {word: value for value, words in groups.items() for word in words.split()}


SECONDS: Final = _by_word(
    {
        1: "s sec secs second seconds с сек секунд секунду секунды",
        60: "m min mins minute minutes м мин минут минуту минуты",
        3600: "h hr hrs hour hours ч час часа часов",
    }
)
"""Seconds of the units that are counted as they pass."""
DAYS: Final = _by_word({1: "d day days д день дня дней", 7: "w week weeks н нед неделю недели недель"})
"""Days of the units that are counted by the calendar."""
DAY_NAMES: Final = {"today": 0, "tomorrow": 1, "сегодня": 0, "завтра": 1, "послезавтра": 2}
"""How far away days with a name are."""
WEEKDAY_NAMES: Final = _by_word(
    {
        0: "monday mondays mon понедельник понедельникам пн",
        1: "tuesday tuesdays tue вторник вторникам вт",
        2: "wednesday wednesdays wed среда среду средам ср",
        3: "thursday thursdays thu четверг четвергам чт",
        4: "friday fridays fri пятница пятницу пятницам пт",
        5: "saturday saturdays sat суббота субботу субботам сб",
        6: "sunday sundays sun воскресенье воскресеньям вс",
    }
)
DAY_SETS: Final = {
    **dict.fromkeys(("day", "days", "день", "дни"), EVERY_DAY),
    **dict.fromkeys(("weekday", "weekdays", "workday", "workdays", "будни", "будням", "будний"), WEEKDAYS),
    **dict.fromkeys(("weekend", "weekends", "выходные", "выходным"), WEEKEND),
}
"""Days of the week that one word stands for."""
HALVES: Final = {
    **dict.fromkeys(("am", "a.m.", "in the morning", "утра", "утром", "ночи"), 0),
    **dict.fromkeys(("pm", "p.m.", "in the afternoon", "in the evening", "дня", "вечера", "вечером"), 12),
}
"""Hours that a half of the day adds."""
PARTS_OF_DAYS: Final = (
    *("noon", "midnight", "morning", "afternoon", "evening", "night"),
    *("полдень", "полночь", "утром", "днём", "днем", "вечером", "ночью"),
)
"""Times of the day without a number, which are not understood."""
