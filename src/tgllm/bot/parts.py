"""The parts of a running bot that handlers need."""

from dataclasses import dataclass, field

from aiogram import Bot

from tgllm.bot.delivery.sender import Sender
from tgllm.bot.streaming.pace import Intervals
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.updates.acknowledgements import Acknowledgements
from tgllm.services.bot_core import BotCore
from tgllm.services.maintenance.job_times import ListJobs

__all__ = ["BotParts"]


@dataclass(frozen=True, slots=True)
class BotParts:
    """Made once, when the bot starts."""

    core: BotCore
    bot: Bot
    bot_id: int
    username: str
    """The bot's own, without the @."""
    sender: Sender
    limiter: Limiter
    acknowledgements: Acknowledgements
    """The reactions of messages that wait."""
    sees_all: bool
    """Whether Telegram shows the bot all messages of groups in which it is no admin. Bot API: getMe."""
    intervals: Intervals = field(default_factory=Intervals)
    """How often the chats take a change of what is shown."""
    jobs: ListJobs = lambda: ()
    """The jobs of the scheduler that runs beside the bot."""
