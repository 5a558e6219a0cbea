"""The Telegram layer; only this package and ``testing`` import aiogram.

Importing any module of this package imports aiogram through ``telegram.imports``, which makes the import cheaper.
"""

from tgllm.bot.telegram import imports

imports.prepare()
