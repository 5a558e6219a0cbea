"""Reading a response to getUpdates: one bad update takes no other with it, and no response is a surprise."""

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tgllm.bot.telegram.get_updates import BadResponse, Undecoded, id_of, read_entries


def response(*updates: str) -> bytes:
    """A response with these updates, as Telegram writes it."""
    return ('{"ok":true,"result":[' + ",\n".join(updates) + "]}").encode()


def message(update_id: int, text: str = "hi", **more: Any) -> str:
    return json.dumps({"update_id": update_id, "message": {"text": text, **more}})


GOOD = [message(1, 'a "quoted" \\ {[ text'), message(3, "\ud83d \x00 \u2028 end")]
DEEP = '{"update_id":2,"message":{"text":%s1%s}}'
BAD = {
    "NaN": '{"update_id":2,"message":{"date":NaN}}',
    "Infinity": '{"update_id":2,"message":{"date":Infinity}}',
    "-Infinity": '{"update_id":2,"message":{"date":-Infinity}}',
    "1e999": '{"update_id":2,"message":{"date":1e999}}',
    "-1e999": '{"update_id":2,"message":{"date":-1e999}}',
    "5000 digits": '{"update_id":2,"message":{"date":%s}}' % ("9" * 5000),
    "100000 lists": DEEP % ("[" * 100_000, "]" * 100_000),
    "100000 objects": DEEP % ('{"x":' * 100_000, "}" * 100_000),
    "no value": '{"update_id":2,"message":{"date":}}',
    "single quotes": '{"update_id":2,"message":{\'date\':1}}',
    "comment": '{"update_id":2,/* no JSON */"message":{"date":1}}',
    "id comes late": '{"message":{"date":NaN,"update_id":99},"update_id":2}',
    "id as text": '{"update_id":"2","message":{"date":NaN}}',
}


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_the_neighbours_of_a_bad_update_are_read(bad: str) -> None:
    first, second, third = read_entries(response(GOOD[0], bad, GOOD[1])) or ()
    assert [first, third] == [json.loads(each) for each in GOOD]
    assert isinstance(second, Undecoded)
    assert second.update_id == 2
    assert len(second.reason) < 200


@pytest.mark.parametrize("bad", BAD.values(), ids=BAD.keys())
def test_a_bad_update_alone_is_known_by_its_id(bad: str) -> None:
    (only,) = read_entries(response(bad)) or ()
    assert isinstance(only, Undecoded)
    assert only.update_id == 2


@pytest.mark.parametrize(
    "body",
    [
        response(*GOOD).replace(b"a ", b"a \xff\xfe "),
        b"\xef\xbb\xbf" + response(*GOOD),
        b" \n" + response(*GOOD) + b"\n",
        response(*GOOD).replace(b"hi", b"h\ni"),
        json.dumps({"ok": True, "result": [json.loads(each) for each in GOOD], "more": [{"update_id": 9}]}).encode(),
    ],
    ids=["invalid UTF-8", "byte order mark", "white space", "control characters", "more fields"],
)
def test_what_is_nearly_right_is_read(body: bytes) -> None:
    entries = read_entries(body) or ()
    assert [entry["update_id"] for entry in entries if isinstance(entry, dict)] == [1, 3]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html><body>{502}</body></html>",
        b'<script>{"ok":true,"result":[{"update_id":5,"x":',
        b'{"ok":true}',
        b'{"ok":true,"result":null}',
        b'{"ok":true,"result":{}}',
        b'{"ok":true,"result":{"update_id":5}}',
        b'{"ok":true,"result":"[]"}',
        b'{"ok":true,"result":1e999}',
        b"[]",
        b"null",
        b'"result"',
        b"\x1f\x8b\x08\x00gzip",
        b"\xff\xfe{\x00}\x00",
        b"[" * 200_000,
        b"{" * 200_000,
        b'{"ok":true,"result":' + b"[" * 200_000,
        b'{"ok":true,"description":"[{","x":{"result":[{"update_id":5}]}',
    ],
    ids=repr,
)
def test_a_response_without_updates_names_none(body: bytes) -> None:
    with pytest.raises(BadResponse) as caught:
        read_entries(body)
    assert (caught.value.first_id, caught.value.is_of_bot_api) == (None, False)


@pytest.mark.parametrize("body", [b'{"ok":false,"error_code":409}', b"{}", b'{"ok":1,"result":[]}'], ids=repr)
def test_an_error_is_left_to_others(body: bytes) -> None:
    assert read_entries(body) is None


def test_of_a_response_that_ends_early_the_whole_updates_are_read() -> None:
    body = response(*GOOD, message(4, "long"))
    assert list(read_entries(body[:-20]) or ()) == [json.loads(each) for each in GOOD]


def test_a_first_update_that_ends_early_is_known_by_its_id() -> None:
    with pytest.raises(BadResponse) as caught:
        read_entries(response(GOOD[0])[:-20])
    assert (caught.value.first_id, caught.value.is_of_bot_api) == (1, True)


def test_an_id_that_ends_early_is_none() -> None:
    with pytest.raises(BadResponse) as caught:
        read_entries(b'{"ok":true,"result":[{"update_id":12')
    assert (caught.value.first_id, caught.value.is_of_bot_api) == (None, True)


def test_of_a_response_that_is_too_large_the_beginning_is_read() -> None:
    assert read_entries(response(*GOOD)[:-30], is_whole=False) == [json.loads(GOOD[0])]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (5, 5),
        (0, 0),
        ("5", 5),
        (5.0, 5),
        (5.5, None),
        (True, None),
        (-5, None),
        ("-5", None),
        ("٥", None),
        ("5" * 99, None),
        (2**70, None),
        (2**63 - 1, None),
        (1e300, None),
        (float("nan"), None),
        (None, None),
        ([5], None),
        ({}, None),
    ],
)
def test_what_is_an_update_id(value: object, expected: int | None) -> None:
    assert id_of(value) == expected


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@settings(deadline=None)
@given(st.lists(st.dictionaries(st.text(), JSON, max_size=4), min_size=1, max_size=5), st.booleans(), st.data())
def test_whatever_stands_beside_a_bad_update_is_read(
    updates: list[dict[str, Any]], ascii_only: bool, data: st.DataObject
) -> None:
    texts = [json.dumps({"update_id": i, **update}, ensure_ascii=ascii_only) for i, update in enumerate(updates)]
    place = data.draw(st.integers(0, len(texts)))
    entries = read_entries(response(*texts[:place], '{"update_id":77,"x":[NaN,"]}"]}', *texts[place:])) or ()
    kept = [entry for entry in entries if not isinstance(entry, Undecoded)]
    assert kept == [json.loads(text) for text in texts]
    assert [entry.update_id for entry in entries if isinstance(entry, Undecoded)] == [77]


@settings(deadline=None)
@given(st.binary() | st.text().map(str.encode), st.integers(0, 200))
def test_no_bytes_are_a_surprise(noise: bytes, cut: int) -> None:
    for body in (noise, response(GOOD[0])[:cut] + noise, response(noise.decode("utf-8", "replace"))):
        with suppress(BadResponse):
            read_entries(body)
