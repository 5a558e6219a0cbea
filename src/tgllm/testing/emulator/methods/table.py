"""All methods with a specific implementation; importing this module registers them.

Every other method that aiogram knows returns ``true`` if that is its only possible result, else 501.
"""

from tgllm.testing.emulator.methods import (
    callbacks,
    chats,
    commands,
    copies,
    drafts,
    ephemeral,
    files,
    messages,
    receiving,
    rich,
    texts,
    topics,
)
from tgllm.testing.emulator.methods.call import MethodCall
from tgllm.testing.emulator.methods.registry import HANDLERS

__all__ = [
    "HANDLERS",
    "MethodCall",
    "callbacks",
    "chats",
    "commands",
    "copies",
    "drafts",
    "ephemeral",
    "files",
    "messages",
    "receiving",
    "rich",
    "texts",
    "topics",
]
