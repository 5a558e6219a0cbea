"""Stored updates as aiogram's objects."""

from unittest.mock import Mock

import pytest
from aiogram import Bot

from tgllm.bot.updates.parsing import parse_update


@pytest.mark.parametrize("kind", ["message", "edited_message", "callback_query", "my_chat_member"])
def test_an_update_whose_only_content_is_null_is_refused_before_a_handler_sees_it(kind: str) -> None:
    with pytest.raises(Exception, match="known event type"):
        parse_update(f'{{"update_id": 1, "{kind}": null}}', Mock(Bot))
