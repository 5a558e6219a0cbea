"""Expiry of drafts."""

from tgllm.testing.emulator.world.world import World

__all__ = ["expire_drafts"]


async def expire_drafts(world: World) -> None:
    """Expire drafts until cancelled. Source: Bot API, sendMessageDraft (a 30-second preview)."""
    while True:
        first = await world.changes.first(world.oldest_draft)
        await world.clock.sleep(first.expires_at - world.clock.monotonic())
        now = world.clock.monotonic()
        while (draft := world.oldest_draft()) and draft.expires_at <= now:
            world.end_draft(draft)
