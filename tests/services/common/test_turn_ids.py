import pytest

from tgllm.services.common.turn_ids import turn_id_of, update_id_of


def test_the_turn_of_an_update_names_it() -> None:
    assert update_id_of(turn_id_of(7)) == 7
    # An update that the bot has made itself.
    assert update_id_of(turn_id_of(-7)) == -7


@pytest.mark.parametrize("turn_id", [None, "", "u", "7", "x7", "u--7", "u7-1", "u7:0", "plugin:7", "card:7:1"])
def test_a_turn_of_another_kind_is_of_no_update(turn_id: str | None) -> None:
    assert update_id_of(turn_id) is None
