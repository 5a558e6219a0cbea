"""The choice of how updates are received: Telegram is asked for them, or sends them to a webhook."""

from collections.abc import Callable, Sequence

from aiogram import Bot

from tgllm.bot.intake.conflicts import Conflicts
from tgllm.bot.intake.health import Health
from tgllm.bot.intake.own_webhook import release_own
from tgllm.bot.intake.poller import Poller, Take
from tgllm.bot.intake.pushed import Pushed
from tgllm.bot.intake.webhook import Webhook
from tgllm.services.bot_core import BotCore

__all__ = ["note_for", "receiver_for"]


def receiver_for(bot: Bot, core: BotCore, take: Take) -> Poller | Webhook:
    """Return the part of the bot that receives updates, as the settings want it, and stores them with ``take``."""
    health = Health(core.database, core.clock)
    if core.config.webhook.url is not None:
        gate = core.database.gate
        pushed = Pushed(take, lambda: gate.obstacle is None)
        gate.listen(lambda _: pushed.send_later(), lambda _: None)
        return Webhook(bot, core, health, pushed)
    return Poller(
        bot,
        core.clock,
        take,
        timeout=core.config.sending.poll_timeout,
        health=health,
        conflicts=Conflicts(core, release=lambda: release_own(bot, core)),
    )


def note_for(core: BotCore) -> Callable[[Sequence[int], bool], None] | None:
    """Return what records the updates that Telegram may send again; None for getUpdates, which repeats a batch."""
    if core.config.webhook.url is None:
        return None
    return lambda ids, _any_new: core.unconfirmed.note_pushed(ids, core.clock.monotonic())
