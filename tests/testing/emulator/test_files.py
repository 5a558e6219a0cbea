"""Files in both directions, albums, captions, sizes."""

from typing import Any

import aiohttp
import pytest

from emulator_support import Call
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator


async def send(
    emu: Emulator, http: aiohttp.ClientSession, method: str, fields: dict[str, Any], **files: bytes
) -> dict[str, Any]:
    form = aiohttp.FormData()
    for name, value in fields.items():
        form.add_field(name, str(value))
    for name, content in files.items():
        form.add_field(name, content, filename=f"{name}.txt", content_type="text/plain")
    async with http.post(f"{emu.base_url}/bot{emu.token}/{method}", data=form) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def test_a_users_file_can_be_downloaded(
    emu: Emulator, ann: EmulatedUser, api: Call, http: aiohttp.ClientSession
) -> None:
    await ann.upload(b"\x00report\xff", name="report.pdf", mime="application/pdf", caption="Read /this")
    (update,) = await api("getUpdates")
    document = update["message"]["document"]
    assert (document["file_name"], document["mime_type"]) == ("report.pdf", "application/pdf")
    assert update["message"]["caption_entities"][0]["type"] == "bot_command"
    file = await api("getFile", file_id=document["file_id"])
    async with http.get(f"{emu.base_url}/file/bot{emu.token}/{file['file_path']}") as response:
        assert await response.read() == b"\x00report\xff"
    async with http.get(f"{emu.base_url}/file/bot{emu.token}/documents/no_such") as response:
        assert response.status == 404


async def test_more_than_20_mb_cannot_be_downloaded(ann: EmulatedUser, refused: Call) -> None:
    message = await ann.upload(b"x" * (20 * 1024 * 1024 + 1))
    assert message.file is not None
    assert await refused("getFile", file_id=message.file.file_id) == "400 Bad Request: file is too big"
    assert await refused("getFile", file_id="made up") == "400 Bad Request: invalid file_id"


async def test_a_bot_uploads_a_file_and_sends_it_again_by_id(
    emu: Emulator, chat: EmulatedChat, api: Call, http: aiohttp.ClientSession
) -> None:
    answer = await send(emu, http, "sendDocument", {"chat_id": chat.id, "caption": "log"}, document=b"line")
    document = answer["result"]["document"]
    assert (document["file_name"], document["file_size"]) == ("document.txt", 4)
    again = await api("sendDocument", chat_id=chat.id, document=document["file_id"])
    assert again["document"]["file_id"] == document["file_id"]
    assert [message.file.content for message in chat.messages if message.file] == [b"line", b"line"]
    assert emu.journal.of("sendDocument")[0].params["document"] == "<document.txt, 4 bytes>"


async def test_an_album_of_a_bot_is_sent_whole_or_not_at_all(
    emu: Emulator, chat: EmulatedChat, http: aiohttp.ClientSession
) -> None:
    media = '[{"type":"photo","media":"attach://a","caption":"two"},{"type":"photo","media":"attach://b"}]'
    answer = await send(emu, http, "sendMediaGroup", {"chat_id": chat.id, "media": media}, a=b"1", b=b"2")
    first, second = answer["result"]
    assert first["media_group_id"] == second["media_group_id"]
    assert (first["caption"], "caption" in second) == ("two", False)
    answer = await send(emu, http, "sendMediaGroup", {"chat_id": chat.id, "media": media}, a=b"1")
    assert answer["error_code"] == 400
    assert len(chat.messages) == 2


async def test_an_album_and_a_paste_of_a_user_come_as_several_messages(ann: EmulatedUser, api: Call) -> None:
    await ann.album([("a.jpg", b"1"), ("b.jpg", b"2")], caption="both")
    await ann.paste("é" * 5000)
    a, b, c, d = [update["message"] for update in await api("getUpdates")]
    assert a["media_group_id"] == b["media_group_id"]
    assert (a["photo"][0]["file_size"], a["caption"]) == (1, "both")
    assert [len(c["text"]), len(d["text"])] == [4096, 904]


async def test_a_caption_has_at_most_1024_units(ann: EmulatedUser, chat: EmulatedChat, refused: Call) -> None:
    message = await ann.upload(b"x")
    assert message.file is not None
    words = await refused("sendDocument", chat_id=chat.id, document=message.file.file_id, caption="x" * 1025)
    assert words == "400 Bad Request: message caption is too long"
    with pytest.raises(ValueError, match="1024"):
        await ann.upload(b"x", caption="x" * 1025)


@pytest.mark.parametrize(
    ("name", "suffix"),
    [("a.txt", ".txt"), ("a.b#c", ""), ("a.%zz", ""), ("a.текст", ""), ("a", ""), (".gitignore", ".gitignore")],
)
async def test_a_download_path_needs_no_escapes(
    emu: Emulator, ann: EmulatedUser, api: Call, http: aiohttp.ClientSession, name: str, suffix: str
) -> None:
    message = await ann.upload(b"x", name=name)
    assert message.file is not None
    path = (await api("getFile", file_id=message.file.file_id))["file_path"]
    assert path == f"documents/file_1{suffix}"
    async with http.get(f"{emu.base_url}/file/bot{emu.token}/{path}") as response:
        assert await response.read() == b"x"


async def test_media_can_be_put_in_place_of_a_text_or_not_at_all(
    emu: Emulator, chat: EmulatedChat, api: Call, http: aiohttp.ClientSession
) -> None:
    sent = await api("sendMessage", chat_id=chat.id, text="x")
    message = chat.messages[-1]
    fields = {"chat_id": chat.id, "message_id": sent["message_id"]}
    media = '{"type":"document","media":"attach://a","caption":"c"}'
    wrong = {**fields, "media": media, "reply_markup": '{"inline_keyboard":[[{"text":"x"}]]}'}
    assert not (await send(emu, http, "editMessageMedia", wrong, a=b"1"))["ok"]
    assert (message.text, message.file, message.is_caption) == ("x", None, False)
    answer = await send(emu, http, "editMessageMedia", {**fields, "media": media}, a=b"1")
    assert (answer["result"]["caption"], answer["result"]["document"]["file_size"]) == ("c", 1)
    assert message.file is not None
