"""The control API over HTTP and the page: what they do, and whom they refuse."""

import asyncio
import json
import socket
import sys
from importlib import resources
from itertools import groupby
from typing import Any

import aiohttp
import pytest

from emulator_support import Call
from tgllm.api.clock import SystemClock
from tgllm.testing.emulator import EmulatedChat, EmulatedUser, Emulator
from tgllm.testing.emulator import page as page_package
from tgllm.testing.emulator.__main__ import main


@pytest.fixture
def control(emu: Emulator, http: aiohttp.ClientSession) -> Call:
    """Send a control request: GET without a body, POST with one."""

    async def send(path: str, body: dict[str, Any] | None = None) -> Any:
        headers = {"X-Control-Key": emu.control_key}
        method = "GET" if body is None else "POST"
        async with http.request(method, f"{emu.base_url}/_control/{path}", json=body, headers=headers) as answer:
            return await answer.json()

    return send


async def test_a_conversation_over_http(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, control: Call, api: Call
) -> None:
    said = await control("say", {"user": ann.id, "text": "hi <b>"})
    assert (said["text"], said["from"]["name"]) == ("hi <b>", "Ann")
    keyboard = {"inline_keyboard": [[{"text": "Go", "callback_data": "go"}]]}
    sent = await api("sendMessage", chat_id=chat.id, text="ready", reply_markup=keyboard)
    found = await control(f"wait?chat={chat.id}&text=read&after={said['id']}")
    assert found["message"]["id"] == sent["message_id"]
    pressed = await control("press", {"user": ann.id, "message": sent["message_id"], "button": "Go"})
    await api("answerCallbackQuery", callback_query_id=pressed["callback_query_id"], text="ok")
    answer = await control(f"callback?id={pressed['callback_query_id']}")
    assert answer["answer"]["text"] == "ok"
    await control("edit", {"user": ann.id, "message": said["id"], "text": "hello"})
    await control("react", {"user": ann.id, "message": sent["message_id"], "emoji": "👍"})
    await api("sendMessageDraft", chat_id=chat.id, draft_id=4, text="so", can_stop=True)
    view = await control(f"chat?chat={chat.id}")
    assert [m["text"] for m in view["messages"]] == ["hello", "ready"]
    assert view["messages"][1]["reactions"] == [{"user": ann.id, "emoji": "👍"}]
    assert (view["drafts"][0]["text"], view["drafts"][0]["can_stop"]) == ("so", True)
    assert await control("stop", {"user": ann.id, "draft": 4}) == {}
    assert "Ann [#1, edited]: hello" in (await control(f"transcript?chat={chat.id}"))["transcript"]
    calls = (await control("journal?method=sendMessage"))["calls"]
    assert [call["status"] for call in calls] == [200]
    assert emu.token not in json.dumps(calls)


async def test_a_chat_shows_the_commands_of_its_user(
    emu: Emulator, ann: EmulatedUser, control: Call, api: Call
) -> None:
    chat = ann.private_chat()
    eve = emu.add_user(first_name="Eve", language_code="ru")
    group = emu.add_group(title="Team", members=[ann, eve])

    async def shown(chat: EmulatedChat) -> list[str]:
        view = await control(f"chat?chat={chat.id}")
        return [command["description"] for command in view["commands"]]

    async def offer(description: str, **where: Any) -> None:
        await api("setMyCommands", commands=[{"command": "ping", "description": description}], **where)

    assert await shown(chat) == []
    await offer("default")
    await offer("по умолчанию", language_code="ru")
    assert (await shown(chat), await shown(eve.private_chat()), await shown(group)) == (
        ["default"],
        ["по умолчанию"],
        ["default"],
    )
    await offer("private", scope={"type": "all_private_chats"})
    await offer("group", scope={"type": "all_group_chats"})
    await offer("Eve's", scope={"type": "chat", "chat_id": eve.id})
    assert (await shown(chat), await shown(eve.private_chat()), await shown(group)) == (
        ["private"],
        ["Eve's"],
        ["group"],
    )


async def test_files_over_http(emu: Emulator, ann: EmulatedUser, control: Call, http: aiohttp.ClientSession) -> None:
    said = await ann.say("hi")
    form = aiohttp.FormData({"user": str(ann.id), "caption": "see", "reply_to": str(said.id)})
    form.add_field("file", b"abc", filename="a.txt", content_type="text/plain")
    headers = {"X-Control-Key": emu.control_key}
    async with http.post(f"{emu.base_url}/_control/upload", data=form, headers=headers) as answer:
        sent = await answer.json()
    assert (sent["file"]["name"], sent["file"]["size"], sent["text"]) == ("a.txt", 3, "see")
    assert sent["reply_to"]["id"] == said.id
    url = f"{emu.base_url}/_control/file?id={sent['file']['id']}"
    async with http.get(url, headers=headers) as answer:
        assert await answer.read() == b"abc"
    async with http.get(url) as answer:
        assert answer.status == 403


async def test_files_in_a_row_are_albums_where_telegram_has_them(
    emu: Emulator, ann: EmulatedUser, http: aiohttp.ClientSession
) -> None:
    mimes = ["image/png", "video/mp4", "text/plain", *["audio/ogg; codecs=opus"] * 2, *["application/pdf"] * 11]
    form = aiohttp.FormData({"user": str(ann.id), "caption": "all"})
    for number, mime in enumerate(mimes):
        form.add_field(f"file{number}", b"abc", filename=f"{number}", content_type=mime)
    headers = {"X-Control-Key": emu.control_key}
    async with http.post(f"{emu.base_url}/_control/album", data=form, headers=headers) as answer:
        sent = (await answer.json())["messages"]
    async with http.post(f"{emu.base_url}/_control/album", data={"user": str(ann.id)}, headers=headers) as answer:
        assert answer.status == 400

    assert [message["text"] for message in sent] == ["all", *[""] * 15]
    found = ann.private_chat().messages
    groups = [message.fields.get("media_group_id") for message in found]
    sizes = [len(list(run)) for group, run in groupby(groups) if group is not None]
    assert sizes == [2, 10]
    assert [bool(group) for group in groups] == [True, True, False, False, False, *[True] * 10, False]
    assert [
        next(kind for kind in ("photo", "video", "voice", "document") if kind in it.fields) for it in found[:4]
    ] == [
        "photo",
        "video",
        "document",
        "voice",
    ]


async def test_people_places_and_faults_over_http(emu: Emulator, control: Call, refused: Call) -> None:
    bob = await control("users", {"first_name": "Bob", "id": 77})
    group = await control("groups", {"title": "Team", "members": [bob["id"]]})
    topic = await control("topics", {"chat": group["id"], "name": "News"})
    said = await control("say", {"user": 77, "chat": group["id"], "topic": topic["id"], "text": "x"})
    assert said["topic"] == topic["id"]
    await control("faults", {"kind": "api_error", "method": "getMe", "code": 418, "description": "no"})
    assert await refused("getMe") == "418 no"
    await control("rates", {"chat_burst": 2})
    assert emu.rates.limits is not None
    await control("rates", {})
    assert emu.rates.limits is None
    injected = await control("updates", {"update": {"brand_new": {}}})
    assert emu.bot.queue.pending[-1].body == {"update_id": injected["update_id"], "brand_new": {}}
    world = await control("state")
    assert [user["name"] for user in world["users"]] == ["Bob"]


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("say", {"user": 5, "text": "x"}, "there is no user 5"),
        ("say", {"user": "ann"}, "text is missing"),
        ("say", {"user": "x", "text": "x"}, "user must be a whole number"),
        ("press", {"user": "ann", "message": 9, "button": "x"}, "there is no message 9"),
        ("faults", {"kind": "x", "method": "getMe"}, "unknown kind of fault 'x'"),
        ("updates", {}, "update must be a JSON object"),
        ("say", {"user": "ann", "text": {"x": 1}}, "text must be a string"),
        ("say", {"user": float("inf"), "text": "x"}, "user must be a whole number"),
        ("users", {"first_name": "Bob", "id": []}, "id must be a whole number"),
        ("groups", {"title": "Team", "members": 5}, "members must be an array of ids"),
        ("faults", {"kind": "cut_after", "method": "getMe", "times": "x"}, "times must be a whole number"),
        (
            "faults",
            {"kind": "api_error", "method": "getMe", "code": 200, "description": "x"},
            "200 is no code of an error",
        ),
        ("faults", {"kind": "cut_after", "method": "getMe", "times": 0}, "times is at least 1"),
        ("rates", {"chat_per_second": 0}, "chat_per_second must be a number above zero"),
        ("rates", {"chat_burst": "3"}, "chat_burst must be a number above zero"),
        ("rates", {"burst": 3}, "unknown field 'burst'; there are: chat_per_second, chat_burst"),
    ],
)
async def test_wrong_requests_are_answered_in_words(
    ann: EmulatedUser, chat: EmulatedChat, control: Call, path: str, body: dict[str, Any], words: str
) -> None:
    if body.get("user") == "ann":
        body = {**body, "user": ann.id}
    assert (await control(path, body))["error"].startswith(words)
    assert chat.messages == []


async def test_a_reader_waits_for_a_change(ann: EmulatedUser, chat: EmulatedChat, control: Call) -> None:
    view = await control(f"chat?chat={chat.id}")
    later = asyncio.create_task(control(f"chat?chat={chat.id}&since={view['version']}"))
    assert (await control("state"))["version"] == view["version"], "reading changes nothing"
    assert not later.done()
    await ann.say("now")
    assert [m["text"] for m in (await later)["messages"]] == ["now"]


@pytest.mark.parametrize(
    "headers",
    [{}, {"X-Control-Key": "guess"}, {"X-Control-Key": "right", "Host": "evil.example"}],
)
async def test_strangers_are_refused(
    emu: Emulator, ann: EmulatedUser, chat: EmulatedChat, http: aiohttp.ClientSession, headers: dict[str, str]
) -> None:
    if headers.get("X-Control-Key") == "right":
        headers = {**headers, "X-Control-Key": emu.control_key}
    url = f"{emu.base_url}/_control/say"
    async with http.post(url, json={"user": ann.id, "text": "x"}, headers=headers) as answer:
        assert answer.status == 403
    assert chat.messages == []


async def test_the_page_needs_nothing_from_elsewhere(emu: Emulator, http: aiohttp.ClientSession) -> None:
    async with http.get(emu.base_url) as answer:
        page = await answer.text()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    names = sorted(file.name for file in resources.files(page_package).iterdir() if file.name.endswith((".css", ".js")))
    assert {"style.css", "app.js", "latex.js"} <= set(names)
    for name in names:
        async with http.get(f"{emu.base_url}/page/{name}") as answer:
            assert answer.status == 200
            text = await answer.text()
        assert not any(
            word in text for word in ("innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(")
        )
        # What is no address to load: a check, the beginning of a link, and a namespace.
        for harmless in ('"://"', "`https://${raw}`", '"http://www.w3.org/1998/Math/MathML"'):
            text = text.replace(harmless, "")
        assert "://" not in text
    assert "style=" not in page
    assert "<script>" not in page
    assert "//" not in page.replace("<!doctype html>", "")
    async with http.get(f"{emu.base_url}/page/..%2fserver.py") as answer:
        assert answer.status == 404
    async with http.get(emu.base_url, headers={"Host": "evil.example"}) as answer:
        assert answer.status == 403


async def test_it_runs_in_a_process_of_its_own(http: aiohttp.ClientSession) -> None:
    command = (sys.executable, "-m", "tgllm.testing.emulator", "--user", "Ann")
    before = int(SystemClock().now())
    process = await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
    try:
        assert process.stdout is not None
        told = json.loads(await process.stdout.readline())
        async with http.get(f"{told['base_url']}/bot{told['token']}/getMe") as answer:
            assert (await answer.json())["result"]["id"] == 42
        said = {"json": {"user": 1001, "text": "hi"}, "headers": {"X-Control-Key": told["control_key"]}}
        async with http.post(f"{told['base_url']}/_control/say", **said) as answer:
            assert answer.status == 200
        async with http.get(f"{told['base_url']}/bot{told['token']}/getUpdates") as answer:
            (update,) = (await answer.json())["result"]
        # A bot that keeps what it knows finds that this is another update than the first one of an earlier process.
        assert update["update_id"] >= before
        process.terminate()
        assert await process.wait() == 0
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_second_bot_and_the_members_of_a_group_over_http(
    emu: Emulator, ann: EmulatedUser, control: Call, http: aiohttp.ClientSession
) -> None:
    other = await control("bots", {"token": "43:OTHER", "username": "other_bot", "reads_all_group_messages": False})
    assert (await control("say", {"user": ann.id, "bot": other["id"], "text": "hi"}))["chat"] == ann.id
    async with http.get(f"{emu.base_url}/bot43:OTHER/getUpdates") as answer:
        (update,) = (await answer.json())["result"]
    assert update["message"]["text"] == "hi"
    await control("repeat", {"bot": other["id"]})
    assert len(emu.bot.queue) == 0
    group = await control("groups", {"title": "Team", "members": [ann.id]})
    bob = await control("users", {"first_name": "Bob", "last_name": "Lee"})
    where = {"user": ann.id, "chat": group["id"], "account": bob["id"]}
    assert await control("add", where) == await control("promote", where) == await control("remove", where) == {}
    statuses = emu.world.chats[0, group["id"]].statuses
    assert statuses[bob["id"]] == "kicked"
    assert (await control("add", {**where, "account": 5}))["error"] == "there is no account 5"
    assert (await control("say", {"user": ann.id, "bot": 5, "text": "hi"}))["error"] == "there is no bot 5"
    said = await control("say", {"user": ann.id, "chat": group["id"], "bot": None, "text": "all"})
    assert said["chat"] == group["id"]


async def test_a_control_request_that_there_is_not_is_named(control: Call) -> None:
    assert await control("shout", {}) == {"error": "there is no POST shout in the control API"}
    assert await control("say") == {"error": "there is no GET say in the control API"}


@pytest.mark.parametrize("arguments", [["--token", "secret"], ["--port", "99999"], ["--port", "taken"]])
def test_the_process_says_why_it_cannot_serve(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken, pytest.raises(SystemExit) as ended:
        main([argument.replace("taken", str(taken.getsockname()[1])) for argument in arguments])
    assert ended.value.code == 2
    told = capsys.readouterr().err
    assert any(words in told for words in ("a bot token looks like", "port must be", "address already in use"))


async def test_entities_are_given_as_json(emu: Emulator, ann: EmulatedUser, control: Call) -> None:
    link = {"type": "text_link", "offset": 0, "length": 2, "url": "https://e.org"}
    said = await control("say", {"user": ann.id, "text": "hi there", "entities": [link]})
    assert said["entities"] == [link]
    edited = await control("edit", {"user": ann.id, "message": said["id"], "text": "hi", "entities": [link]})
    assert edited["entities"] == [link]
