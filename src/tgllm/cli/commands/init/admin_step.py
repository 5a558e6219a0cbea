"""Step of the admins: found by a code that they send to the bot, or typed as ids."""

import asyncio
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from tgllm.api.clock import SystemClock
from tgllm.api.errors import ConfigError, TgllmError
from tgllm.cli.commands.init.bot_step import BotAnswers
from tgllm.cli.commands.init.dialogue import Dialogue
from tgllm.config.checks import admin_ids
from tgllm.services.setup.admin_code import AdminCode, Found

if TYPE_CHECKING:
    from tgllm.bot.telegram.webhook import WebhookFacts
    from tgllm.cli.commands.init.code_search import SearchEnd

__all__ = ["ask_admins", "read_admins"]

Admins = dict[int, str]
"""Name of each admin by user id; empty if it is unknown."""


def read_admins(given: Sequence[str]) -> Admins:
    """Return the admins that flags or the environment name.

    Raises:
        ConfigError: one is no user id.
    """
    try:
        return dict.fromkeys(cast("tuple[int, ...]", admin_ids(" ".join(given))), "")
    except ValueError as error:
        raise ConfigError(f"--admin {error}") from None


def ask_admins(dialogue: Dialogue, bot: BotAnswers, webhook: "WebhookFacts | None", wait: int) -> Admins:
    """Return at least one admin.

    Raises:
        TgllmError: no admin was found, and nothing may be asked.
    """
    if bot.facts is None or webhook is None:
        return _typed(dialogue)
    while True:
        answer = dialogue.ask("init.admins", default="")
        if answer:
            if (typed := _read(dialogue, answer)) is not None:
                return typed
            continue
        found: Admins = {}
        # One for all admins: it knows which updates were looked at.
        code = AdminCode()
        while True:
            one = _found(dialogue, bot, code, webhook.allowed, wait)
            if one is None:
                return found or _typed(dialogue)
            found[one.user_id] = one.name
            if not dialogue.confirm("init.admin_more", default=False):
                return found
            code.renew()


def _found(dialogue: Dialogue, bot: BotAnswers, code: AdminCode, allowed: Sequence[str], wait: int) -> Found | None:
    """Search for an admin; return None if ids are to be typed instead."""
    from tgllm.bot.telegram.account import AccountError  # noqa: PLC0415  imports aiogram
    from tgllm.cli.commands.init.code_search import greet, search  # noqa: PLC0415  imports aiogram

    while True:
        _show(dialogue, bot, code, wait)
        try:
            ended: SearchEnd = asyncio.run(
                search(
                    bot.token,
                    bot.api,
                    code,
                    SystemClock(),
                    lambda key, detail: dialogue.say(key, detail=detail),
                    seconds=wait,
                    allowed=allowed,
                )
            )
        except AccountError as error:
            end, reason = "refused", str(error)
        else:
            if ended.found is not None:
                if dialogue.confirm("init.admin_is", default=True, person=str(ended.found)):
                    text = dialogue.texts("init.greeting", ended.found.language)
                    asyncio.run(greet(bot.token, bot.api, ended.found.user_id, text, ended.confirmed))
                    return ended.found
                code.renew()
                continue
            if ended.end == "stopped":
                return None
            end, reason = ended.end, ""
        if not dialogue.asks:
            words = dialogue.texts(f"init.search_{end}", reason=reason)
            raise TgllmError(f"{words} {dialogue.texts('init.search_flag')}")
        dialogue.warn(f"init.search_{end}", reason=reason)
        if dialogue.ask("init.search_choice", default="").casefold() == "i":
            return None


def _show(dialogue: Dialogue, bot: BotAnswers, code: AdminCode, wait: int) -> None:
    assert bot.facts is not None  # noqa: S101  the caller has checked it
    name = bot.facts.username
    link = f"https://t.me/{name}" if name else bot.facts.name
    dialogue.say("init.code", url=link, code=code.text)
    if name:
        dialogue.say("init.code_link", url=f"{link}?start={code.text}")
    dialogue.say("init.code_wait", count=max(1, wait // 60))
    if sys.stdin.isatty():
        dialogue.say("init.code_enter")


def _typed(dialogue: Dialogue) -> Admins:
    while True:
        found = _read(dialogue, dialogue.ask("init.admin_ids", flag="--admin"))
        if found is not None:
            return found


def _read(dialogue: Dialogue, answer: str) -> Admins | None:
    try:
        found = cast("tuple[int, ...]", admin_ids(answer))
    except ValueError as error:
        dialogue.warn("init.wrong_answer", reason=str(error))
        return None
    if not found:
        dialogue.warn("init.admin_none")
        return None
    return dict.fromkeys(found, "")
