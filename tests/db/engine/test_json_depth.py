"""How deep a JSON value may be nested."""

import pytest

from tgllm.db.engine.json_depth import MOST_LEVELS, check_depth


def nested(levels: int) -> object:
    value: object = 0
    for place in range(levels - 1):
        value = [1, value] if place % 2 else {"a": value}
    return value


def test_the_deepest_passes_and_the_next_does_not() -> None:
    check_depth(nested(MOST_LEVELS))
    with pytest.raises(ValueError, match="nested more than 100 deep"):
        check_depth(nested(MOST_LEVELS + 1))


def test_what_holds_itself_is_refused() -> None:
    value: dict[str, object] = {}
    value["self"] = value
    with pytest.raises(ValueError, match="nested"):
        check_depth(value)


def test_texts_are_no_lists() -> None:
    check_depth({"a": "text", "b": [None, 1.5, "text"]})
