"""A person names their time zone as they know it."""

import pytest

from tgllm.services.chats.time_zone import find_time_zone


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("europe/berlin", "Europe/Berlin"),
        ("  BERLIN ", "Europe/Berlin"),
        ("new york", "America/New_York"),
        ("America/New York", "America/New_York"),
        ("America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("ushuaia", "America/Argentina/Ushuaia"),
        ("utc", "UTC"),
    ],
)
def test_a_zone_is_found_by_its_name_or_city(text: str, name: str) -> None:
    assert find_time_zone(text) == (name, ())


@pytest.mark.parametrize("text", ["", " ", "Mars/Base", "../../etc/passwd", "/etc/localtime", "a\0b", "x" * 5000])
def test_what_is_no_zone_is_not_found(text: str) -> None:
    assert find_time_zone(text)[0] is None


@pytest.mark.parametrize(("text", "close"), [("berlni", "Europe/Berlin"), ("kolkat", "Asia/Kolkata")])
def test_names_that_are_close_are_offered(text: str, close: str) -> None:
    assert close in find_time_zone(text)[1]
