"""Telegram: the only part, with ``web`` and ``testing``, that knows aiogram.

Importing any module of this package imports aiogram by way of ``aiogram_import``, which makes that cheaper.
"""

from tgllm.bot import aiogram_import

aiogram_import.prepare()
