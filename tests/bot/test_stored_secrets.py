"""Secrets that a provider repeats in its errors are in no file of the data folder."""

import base64
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from tgllm.api import RateLimited, Refused, Unavailable
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import ScriptedProvider

pytestmark = pytest.mark.sqlite  # reads the file

TOKEN = "42:AA-cret_bOt_t0k3n-of_this_test"
SECRET = TOKEN.partition(":")[2]
TEXT = (
    f"no: {TOKEN} {quote(TOKEN, safe='')} https://x.example/?bot=42&s={SECRET} "
    f"{base64.b64encode(TOKEN.encode()).decode()} {json.dumps(TOKEN)} Authorization: Basic {SECRET}"
)


def stored(folder: Path) -> bytes:
    """All that the files of a folder contain, the write-ahead log of a database included."""
    return b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())


@pytest.mark.parametrize(
    "error",
    [Unavailable(TEXT), Refused(TEXT, reason=TEXT), RateLimited(TEXT), ValueError(TEXT), KeyError(TEXT)],
    ids=lambda error: type(error).__name__,
)
async def test_in_the_errors_of_a_turn(tmp_path: Path, provider: ScriptedProvider, error: Exception) -> None:
    async with Emulator(token=TOKEN) as emu:
        ann = emu.add_user(first_name="Ann")
        async with running_bot(emu, tmp_path, admins=[ann.id], provider=provider) as bot:
            for _ in range(3):
                provider.answer("begun ", error)
            await ann.say("hi")
            await emu.wait_for_message(ann.private_chat())
            await emu.wait_for(lambda: not provider.open_streams)
            running = stored(tmp_path)
            await bot.stop()
            chats = emu.transcript(ann.private_chat())
        content = running + stored(tmp_path)

    digits = base64.b64encode(TOKEN.encode()).decode().rstrip("=")[:-1]
    assert [form for form in (SECRET, quote(SECRET, safe=""), digits) if form.encode() in content] == []
    assert SECRET not in chats
    assert b"begun" in content
