"""Telegram Bot API server for tests, demos and development, over real HTTP on 127.0.0.1.

async with Emulator() as emu:
    ann = emu.add_user(first_name="Ann")
    await ann.say("hi")             # a bot that polls emu.base_url with emu.token receives it
    reply = await emu.wait_for_message(ann.private_chat())
"""

from tgllm.testing.emulator.emulator import DEFAULT_TOKEN, Emulator
from tgllm.testing.emulator.limits.downloads import DownloadFault, Downloads, FileDownload
from tgllm.testing.emulator.limits.faults import EVERY_METHOD, Fault
from tgllm.testing.emulator.limits.rates import RateLimits
from tgllm.testing.emulator.protocol.errors import BotApiError
from tgllm.testing.emulator.state.bots import EmulatedBot
from tgllm.testing.emulator.state.journal import Call, Journal
from tgllm.testing.emulator.state.records import (
    Button,
    CallbackQuery,
    EmulatedChat,
    EmulatedDraft,
    EmulatedMessage,
    EmulatedTopic,
    StoredFile,
)
from tgllm.testing.emulator.state.suggestions import Suggestion
from tgllm.testing.emulator.users import EmulatedUser

__all__ = [
    "DEFAULT_TOKEN",
    "EVERY_METHOD",
    "BotApiError",
    "Button",
    "Call",
    "CallbackQuery",
    "DownloadFault",
    "Downloads",
    "EmulatedBot",
    "EmulatedChat",
    "EmulatedDraft",
    "EmulatedMessage",
    "EmulatedTopic",
    "EmulatedUser",
    "Emulator",
    "Fault",
    "FileDownload",
    "Journal",
    "RateLimits",
    "StoredFile",
    "Suggestion",
]
