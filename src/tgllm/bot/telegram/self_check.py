"""Checks of the bot's account for ``tgllm doctor``: token, webhook, other programs, groups, admins.

Nothing is changed at Telegram, and no update is confirmed.
"""

import asyncio
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Final

from tgllm.api.clock import Clock, SystemClock
from tgllm.api.context import Check
from tgllm.bot.telegram.account import Account, AccountError, BotFacts, open_account
from tgllm.bot.telegram.webhook import WebhookFacts, is_same_url
from tgllm.i18n import Catalogue

__all__ = ["SelfCheck", "check_telegram"]

_NAME: Final = "Telegram"
_WEBHOOK: Final = "Telegram: webhook"
_SECONDS: Final = 20.0
_CURE: Final = "check the network and telegram_api"
HOLD_SECONDS: Final = 4
"""How long a request for updates waits for another program to end it. Most programs ask again within three seconds."""
MOST_ADMINS: Final = 50
RECENT_MINUTES: Final = 10
"""Age of Telegram's latest failed delivery up to which waiting updates mean that the webhook does not work."""


@dataclass(frozen=True, slots=True)
class SelfCheck:
    """What is to be checked."""

    token: str
    api: str
    admins: Sequence[int] = ()
    admin_chat: int | None = None
    is_running: bool = False
    """Whether the bot runs here: then it is the one that fetches the updates, and is not disturbed."""
    webhook: str = ""
    """Address of the webhook in the settings; empty without one."""
    own_webhook: str = ""
    """Address of the webhook that the bot has set last, which its next start removes if the settings have none."""


async def check_telegram(
    wanted: SelfCheck,
    texts: Catalogue,
    *,
    seconds: float = _SECONDS,
    hold: int = HOLD_SECONDS,
    clock: Clock | None = None,
) -> Sequence[Check]:
    """Ask the Bot API server about the bot; failed checks name the cause without the token."""
    now = (clock or SystemClock()).now()
    try:
        async with open_account(wanted.token, wanted.api, seconds=seconds) as account:
            async with asyncio.timeout(seconds):
                me = await account.me()
            found = await asyncio.gather(
                _limited(_updates(account, wanted, hold, texts, now), "Telegram: updates", seconds, texts),
                _limited(_admins(account, me, wanted, texts), "Telegram: admins", seconds, texts),
            )
    except TimeoutError:
        return (Check(_NAME, "failed", f"no answer within {seconds:g} s: {_CURE}"),)
    except AccountError as error:
        detail = str(error) if error.problem in {"token", "not_bot_api"} else error.reason
        return (Check(_NAME, "failed", detail),)
    own = Check(_NAME, "ok", f"the bot is @{me.username}")
    return (own, *(check for checks in found for check in checks), _groups(me, texts))


async def _limited(
    look: Coroutine[object, object, Sequence[Check]], name: str, seconds: float, texts: Catalogue
) -> Sequence[Check]:
    try:
        async with asyncio.timeout(seconds):
            return await look
    except TimeoutError:
        return (Check(name, "failed", texts("doctor.timeout", limit=f"{seconds:g}")),)
    except AccountError as error:
        return (Check(name, "failed", error.reason),)


async def _updates(account: Account, wanted: SelfCheck, hold: int, texts: Catalogue, now: float) -> Sequence[Check]:
    """Check who receives the updates: a webhook, the bot that runs here, or another program."""
    facts = await account.webhook()
    if wanted.webhook:
        waiting = Check("Telegram: updates", "ok", texts("doctor.updates_waiting", count=facts.pending))
        return (_wanted_webhook(facts, wanted, texts, now), waiting)
    return (_webhook(facts, wanted, texts), await _poller(account, facts, wanted, hold, texts))


def _webhook(facts: WebhookFacts, wanted: SelfCheck, texts: Catalogue) -> Check:
    """Check that there is no webhook, or only the bot's own one."""
    if not facts.host:
        return Check(_WEBHOOK, "ok", texts("doctor.webhook_none"))
    if wanted.own_webhook and is_same_url(facts.url, wanted.own_webhook):
        return Check(_WEBHOOK, "ok", texts("doctor.webhook_own", name=facts.host))
    error = texts("doctor.webhook_error", error=facts.last_error) if facts.last_error else ""
    words = texts("doctor.webhook_set", name=facts.host, url=f"{wanted.api}/bot$TGLLM_BOT_TOKEN/deleteWebhook")
    return Check(_WEBHOOK, "failed", f"{words}{error}")


def _wanted_webhook(facts: WebhookFacts, wanted: SelfCheck, texts: Catalogue, now: float) -> Check:
    """Check that Telegram has the webhook of the settings, and reaches it."""
    if not is_same_url(facts.url, wanted.webhook):
        if not facts.host and not wanted.is_running:
            return Check(_WEBHOOK, "ok", texts("doctor.webhook_at_start"))
        if not facts.host:
            return Check(_WEBHOOK, "failed", texts("doctor.webhook_lost"))
        if not wanted.is_running:
            return Check(_WEBHOOK, "warning", texts("doctor.webhook_replaced", name=facts.host))
        return Check(_WEBHOOK, "failed", texts("doctor.webhook_other", name=facts.host))
    if not wanted.is_running:
        return Check(_WEBHOOK, "ok", texts("doctor.webhook_waits", name=facts.host))
    if not facts.last_error:
        return Check(_WEBHOOK, "ok", texts("doctor.webhook_works", name=facts.host))
    minutes = max(0, int(now - facts.last_error_at) // 60)
    name, error = facts.host, facts.last_error
    if facts.pending and minutes < RECENT_MINUTES:
        return Check(_WEBHOOK, "failed", texts("doctor.webhook_failing", name=name, error=error, count=minutes))
    return Check(_WEBHOOK, "ok", texts("doctor.webhook_recovered", name=name, error=error, count=minutes))


async def _poller(account: Account, facts: WebhookFacts, wanted: SelfCheck, hold: int, texts: Catalogue) -> Check:
    """Look for another program that fetches the updates.

    Telegram ends a waiting request when another one arrives (Bot API: getUpdates), so a program that asks again ends
    this one. If updates are queued, no program fetches them, and a request would return at once.
    """
    name = "Telegram: updates"
    waiting = texts("doctor.updates_waiting", count=facts.pending)
    if wanted.is_running:
        return Check(name, "ok", f"{texts('doctor.updates_here')} {waiting}")
    if facts.host or facts.pending:
        return Check(name, "ok", waiting)
    try:
        await account.waiting(hold)
    except AccountError as error:
        if error.problem != "poller":
            raise
        return Check(name, "failed", str(error))
    return Check(name, "ok", texts("doctor.updates_free"))


def _groups(me: BotFacts, texts: Catalogue) -> Check:
    name = "Telegram: groups"
    if me.can_join_groups is False:
        return Check(name, "ok", texts("doctor.groups_closed"))
    if me.reads_all_messages is None:
        return Check(name, "ok", texts("doctor.groups_unknown"))
    return Check(name, "ok", texts("doctor.groups_all" if me.reads_all_messages else "doctor.groups_privacy"))


async def _admins(account: Account, me: BotFacts, wanted: SelfCheck, texts: Catalogue) -> Sequence[Check]:
    """Check whether the bot may write to the admins."""
    name = "Telegram: admins"
    url = f"https://t.me/{me.username}"
    problems = [
        texts("doctor.admin_unknown", user=admin, url=url)
        for admin in wanted.admins[:MOST_ADMINS]
        if not await account.knows(admin)
    ]
    if wanted.admin_chat is not None and not await account.knows(wanted.admin_chat):
        problems.append(texts("doctor.admin_chat_unknown", id=wanted.admin_chat))
    if not wanted.admins and wanted.admin_chat is None:
        return ()
    return (Check(name, "warning" if problems else "ok", " ".join(problems)),)
