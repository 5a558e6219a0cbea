"""Waiting for a state that changes."""

import asyncio

from tgllm.testing.changes import Changes


async def test_a_state_of_somebody_else_is_seen_too() -> None:
    changes, seen = Changes(), list[str]()
    waiting = asyncio.create_task(changes.first(lambda: seen, look_every=0.001))
    await asyncio.wait({waiting}, timeout=0)
    seen.append("changed without a word")
    assert await waiting == seen


async def test_what_lasts_for_one_change_only_is_seen() -> None:
    changes, seen = Changes(), [False]
    waiting = asyncio.create_task(changes.first(lambda: seen[0]))
    await asyncio.wait({waiting}, timeout=0)
    seen[0] = True
    changes.bump()
    seen[0] = False
    assert await waiting


async def test_nobody_watches_once_it_is_given_up() -> None:
    changes, looks = Changes(), list[int]()
    waiting = asyncio.create_task(changes.first(lambda: looks.append(1), look_every=0.001))
    await asyncio.wait({waiting}, timeout=0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    before = len(looks)
    changes.bump()
    assert len(looks) == before
