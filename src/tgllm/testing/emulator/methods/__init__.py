"""The methods of the Bot API that have a behaviour of their own.

Every other method that aiogram knows answers ``true`` when that is its only result, else 501.
"""

from tgllm.testing.emulator.methods import (
    callbacks,
    chats,
    commands,
    copies,
    drafts,
    files,
    messages,
    receiving,
    rich,
    texts,
    topics,
)
from tgllm.testing.emulator.methods.call import MethodCall, Upload
from tgllm.testing.emulator.methods.registry import HANDLERS, Handler

__all__ = [
    "HANDLERS",
    "Handler",
    "MethodCall",
    "Upload",
    "callbacks",
    "chats",
    "commands",
    "copies",
    "drafts",
    "files",
    "messages",
    "receiving",
    "rich",
    "texts",
    "topics",
]
