"""Parts of a running bot that handlers need."""

from asyncio import Lock
from dataclasses import dataclass, field
from weakref import WeakValueDictionary

from aiogram import Bot

from tgllm.bot.delivery.sender import Sender
from tgllm.bot.renderer.renderer import Renderer
from tgllm.bot.replies.composing import Composer
from tgllm.bot.streaming.pace import Intervals
from tgllm.bot.telegram.downloads import Downloads
from tgllm.bot.telegram.limiter import Limiter
from tgllm.bot.updates.acknowledgements import Acknowledgements
from tgllm.bot.updates.scrubbing import Relevance
from tgllm.plugins.calls.runner import HookRunner
from tgllm.services.bot_core import BotCore
from tgllm.services.maintenance.job_times import ListJobs

__all__ = ["BotParts"]


@dataclass(frozen=True, slots=True)
class BotParts:
    """Parts that are created once, at startup."""

    core: BotCore
    bot: Bot
    bot_id: int
    username: str
    """The bot's own, without the @."""
    sender: Sender
    limiter: Limiter
    downloads: Downloads
    """Source of people's files."""
    acknowledgements: Acknowledgements
    """Reactions of waiting messages."""
    relevance: Relevance
    """Which updates are for the bot."""
    sees_all: bool
    """Whether the bot gets all messages of groups in which it is no admin. Bot API: getMe."""
    composer: Composer
    """Composes the replies of plugins."""
    runner: HookRunner
    """Calls commands and button handlers of plugins; the runtime closes it."""
    press_locks: WeakValueDictionary[int, Lock] = field(default_factory=WeakValueDictionary[int, Lock])
    """Held while a press on a message of a plugin is handled, by the message's id."""
    intervals: Intervals = field(default_factory=Intervals)
    """Adaptive intervals of previews, by chat."""
    renderer: Renderer = field(default_factory=Renderer)
    """Renders texts; the runtime closes it."""
    jobs: ListJobs = lambda: ()
    """Lists the jobs of the scheduler."""
