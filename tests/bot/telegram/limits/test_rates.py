"""Shares of the rates: all replicas together keep what one process would."""

import random
from dataclasses import dataclass, field

import pytest

from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.telegram.limits.chat_limits import WINDOW_SECONDS
from tgllm.bot.telegram.limits.rates import ALONE, Rates, Share
from tgllm.testing.clock import ManualClock

RATES = Rates()
MOST = 12
"""Replicas up to which each may make a call at once."""


def shares(live: int, leader: int = 0) -> list[Share]:
    return [Share(live, place == leader) for place in range(live)]


def test_one_process_has_all() -> None:
    assert ALONE.of(RATES) is RATES


@pytest.mark.parametrize("live", range(2, MOST))
def test_shares_make_up_the_whole_at_most(live: int) -> None:
    each = [share.of(RATES) for share in shares(live)]
    assert sum(rates.overall for rates in each) <= RATES.overall + 1e-9
    assert sum(rates.private for rates in each) <= RATES.private + 1e-9
    assert sum(rates.group_per_minute for rates in each) <= RATES.group_per_minute
    assert sum(rates.burst for rates in each) <= max(RATES.burst, live)
    assert each[0].overall >= max(rates.overall for rates in each[1:]), "the leader sends all answers"
    assert each[0].group_per_minute >= max(rates.group_per_minute for rates in each[1:])


def test_no_limit_stays_none() -> None:
    none = Rates(overall=0, private=0, group_per_minute=0, uploads=0)
    assert Share(3, leads=False).of(none).group_per_minute == 0
    assert Share(3, leads=True).of(none).overall == 0


@dataclass
class Replicas:
    """Limiters that send to the same Telegram, each as soon as it may."""

    live: int
    clock: ManualClock = field(default_factory=ManualClock)
    leader: int = 0
    calls: list[tuple[float, int]] = field(default_factory=list[tuple[float, int]])

    def __post_init__(self) -> None:
        self.limiters = [
            Limiter(RATES, self.clock, lambda place=place: Share(self.live, place == self.leader))
            for place in range(self.live)
        ]

    async def step(self, chance: random.Random, chats: list[int]) -> None:
        chat = chance.choice(chats)
        if chance.choice(self.limiters).reserve(chat):
            self.calls.append((self.clock.monotonic(), chat))
        await self.clock.advance(chance.choice([0, 0, 0.01, 0.05, 0.3]))

    def most_within(self, seconds: float, chat: int | None = None) -> int:
        times = [at for at, where in self.calls if chat is None or where == chat]
        return max(
            (sum(1 for at in times[place:] if at < times[place] + seconds) for place in range(len(times))), default=0
        )


@pytest.mark.parametrize("seed", range(12))
async def test_all_together_keep_the_limits(seed: int) -> None:
    chance = random.Random(seed)
    replicas = Replicas(live=chance.randint(2, 6))
    for _ in range(1500):
        await replicas.step(chance, [1, 2, -3])
    assert replicas.most_within(WINDOW_SECONDS, -3) <= RATES.group_per_minute
    assert replicas.most_within(10, 1) <= 10 * RATES.private + max(RATES.burst, replicas.live)
    assert replicas.most_within(1) <= RATES.overall * 2, "what was saved, and what a second brings"
    assert replicas.calls, "they send at all"


async def test_calls_before_a_change_count_after_it(clock: ManualClock) -> None:
    """A replica that becomes the leader, or is left alone, has made its calls in this minute already."""
    share = [Share(2, leads=False)]
    limiter = Limiter(RATES, clock, lambda: share[0])
    made = 0
    for _ in range(60):
        made += limiter.reserve(-3)
        await clock.advance(1)
    assert made == 10
    share[0] = ALONE
    for _ in range(60):
        made += limiter.reserve(-3)
    assert made <= 20
    share[0] = Share(2, leads=False)
    assert limiter.wait_for(-3) > 0


async def test_replica_beside_a_leader_can_send_previews(clock: ManualClock) -> None:
    limiter = Limiter(RATES, clock, lambda: Share(3, leads=False))
    assert limiter.wait_for(1) == 0
    assert limiter.reserve(1)
    assert 3 < limiter.wait_for(1) < 5
