"""Access to JSON of unknown structure."""

import sys
from types import FrameType, MappingProxyType
from typing import TYPE_CHECKING

from tgllm.api.types import Json
from tgllm.providers.json_values import as_list, as_object

if TYPE_CHECKING:
    from collections.abc import Mapping

PARSED: list[Json] = [None, "", "text", 1, 1.5, True, [], [1], {}, {"a": 1}]


def test_what_is_missing_or_of_another_type_is_empty() -> None:
    assert [as_object(value) for value in PARSED] == [{}] * 9 + [{"a": 1}]
    assert [list(as_list(value)) for value in PARSED] == [[]] * 7 + [[1], [], []]


def test_other_mappings_and_sequences_count_too() -> None:
    shown: Mapping[str, Json] = MappingProxyType({"a": 1})
    assert as_object(shown) == {"a": 1}
    assert as_list((1, 2)) == (1, 2)


def test_parsed_values_need_no_check_of_an_abstract_class() -> None:
    called: list[str] = []

    def note(frame: FrameType, event: str, _arg: object) -> None:
        if event == "call":
            called.append(frame.f_code.co_name)

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for value in PARSED:
            as_object(value)
            as_list(value)
    finally:
        sys.setprofile(before)
    assert called.count("as_object") == len(PARSED)
    assert "__instancecheck__" not in called
