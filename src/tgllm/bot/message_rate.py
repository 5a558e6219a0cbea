"""Refuses questions of somebody who asks faster than people do, in whatever chats."""

from tgllm.bot.scope import UpdateScope
from tgllm.observe.logs import get_logger

__all__ = ["is_too_fast"]

log = get_logger(__name__)


async def is_too_fast(scope: UpdateScope) -> bool:
    """Whether the question is dropped; then the update has ended, the first time in a minute with a sentence."""
    user, settings = scope.user, scope.parts.core.config.budgets
    if user is None or (user.is_admin and settings.admins_exempt):
        return False
    pace = scope.parts.core.message_rate.take(user.id)
    if pace == "ok":
        return False
    log.info("turn.too_fast", user=user.id)
    if pace == "first":
        await scope.reply(scope.text("budget.too_fast", count=settings.messages_per_minute))
    else:
        await scope.end()
    return True
