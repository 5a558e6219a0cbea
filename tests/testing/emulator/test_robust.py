"""Whatever a bot sends, it gets an answer in the form of the Bot API; texts keep their rules."""

import asyncio
from typing import Any

import aiohttp
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from emulator_support import Call
from tgllm.testing.emulator import BotApiError, EmulatedChat, EmulatedUser, Emulator, Fault
from tgllm.testing.emulator.markup.text import Text, tidy, utf16_len
from tgllm.testing.emulator.protocol.parameters import Kind, known_methods, method_spec

ODD: list[Any] = [
    "x",
    "[]",
    "{}",
    0,
    -7,
    [],
    {},
    [1],
    ["x"],
    [{}],
    {"type": "x", "media": 5},
    [[]],
    {"blocks": 3},
    True,
]


@pytest.mark.parametrize("odd", ODD, ids=str)
async def test_odd_parameters_never_break_the_server(
    ann: EmulatedUser, chat: EmulatedChat, raw: Call, odd: Any
) -> None:
    message = await ann.say("hi")
    fixed = {"chat_id": chat.id, "from_chat_id": chat.id, "message_id": message.id, "text": "x"}
    statuses: set[int] = set()
    for name in known_methods():
        spec = method_spec(name)
        assert spec is not None
        nested = {n: odd for n, p in spec.parameters.items() if p.kind not in {Kind.INTEGER, Kind.FLOAT}}
        answer = await raw(name, **{**nested, **fixed, "timeout": 0})
        statuses.add(200 if answer["ok"] else answer["error_code"])
    assert statuses <= {200, 400, 501}


entities = st.lists(
    st.builds(
        lambda kind, offset, length: {"type": kind, "offset": offset, "length": length},
        st.sampled_from(["bold", "italic", "code", "pre", "blockquote", "spoiler"]),
        st.integers(0, 30),
        st.integers(0, 30),
    ),
    max_size=12,
)


@settings(deadline=None)  # a busy machine is no failure
@given(st.text(alphabet="ab 🎉é\n", max_size=30), entities)
def test_kept_entities_are_in_bounds_nested_and_never_inside_code(text: str, given_ones: list[dict[str, Any]]) -> None:
    try:
        kept = tidy(text, given_ones)
    except BotApiError:
        return
    assert_well_formed(kept)
    assert tidy(kept.text, kept.entities) == kept


def assert_well_formed(kept: Text) -> None:
    spans = [(e["offset"], e["offset"] + e["length"], e["type"]) for e in kept.entities]
    assert all(0 <= start < end <= utf16_len(kept.text) for start, end, _ in spans)
    for number, (start, end, kind) in enumerate(spans):
        for later_start, later_end, _ in spans[number + 1 :]:
            apart = later_start >= end
            assert apart or (start <= later_start and later_end <= end and kind not in {"code", "pre"})


FORM = {"Content-Type": "application/x-www-form-urlencoded"}
PARTS = {"Content-Type": "multipart/form-data; boundary=x"}
FIELD = b'--x\r\nContent-Disposition: form-data; name="text"\r\n'


@pytest.mark.parametrize(
    ("body", "headers", "words"),
    [
        (b'{"text":' + b"[" * 200_000, {}, "nested too deep"),
        (b"\xff\xfe{", {}, "strings must be encoded in UTF-8"),
        (b'{"text":"\\ud800"}', {}, "strings must be encoded in UTF-8"),
        (b"[]", {}, "expected a JSON object"),
        (b"text=\xff", FORM, "can't decode byte 0xff"),
        (b"text=x", {"Content-Type": FORM["Content-Type"] + "; charset=none"}, "unknown encoding: none"),
        (b"x", {"Content-Type": "multipart/form-data"}, "boundary missed"),
        (b"x", PARTS, "Could not find starting boundary"),
        (FIELD + b"\r\nx", PARTS, ""),
        (FIELD + b"\r\n\xff\r\n--x--\r\n", PARTS, "can't decode byte 0xff"),
    ],
)
async def test_a_body_that_cannot_be_read_is_refused_in_form(
    emu: Emulator, http: aiohttp.ClientSession, body: bytes, headers: dict[str, str], words: str
) -> None:
    url = f"{emu.base_url}/bot{emu.token}/sendMessage"
    async with http.post(url, data=body, headers={"Content-Type": "application/json", **headers}) as response:
        answer = await response.json()
    assert (response.status, answer["error_code"]) == (400, 400)
    assert answer["description"].startswith("Bad Request: can't parse request: ")
    assert words in answer["description"]


async def test_a_body_that_is_too_large_and_a_path_without_a_method_are_refused_in_form(
    emu: Emulator, http: aiohttp.ClientSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tgllm.testing.emulator.serving.MAX_REQUEST_BYTES", 1000)
    await emu.restart()
    body = b'{"text":"' + b"x" * 1000 + b'"}'
    headers = {"Content-Type": "application/json"}
    async with http.post(f"{emu.base_url}/bot{emu.token}/sendMessage", data=body, headers=headers) as response:
        assert await response.json() == {"ok": False, "error_code": 413, "description": "Request Entity Too Large"}
    async with http.get(f"{emu.base_url}/bot{emu.token}") as response:
        assert await response.json() == {"ok": False, "error_code": 404, "description": "Not Found"}


@pytest.mark.parametrize("chat_id", ["--5", "²", "9" * 5000, "٥", []])
async def test_an_odd_chat_id_finds_no_chat(emu: Emulator, refused: Call, chat_id: Any) -> None:
    emu.faults.add(Fault.retry_after("sendMessage", 1, chat_id=77))
    assert await refused("sendMessage", chat_id=chat_id, text="x") == "400 Bad Request: chat not found"
    assert await refused("sendMessage", chat_id=chat_id, text="x", entities="x") == (
        "400 Bad Request: can't parse message entities JSON object"
    )
    assert emu.journal.of("sendMessage", chat_id=77) == []


async def test_the_journal_tells_the_chat_of_a_call_with_a_wrong_parameter(
    emu: Emulator, chat: EmulatedChat, http: aiohttp.ClientSession
) -> None:
    form = {"chat_id": str(chat.id), "text": "x", "reply_markup": "{"}
    async with http.post(f"{emu.base_url}/bot{emu.token}/sendMessage", data=form) as response:
        assert response.status == 400
    (call,) = emu.journal.of("sendMessage", chat_id=chat.id)
    assert call.params == {"chat_id": chat.id, "text": "x", "reply_markup": "{"}


async def test_half_a_surrogate_pair_in_an_injected_update_is_escaped(emu: Emulator, api: Call) -> None:
    emu.inject_update({"message": {"text": "\ud800 é"}})
    (update,) = await api("getUpdates")
    assert update["message"]["text"] == "\ud800 é"


async def test_a_call_that_is_held_when_the_server_stops_was_cut(emu: Emulator, chat: EmulatedChat, api: Call) -> None:
    emu.faults.add(Fault.hold("sendMessage"))
    held = asyncio.create_task(api("sendMessage", chat_id=chat.id, text="x"))
    await emu.wait_for(lambda: emu.journal.of("sendMessage"))
    await emu.stop()
    with pytest.raises(aiohttp.ClientError):
        await held
    assert [call.status for call in emu.journal] == [0]
