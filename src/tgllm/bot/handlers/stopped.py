"""Telegram's Stop button of a draft."""

from aiogram.types import MessageGenerationStopped

from tgllm.bot.scope import Scope

__all__ = ["handle_stopped"]


async def handle_stopped(event: MessageGenerationStopped, scope: Scope) -> None:  # noqa: ARG001  aiogram passes it
    """Stop the turn of the draft: Telegram itself only stops showing it. Bot API: MessageGenerationStopped."""
    scope.core.running.stop(scope.lane.key)
