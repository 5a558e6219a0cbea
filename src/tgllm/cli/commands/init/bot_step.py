"""Step of the bot: its token, and a webhook that was left behind."""

import asyncio
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tgllm.api.errors import ConfigError, TgllmError
from tgllm.cli.commands.init.dialogue import Dialogue
from tgllm.config.checks import bot_token
from tgllm.observe.redaction import redactor

if TYPE_CHECKING:
    from tgllm.bot.telegram.account import BotFacts
    from tgllm.bot.telegram.webhook import WebhookFacts

__all__ = ["BotAnswers", "ask_token", "free_updates"]


@dataclass(frozen=True, slots=True)
class BotAnswers:
    """The token, and what Telegram says about it."""

    token: str
    api: str
    facts: "BotFacts | None" = None
    """None if it was not checked."""


def ask_token(dialogue: Dialogue, api: str, given: str | None, *, check: bool) -> BotAnswers:
    """Return a token that Telegram accepts, or one that could not be checked.

    Args:
        dialogue: asks again after a wrong token.
        api: address of the Bot API server.
        given: token from a flag or the environment, which is not asked for.
        check: whether Telegram is asked.

    Raises:
        ConfigError: the given token is wrong.
        TgllmError: it can't be checked, and nothing may be asked.
    """
    token = given
    while True:
        if token is None:
            token = _asked(dialogue)
        redactor.add(token)
        if not check:
            return BotAnswers(token, api)
        facts, problem, reason = _look(token, api)
        if facts is not None:
            dialogue.say("init.token_ok", bot=f"@{facts.username}" if facts.username else facts.name)
            return BotAnswers(token, api, facts)
        if problem == "token":
            if given is not None or not dialogue.asks:
                raise ConfigError(reason)
            dialogue.warn("init.token_refused")
            token = None
            continue
        if not dialogue.asks:
            raise TgllmError(dialogue.texts("init.unchecked_token", reason=reason))
        dialogue.warn("init.telegram_failed", reason=reason)
        answer = dialogue.ask("init.telegram_choice", default="").casefold()
        if answer == "s":
            return BotAnswers(token, api)
        if answer == "t":
            token = given = None


def free_updates(dialogue: Dialogue, bot: BotAnswers, wanted: str | None) -> "WebhookFacts | None":
    """Offer to remove a webhook; return what is known of it.

    Without one in the settings, the bot can't start with it; and no admin can be found by a code.

    Args:
        dialogue: asks.
        bot: the token, which Telegram accepts.
        wanted: address of the webhook in the settings, which the bot sets when it starts.
    """
    from tgllm.bot.telegram.account import AccountError  # noqa: PLC0415  imports aiogram, after the first question

    try:
        found = asyncio.run(_webhook(bot))
        if found.host:
            if wanted is None:
                dialogue.say("init.webhook", host=found.host, count=found.pending)
            else:
                dialogue.say("init.webhook_meanwhile", host=found.host, count=found.pending)
            if dialogue.confirm("init.webhook_delete", default=True):
                asyncio.run(_webhook(bot, delete=True))
                dialogue.say("init.webhook_deleted")
    except AccountError as error:
        dialogue.warn("init.telegram_failed", reason=str(error))
        return None
    return found


def _asked(dialogue: Dialogue) -> str:
    while True:
        try:
            return str(bot_token(dialogue.ask("init.token", flag="--token-file", hidden=True)))
        except ValueError as error:
            dialogue.warn("init.wrong_answer", reason=str(error))


def _look(token: str, api: str) -> "tuple[BotFacts | None, str, str]":
    from tgllm.bot.telegram.account import AccountError, open_account  # noqa: PLC0415  imports aiogram

    async def look() -> "BotFacts":
        async with open_account(token, api) as account:
            return await account.me()

    try:
        return asyncio.run(look()), "", ""
    except AccountError as error:
        return None, error.problem, str(error)


async def _webhook(bot: BotAnswers, *, delete: bool = False) -> "WebhookFacts":
    from tgllm.bot.telegram.account import open_account  # noqa: PLC0415  imports aiogram

    async with open_account(bot.token, bot.api) as account:
        if delete:
            await account.delete_webhook()
        return await account.webhook()
