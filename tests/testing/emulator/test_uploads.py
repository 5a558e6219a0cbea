"""What users send, forward and edit: two SDKs read it, and download what was sent."""

import asyncio
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import telegram
from aiogram.types import Update

from emulator_support import Call
from tgllm.testing.emulator import DownloadFault, EmulatedUser, Emulator

KINDS = ("document", "photo", "voice", "audio", "video", "animation", "video_note", "sticker")


async def updates(api: Call) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = await api("getUpdates")
    for raw in found:
        Update.model_validate(raw)
        telegram.Update.de_json(raw, None)
    return found


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_file_is_read_by_two_sdks(ann: EmulatedUser, api: Call, kind: str) -> None:
    await ann.upload(b"x", kind=kind, about={"file_size": None}, thumbnail=b"small")
    (raw,) = await updates(api)
    body = raw["message"][kind]
    described = body[0] if isinstance(body, list) else body
    assert "file_size" not in described
    assert described["thumbnail"]["file_size"] == 5


async def test_a_size_may_be_a_lie_and_a_sticker_may_move(ann: EmulatedUser, api: Call) -> None:
    await ann.upload(b"x", about={"file_size": 2 * 1024**3})
    await ann.upload(b"x", kind="sticker", about={"is_animated": True, "emoji": "🎉"})
    first, second = await updates(api)
    assert first["message"]["document"]["file_size"] == 2 * 1024**3
    assert (second["message"]["sticker"]["is_animated"], second["message"]["sticker"]["emoji"]) == (True, "🎉")


async def test_a_forward_has_the_same_file_and_its_origin(emu: Emulator, ann: EmulatedUser, api: Call) -> None:
    sent = await ann.upload(b"x", name="a.pdf", caption="mine")
    await ann.forward(sent)
    first, second = [raw["message"] for raw in await updates(api)]
    assert second["document"] == first["document"]
    assert (second["caption"], second["forward_origin"]["sender_user"]["id"]) == ("mine", ann.id)


async def test_media_and_captions_are_edited(ann: EmulatedUser, api: Call) -> None:
    sent = await ann.upload(b"x", name="a.pdf", caption="one")
    await ann.edit(sent, "")
    await ann.edit_media(sent, b"yy", kind="photo", caption="two")
    captionless, other = [raw["edited_message"] for raw in (await updates(api))[1:]]
    assert "caption" not in captionless
    assert (other["caption"], other["photo"][0]["file_size"], "document" in other) == ("two", 2, False)
    with pytest.raises(ValueError, match="1024"):
        await ann.edit(sent, "x" * 1025)


async def test_ranges_and_faults_of_downloads(
    emu: Emulator, ann: EmulatedUser, api: Call, http: aiohttp.ClientSession
) -> None:
    sent = await ann.upload(b"0123456789")
    assert sent.file is not None
    url = f"{emu.base_url}/file/bot{emu.token}/{sent.file.path}"

    async def fetch(start: int) -> tuple[int, str | None, bytes]:
        async with http.get(url, headers={"Range": f"bytes={start}-"}) as response:
            return response.status, response.headers.get("Content-Range"), await response.read()

    assert await fetch(4) == (206, "bytes 4-9/10", b"456789")
    assert (await fetch(10))[:2] == (416, "bytes */10")
    emu.downloads.add_fault(DownloadFault.ignore_range(times=1))
    assert await fetch(4) == (200, None, b"0123456789")
    emu.downloads.add_fault(DownloadFault.shift_range())
    assert await fetch(4) == (206, "bytes 5-9/10", b"56789")
    emu.downloads.add_fault(DownloadFault.cut(3))
    with pytest.raises(aiohttp.ClientError):
        await fetch(0)
    emu.downloads.add_fault(DownloadFault.fail(429, retry_after=5))
    assert (await fetch(0))[0] == 429
    assert [each.status for each in emu.downloads] == [206, 416, 200, 206, 206, 429]


async def test_a_local_server_names_absolute_paths(emu: Emulator, ann: EmulatedUser, api: Call, tmp_path: Path) -> None:
    emu.world.files.folder = tmp_path
    sent = await ann.upload(b"x" * (20 * 1024 * 1024 + 1))
    assert sent.file is not None
    path = Path((await api("getFile", file_id=sent.file.file_id))["file_path"])
    assert path.is_relative_to(tmp_path)
    assert len(await asyncio.to_thread(path.read_bytes)) == sent.file.size
