"""Telegram: the only part, with ``web`` and ``testing``, that knows aiogram.

Importing any module of this package imports aiogram by way of ``imports``, which makes that cheaper.
"""

from tgllm.bot.telegram import imports

imports.prepare()
