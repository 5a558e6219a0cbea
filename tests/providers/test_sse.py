"""Events are read from bytes, however these are cut."""

from collections.abc import AsyncIterator
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tgllm.api import BadResponse
from tgllm.providers.sse import NotAStream, ServerComment, ServerEvent, SseParser, read_events


def parse(*chunks: bytes) -> list[ServerEvent]:
    return [found for found in parse_all(*chunks) if isinstance(found, ServerEvent)]


def parse_all(*chunks: bytes) -> list[ServerEvent | ServerComment]:
    parser = SseParser()
    return [found for chunk in chunks for found in parser.feed(chunk)] + parser.end()


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_lines_may_end_in_three_ways(end: bytes) -> None:
    raw = end.join([b"data: one", b"", b"data: two", b"data: three", b"", b""])

    assert parse(raw) == [ServerEvent("one"), ServerEvent("two\nthree")]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b": keep-alive\n\ndata: a\n\n", ["a"]),
        (b"\n\n\ndata: a\n\n\n\n", ["a"]),
        (b"data:a\n\n", ["a"]),
        (b"data:  a\n\n", [" a"]),
        (b"data\n\n", [""]),
        (b"data: a: b\n\n", ["a: b"]),
        (b"id: 1\nretry: 3\nfoo: bar\ndata: a\n\n", ["a"]),
        (b"\xef\xbb\xbfdata: a\n\n", ["a"]),
        (b"data: a\n: between\ndata: b\n\n", ["a\nb"]),
        (b"data: a", ["a"]),
        (b"data: a\n", ["a"]),
        (b"event: x\n\n", []),
        (b"", []),
    ],
)
def test_what_counts_as_data(raw: bytes, expected: list[str]) -> None:
    assert [event.data for event in parse(raw)] == expected


def test_a_name_is_for_one_event() -> None:
    assert parse(b"event: error\ndata: a\n\ndata: b\n\n") == [ServerEvent("a", "error"), ServerEvent("b")]


def test_a_comment_is_told_at_once_and_parts_no_event() -> None:
    parser = SseParser()

    assert parser.feed(b": keep-alive\n") == [ServerComment("keep-alive")]
    assert parse_all(b"data: a\n:\ndata: b\n\n") == [ServerComment(), ServerEvent("a\nb")]


def test_an_event_is_there_as_soon_as_it_is_complete() -> None:
    parser = SseParser()

    assert parser.feed(b"data: a\r\n") == []
    assert parser.feed(b"\r") == [ServerEvent("a")]
    assert parser.feed(b"\ndata: b\r\n\r\n") == [ServerEvent("b")]


@given(
    texts=st.lists(st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\r\n")), max_size=4),
    end=st.sampled_from([b"\n", b"\r\n", b"\r"]),
    cuts=st.lists(st.integers(0, 200), max_size=8),
)
def test_where_the_bytes_are_cut_makes_no_difference(texts: list[str], end: bytes, cuts: list[int]) -> None:
    raw = b"".join(b"data: " + text.encode() + end + end for text in texts)
    places = sorted({0, len(raw), *(cut for cut in cuts if cut < len(raw))})
    chunks = [raw[a:b] for a, b in pairwise(places)]

    assert [event.data for event in parse(*chunks)] == texts


def test_an_event_without_end_is_refused() -> None:
    parser = SseParser()

    assert parser.feed(b"data: " + b"x" * 63 * 2**20) == []

    with pytest.raises(BadResponse):
        parser.feed(b"x" * 2 * 2**20)


def test_an_event_of_many_lines_without_end_is_refused() -> None:
    parser, line = SseParser(), b"data: " + b"x" * 2**20 + b"\n"

    assert [parser.feed(line) for _ in range(64)] == [[]] * 64

    with pytest.raises(BadResponse):
        parser.feed(line)


def test_comments_may_go_on_for_ever() -> None:
    parser = SseParser()
    comment = ServerComment("x" * 2**20)

    assert [found for _ in range(18) for found in parser.feed(b":" + b"x" * 2**20 + b"\n")] == [comment] * 18


def test_a_long_line_in_small_pieces_is_put_together_once() -> None:
    parser, size = SseParser(), 2**18

    # Looked through from its start for each piece, it would take minutes.
    assert [event for place in range(size) for event in parser.feed(b"x" if place else b"data:x")] == []
    assert parser.feed(b"\n\n") == [ServerEvent("x" * size)]


@pytest.mark.parametrize("raw", [b"<html>\n<p>Welcome</p>\n</html>", b"id: 1\nretry: 5\n\n"])
async def test_what_is_no_stream_is_told(raw: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield raw[:3]
        yield raw[3:]

    with pytest.raises(BadResponse, match="base_url"):
        _ = [found async for found in read_events(chunks())]


@pytest.mark.parametrize("raw", [b"", b"\r\n\r\n", b": alive\n\n"])
async def test_a_stream_of_nothing_is_one(raw: bytes) -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield raw

    assert [found async for found in read_events(chunks()) if isinstance(found, ServerEvent)] == []


async def test_a_stream_of_bytes_is_a_stream_of_events() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: \xd0"
        yield b"\x96\n"
        yield b"\ndata: [DONE]"

    assert [found.data async for found in read_events(chunks()) if isinstance(found, ServerEvent)] == ["Ж", "[DONE]"]


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b'{"a": 1}', [ServerEvent('{"a": 1}', bare=True)]),
        (b'\xef\xbb\xbf{"a": 1}\n', [ServerEvent('{"a": 1}', bare=True)]),
        (b'{\n  "data": "x",\n  "b": [\n  ]\n}\n', [ServerEvent('{\n  "data": "x",\n  "b": [\n  ]\n}', bare=True)]),
        (b'{"a": 1}\n{"b": 2}\n', [ServerEvent('{"a": 1}', bare=True), ServerEvent('{"b": 2}', bare=True)]),
        (b'data: {\n"a": [\n1\n]\n}\n\n', [ServerEvent('{\n"a": [\n1\n]\n}')]),
        (b': wait\n\n{"a": 1}\n\n', [ServerEvent('{"a": 1}', bare=True)]),
        (b'data: {"a": 1}\n\n{"error": 2}\n\n', [ServerEvent('{"a": 1}'), ServerEvent('{"error": 2}', bare=True)]),
        (b'data: {"a": 1}\nfoo: {}\n{"b": 2}\n\n', [ServerEvent('{"a": 1}')]),
        (b'error: {"code": 400}\n\n', [ServerEvent('{"code": 400}', "error")]),
        (b"<html>\n{\n}\n</html>\n", []),
    ],
)
def test_json_that_is_no_event_is_read_too(raw: bytes, expected: list[ServerEvent]) -> None:
    assert parse(raw) == expected
    assert parse(*(raw[place : place + 1] for place in range(len(raw)))) == expected


async def test_the_beginning_of_a_page_is_kept() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"  <html>Upstream "
        yield b"timed out</html>" + b"x" * 10_000

    with pytest.raises(NotAStream) as caught:
        _ = [found async for found in read_events(chunks())]
    assert caught.value.beginning.startswith(b"  <html>Upstream timed out</html>")
    assert len(caught.value.beginning) == 4096


async def test_a_page_after_events_is_no_end_of_a_stream() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b"data: 1\n\n<html>\n<title>gone</title>"
        yield b"\n</html>"

    events = read_events(chunks())
    assert await anext(events) == ServerEvent("1")
    with pytest.raises(NotAStream) as caught:
        await anext(events)
    assert caught.value.after_events
    assert caught.value.beginning == b"<html>\n<title>gone</title>\n</html>\n"
