"""What has happened a little while ago is remembered, within bounds."""

from tgllm.services.common.recent_keys import RecentKeys
from tgllm.testing.clock import ManualClock


async def test_a_key_is_recent_for_a_while(clock: ManualClock) -> None:
    keys: RecentKeys[int] = RecentKeys(clock, 60.0, 10)
    keys.note(7)
    assert 7 in keys
    assert 8 not in keys
    await clock.advance(59)
    assert 7 in keys
    await clock.advance(1)
    assert 7 not in keys


def test_the_one_noted_longest_ago_is_forgotten_first(clock: ManualClock) -> None:
    keys: RecentKeys[int] = RecentKeys(clock, 60.0, 2)
    for key in (1, 2, 1, 3):
        keys.note(key)
    assert [key in keys for key in (1, 2, 3)] == [True, False, True]
