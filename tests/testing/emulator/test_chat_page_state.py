"""What the chat page reads and does over the control API: unread marks, new groups, suggestions, sizes of pictures."""

import struct
from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator, Suggestion
from tgllm.testing.emulator.state.image_size import image_size

Call = Callable[..., Awaitable[Any]]

PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + b"\x08\x02\0\0\0"
JPEG = (
    b"\xff\xd8" + struct.pack(">2sH", b"\xff\xe0", 4) + b"\0\0" + struct.pack(">2sHBHH", b"\xff\xc2", 11, 8, 480, 640)
)


@pytest.fixture
def control(emu: Emulator, http: aiohttp.ClientSession) -> Call:
    async def request(path: str, body: Any = None) -> Any:
        method, headers = ("GET" if body is None else "POST"), {"X-Control-Key": emu.control_key}
        async with http.request(method, f"{emu.base_url}/_control/{path}", json=body, headers=headers) as answer:
            return await answer.json()

    return request


async def unread(control: Call, chat: EmulatedChat) -> dict[str, int]:
    (line,) = [line for line in (await control("state"))["chats"] if line["id"] == chat.id]
    return line["unread"]


async def test_messages_of_others_are_unread_until_they_are_seen(
    emu: Emulator, ann: EmulatedUser, api: Call, control: Call
) -> None:
    eve = emu.add_user(first_name="Eve")
    group = emu.add_group(title="Team", members=[ann, eve], bots=[emu.bot])
    await ann.say("hello", chat=group)
    await api("sendMessage", chat_id=group.id, text="one")
    last = await api("sendMessage", chat_id=group.id, text="two")
    assert await unread(control, group) == {str(ann.id): 2, str(eve.id): 3}
    seen = {"user": eve.id, "chat": group.id, "message": last["message_id"] - 1}
    assert await control("read", seen) == {}
    assert await unread(control, group) == {str(ann.id): 2, str(eve.id): 1}
    await control("read", {**seen, "message": 1})
    assert await unread(control, group) == {str(ann.id): 2, str(eve.id): 1}, "a message is not unread again"
    await ann.say("I have seen them", chat=group)
    assert await unread(control, group) == {str(ann.id): 0, str(eve.id): 2}


async def test_reading_nothing_new_changes_no_version(chat: EmulatedChat, ann: EmulatedUser, control: Call) -> None:
    said = await ann.say("hi")
    version = (await control("state"))["version"]
    await control("read", {"user": ann.id, "chat": chat.id, "message": said.id})
    assert (await control("state"))["version"] == version


async def test_the_list_of_chats_has_the_last_message(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, control: Call
) -> None:
    async def last() -> tuple[str, Any]:
        (line,) = (await control("state"))["chats"]
        return line["last"], line["last_from"] and line["last_from"]["name"]

    assert await last() == ("", None)
    await ann.say("first line\nsecond line")
    assert await last() == ("first line second line", "Ann")
    await ann.upload(PNG, name="a.png", mime="image/png", kind="photo", caption="see")
    assert await last() == ("🖼 Photo see", "Ann")
    await ann.upload(b"x", name="notes.txt")
    assert await last() == ("notes.txt", "Ann")
    assert chat.messages[-1].id == emu.world.chats[emu.bot.id, ann.id].last_message_id


async def test_a_user_creates_a_group_as_in_a_client(
    emu: Emulator, ann: EmulatedUser, api: Call, control: Call
) -> None:
    eve = emu.add_user(first_name="Eve")
    group = await control("groups", {"user": ann.id, "title": " Team ", "members": [eve.id, ann.id]})
    assert group["title"] == "Team"
    assert [(each["name"], each["status"]) for each in group["accounts"]] == [
        ("Ann", "creator"),
        ("demo_bot", "member"),
        ("Eve", "member"),
    ]
    updates = await api("getUpdates")
    assert [next(iter(update.keys() - {"update_id"})) for update in updates] == ["my_chat_member", "message", "message"]
    assert updates[0]["my_chat_member"]["from"]["id"] == ann.id
    view = await control(f"chat?chat={group['id']}")
    assert [message["service"] for message in view["messages"]] == [
        "Ann created the group",
        "Ann added demo_bot",
        "Ann added Eve",
    ]


@pytest.mark.parametrize("title", ["", "  ", "x" * 129])
async def test_a_group_has_a_title_that_telegram_takes(ann: EmulatedUser, control: Call, title: str) -> None:
    answer = await control("groups", {"user": ann.id, "title": title})
    assert answer == {"error": "the title of a group has 1 to 128 characters"}


async def test_a_suggestion_is_sent_as_the_user(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, control: Call
) -> None:
    emu.suggestions = [Suggestion("Hello", "Say hello"), Suggestion("A picture", "What is it?", file=PNG)]
    view = await control(f"chat?chat={chat.id}")
    assert view["suggestions"] == [
        {"label": "Hello", "text": "Say hello", "has_file": False},
        {"label": "A picture", "text": "What is it?", "has_file": True},
    ]
    group = emu.add_group(title="Team", members=[ann], bots=[emu.bot])
    assert (await control(f"chat?chat={group.id}"))["suggestions"] == []
    await control("suggest", {"user": ann.id, "number": 0})
    picture = await control("suggest", {"user": ann.id, "number": 1})
    assert [message.text for message in chat.messages] == ["Say hello", "What is it?"]
    assert (picture["file"]["is_image"], picture["file"]["width"], picture["file"]["height"]) == (True, 640, 480)
    assert await control("suggest", {"user": ann.id, "number": 2}) == {"error": "there is no suggestion 2"}


async def test_an_empty_chat_shows_the_bot_s_description(
    emu: Emulator, chat: EmulatedChat, api: Call, control: Call
) -> None:
    assert (await control(f"chat?chat={chat.id}"))["description"] == ""
    await api("setMyDescription", description="I answer")
    await api("setMyDescription", description="Ich antworte", language_code="de")
    assert (await control(f"chat?chat={chat.id}"))["description"] == "I answer"
    otto = emu.add_user(first_name="Otto", language_code="de")
    otto.private_chat()
    assert (await control(f"chat?chat={otto.id}"))["description"] == "Ich antworte"


@pytest.mark.parametrize(
    ("content", "size"),
    [
        (PNG, (640, 480)),
        (b"GIF89a" + struct.pack("<HH", 640, 480), (640, 480)),
        (JPEG, (640, 480)),
        (b"RIFF\0\0\0\0WEBPVP8X" + b"\0" * 8 + b"\x7f\x02\0\xdf\x01\0", (640, 480)),
        (b"RIFF\0\0\0\0WEBPVP8L\0\0\0\0\x2f" + struct.pack("<I", 639 | 479 << 14), (640, 480)),
        (b"RIFF\0\0\0\0WEBPVP8 " + b"\0" * 10 + struct.pack("<HH", 640, 480), (640, 480)),
        (b"RIFF\0\0\0\0WEBPVP9 " + b"\0" * 20, None),
        (PNG[:20], None),
        (JPEG[:6], None),
        (b"\xff\xd8\0\0\0\0", None),
        (PNG[:16] + struct.pack(">II", 0, 480), None),
        (b"", None),
        (b"text", None),
    ],
)
def test_the_size_of_an_image_is_read_from_its_beginning(content: bytes, size: tuple[int, int] | None) -> None:
    assert image_size(content) == size


async def test_a_photo_has_its_own_size(emu: Emulator, ann: EmulatedUser, chat: EmulatedChat) -> None:
    sent = await ann.upload(PNG, name="a.png", mime="image/png", kind="photo")
    assert (sent.fields["photo"][0]["width"], sent.fields["photo"][0]["height"]) == (640, 480)
    assert chat.messages == [sent]
    assert emu.bot in emu.world.bots_in(chat)
