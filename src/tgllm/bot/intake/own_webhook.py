"""Removal of the webhook that the bot has set in an earlier run, so that it can ask for updates again."""

from typing import Final

from aiogram import Bot

from tgllm.bot.telegram.failures import classify, fatal_error
from tgllm.bot.telegram.webhook import DeleteWebhook, is_same_url, read_facts
from tgllm.observe.logs import get_logger
from tgllm.services.common.own_webhook import forget_own, own_url
from tgllm.services.core import Core

__all__ = ["release_own"]

log = get_logger(__name__)

RETRY_SECONDS: Final = 2.0


async def release_own(bot: Bot, core: Core) -> bool:
    """Remove the webhook if the bot has set it itself, so that it can ask for updates; waiting updates are kept.

    Returns:
        Whether it is worth asking for updates again: the webhook was removed, or Telegram could not be asked.

    Raises:
        TelegramRefused: the token is wrong.
        DatabaseError: the record can't be read or written.
    """
    url = await core.database.read(own_url)
    if not url:
        return False
    try:
        facts = await read_facts(bot)
        if facts.url and not is_same_url(facts.url, url):
            return False
        await bot(DeleteWebhook())
    except Exception as error:
        fatal = fatal_error(error)
        if fatal is not None:
            raise fatal from error
        failure = classify(error)
        log.warning("webhook.not_removed", reason=failure.reason)
        await core.clock.sleep(max(RETRY_SECONDS, failure.retry_after))
        return True
    await core.database.write(forget_own)
    log.info("webhook.removed", host=facts.host, pending=facts.pending)
    return True
