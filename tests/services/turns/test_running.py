"""The turns that run, and how they are stopped."""

import asyncio
from collections.abc import Callable

import pytest

from tgllm.services.turns.running import SLACK, RunningTurn, RunningTurns
from tgllm.testing.turns import turn_of


def test_a_turn_is_known_while_it_runs() -> None:
    running = RunningTurns()
    with running.track(turn_of("u1", "lane", 7)) as turn:
        assert running.in_lane("lane") is turn
        assert len(running) == 1
    assert running.in_lane("lane") is None
    assert len(running) == 0


def test_nothing_to_stop_is_said() -> None:
    running = RunningTurns()
    with running.track(turn_of("u1", "lane", 7)):
        assert not running.stop("another")
        assert running.stop("lane")
    assert not running.stop("lane")


def test_the_first_cause_stands() -> None:
    running = RunningTurns()
    with running.track(turn_of("u1", "one", 7)) as one, running.track(turn_of("u2", "two", 7)) as two:
        running.stop("one")
        running.stop_all()
        running.stop("two")
        assert (one.cause, two.cause) == ("person", "shutdown")


async def test_idle_is_waited_for() -> None:
    running = RunningTurns()
    await running.wait_idle()
    with running.track(turn_of("u1", "one", 7)):
        with running.track(turn_of("u2", "two", 7)):
            waiting = asyncio.create_task(running.wait_idle())
            await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert not waiting.done()
    await waiting


def test_a_turn_that_took_the_lane_over_is_not_forgotten_by_the_end_of_the_first() -> None:
    running = RunningTurns()
    first = running.track(turn_of("u1", "lane", 7))
    first.__enter__()
    with running.track(turn_of("u2", "lane", 7)) as second:
        first.__exit__(None, None, None)
        assert running.in_lane("lane") is second


async def wait_for_ever(turn: RunningTurn, *, inside: Callable[[], None] = lambda: None) -> None:
    async with asyncio.timeout(None) as deadline:
        with turn.interruptible(deadline):
            inside()
            await asyncio.Event().wait()


async def test_a_stop_ends_the_wait() -> None:
    turn = RunningTurn(turn_of("u1", "lane", 7))
    waiting = asyncio.create_task(wait_for_ever(turn))
    await asyncio.sleep(0)
    turn.stop("person")
    with pytest.raises(TimeoutError):
        await waiting


async def test_a_stop_before_the_wait_ends_it_too() -> None:
    turn = RunningTurn(turn_of("u1", "lane", 7))
    turn.stop("person")
    with pytest.raises(TimeoutError):
        await wait_for_ever(turn)


async def test_an_event_after_the_stop_does_not_lengthen_the_wait() -> None:
    turn = RunningTurn(turn_of("u1", "lane", 7))

    def stop_and_go_on() -> None:
        turn.stop("person")
        turn.extend(1000)

    with pytest.raises(TimeoutError):
        await wait_for_ever(turn, inside=stop_and_go_on)


async def test_events_lengthen_the_wait() -> None:
    turn = RunningTurn(turn_of("u1", "lane", 7))
    async with asyncio.timeout(0.001) as deadline:
        with turn.interruptible(deadline):
            turn.extend(1000)
            when = deadline.when()
            await asyncio.sleep(0)
    assert when is not None
    assert when > asyncio.get_running_loop().time() + 500


async def test_a_stop_while_a_cut_turn_cleans_up_is_harmless() -> None:
    turn = RunningTurn(turn_of("u1", "lane", 7))

    async def clean_up_slowly() -> None:
        async with asyncio.timeout(0) as deadline:
            with turn.interruptible(deadline):
                try:
                    await asyncio.Event().wait()
                except asyncio.CancelledError:
                    turn.extend(1000)
                    turn.stop("person")
                    raise

    with pytest.raises(TimeoutError):
        await clean_up_slowly()
    assert turn.cause == "person"


async def test_an_extended_turn_has_at_least_the_time_it_was_given() -> None:
    turn = RunningTurn(turn_of("u1", "lane", 7))
    loop = asyncio.get_running_loop()
    async with asyncio.timeout(None) as deadline:  # noqa: ASYNC100  it is looked at, not waited for
        with turn.interruptible(deadline):
            for seconds in (60.0, 60.0, 5.0, 90.0):
                turn.extend(seconds)
                left = (deadline.when() or 0.0) - loop.time()
                assert seconds - 1 < left <= seconds * SLACK


async def test_pieces_that_come_quickly_do_not_move_the_deadline_each_time() -> None:
    turn = RunningTurn(turn_of("u1", "lane", 7))
    async with asyncio.timeout(None) as deadline:  # noqa: ASYNC100  it is looked at, not waited for
        with turn.interruptible(deadline):
            turn.extend(600.0)
            first = deadline.when()
            for _ in range(20):
                turn.extend(600.0)
            assert deadline.when() == first


def test_a_turn_that_is_not_there_yet_is_stopped_when_it_begins() -> None:
    running = RunningTurns()
    running.stop_turn("lane", "u2")
    with running.track(turn_of("u2", "lane", 7)) as turn:
        assert turn.cause == "person"


def test_what_was_noted_of_a_turn_is_forgotten_with_it() -> None:
    running = RunningTurns()
    for other, is_stopped in (("u2", True), ("u1", False)):
        running.stop_turn("lane", "u1")
        running.outdate("lane", "u1")
        running.forget("lane", other)
        assert running.take_outdated("lane", "u1") is is_stopped
        with running.track(turn_of("u1", "lane", 7)) as turn:
            assert (turn.cause == "person") is is_stopped


def test_the_wish_to_stop_a_turn_is_about_no_other() -> None:
    running = RunningTurns()
    running.stop_turn("lane", "u2")
    with running.track(turn_of("u2", "other", 7)) as elsewhere, running.track(turn_of("u3", "lane", 7)) as later:
        assert (elsewhere.cause, later.cause) == (None, None)
        running.stop_turn("lane", "u3")
        assert later.cause == "person"
    with running.track(turn_of("u2", "lane", 7)) as again:
        assert again.cause is None
