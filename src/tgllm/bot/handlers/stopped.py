"""Telegram's Stop button of a draft."""

from aiogram.types import MessageGenerationStopped

from tgllm.bot.scope import Scope
from tgllm.bot.turns.stopping import stop_answer

__all__ = ["handle_stopped"]


async def handle_stopped(event: MessageGenerationStopped, scope: Scope) -> None:  # noqa: ARG001  aiogram passes it
    """Stop the turn of the draft: Telegram itself only stops showing it. Bot API: MessageGenerationStopped."""
    await stop_answer(scope, also_next=False)
