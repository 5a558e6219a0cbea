"""How long a replica trusts its lease."""

import pytest

from tgllm.services.replicas.lease import Lease
from tgllm.services.replicas.uptime import uptime


class Watch:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


def test_it_ends_before_the_database_ends_it(watch: Watch) -> None:
    lease = Lease(10.0, watch)
    assert not lease.is_valid()

    lease.extended(100.0)
    watch.now = 108.9
    assert lease.is_valid()
    watch.now = 109.0
    assert not lease.is_valid()


def test_it_counts_from_before_the_sign_was_sent(watch: Watch) -> None:
    lease = Lease(10.0, watch)
    watch.now = 120.0

    lease.extended(100.0)

    assert not lease.is_valid()


def test_a_late_answer_does_not_shorten_it(watch: Watch) -> None:
    lease = Lease(10.0, watch)

    lease.extended(105.0)
    lease.extended(100.0)

    watch.now = 113.0
    assert lease.is_valid()


def test_a_lost_one_is_over(watch: Watch) -> None:
    lease = Lease(10.0, watch)
    lease.extended(100.0)

    lease.is_lost = True

    assert not lease.is_valid()


def test_uptime_goes_on() -> None:
    assert 0 < uptime() <= uptime()
