"""What the health pages say about a late event loop and about getUpdates that hangs."""

import json

import pytest

from tgllm.testing.clock import ManualClock
from tgllm.web.health import LAG_SECONDS, LATE_SECONDS, BotState, Health

POLL_SECONDS = 30


@pytest.fixture
def state() -> BotState:
    return BotState(seconds_since_poll=lambda: 0.0)


@pytest.fixture
def health(state: BotState) -> Health:
    return Health(state, ManualClock(), POLL_SECONDS, lambda: False)


@pytest.mark.parametrize(
    ("lag", "is_late"), [(0.0, False), (LAG_SECONDS - 0.1, False), (LAG_SECONDS, True), (9.5, True)]
)
async def test_a_late_loop_is_named(state: BotState, health: Health, lag: float, is_late: bool) -> None:
    state.loop_lag = lambda: lag
    said = json.loads((await health.ready({})).body)
    alive = await health.live({})
    assert said["loop_lag_seconds"] == lag
    assert ("event_loop" in said["checks"]) == is_late
    assert alive.status == 200
    assert (f"{lag:.3f} s late" in alive.body) == is_late


async def test_a_poll_that_hangs_beyond_its_limits_is_a_reason_to_start_anew(state: BotState, health: Health) -> None:
    state.seconds_asking = lambda: POLL_SECONDS + LATE_SECONDS
    assert (await health.live({})).status == 200
    state.seconds_asking = lambda: POLL_SECONDS + LATE_SECONDS + 1.0
    alive = await health.live({})
    assert (alive.status, "getUpdates hangs for 76 s" in alive.body) == (503, True)
