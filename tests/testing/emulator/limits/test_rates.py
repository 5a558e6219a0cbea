"""A bot that keeps the rates exactly is not refused."""

import random

from tgllm.api.clock import SystemClock
from tgllm.bot.telegram.limits.buckets import TokenBucket
from tgllm.testing.emulator.limits.rates import RateLimits, RateMeter
from tgllm.testing.emulator.state.records import EmulatedChat


class Watch(SystemClock):
    """A clock that stands at ``at``."""

    at = 0.0

    def monotonic(self) -> float:
        return self.at


def test_rounding_errors_are_no_violations() -> None:
    chat = EmulatedChat(id=5, type="private", title="Ann")
    for seed in range(50):
        chance, clock = random.Random(seed), Watch()
        meter = RateMeter(clock, RateLimits(bot_per_second=1000))
        bucket = TokenBucket(1.0, 3.0, clock.at)
        for _ in range(200):
            clock.at += bucket.wait(clock.at) + chance.randrange(5) * 1e-6
            if bucket.room(clock.at) > 0:
                bucket.take()
                assert meter.charge(1, chat) is None


def test_a_call_that_comes_a_millisecond_early_is_refused() -> None:
    chat, clock = EmulatedChat(id=5, type="private", title="Ann"), Watch()
    meter = RateMeter(clock, RateLimits(chat_burst=1))
    assert meter.charge(1, chat) is None
    clock.at = 0.999
    assert meter.charge(1, chat) == 1
    clock.at = 1.0
    assert meter.charge(1, chat) is None
