"""What a reading process sends is limited and checked, whatever it is."""

import json
from pathlib import Path
from typing import Any

import pytest

from tgllm.api.errors import FileUnreadable
from tgllm.api.files import Extracted, ExtractionLimits
from tgllm.services.reading import wire
from tgllm.services.reading.answers import Breach, Crash, extracted_from, failure_from, prepared_from
from tgllm.services.reading.process import Answer
from tgllm.services.reading.values import Prepared

LIMITS = ExtractionLimits(max_chars=10, seconds=1.0, memory_bytes=2**30, max_pictures=1)
READ = {"truncated": False, "pages": 2, "without_text": 1, "encoding": "", "pictures": [[1, "image/png"]]}


def test_a_message_is_its_header_and_its_bytes() -> None:
    message = wire.packed({"a": "é"}, (b"one", b""))

    length = wire.length_from(message[: wire.LENGTH_BYTES])
    header = wire.header_from(message[wire.LENGTH_BYTES :][:length])
    assert header["a"] == "é"
    assert wire.lengths_of(header, 3) == [3, 0]
    assert message.endswith(b"}one")


@pytest.mark.parametrize("start", [b"\xff\xff\xff\xff", (wire.MOST_HEADER_BYTES + 1).to_bytes(4, "big")])
def test_a_header_that_is_too_long_is_not_read(start: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.length_from(start)


@pytest.mark.parametrize("head", [b"", b"{", b"[]", b"7", b"null", b"\xff", b"[" * 100_000, b"1" * 10_000])
def test_a_header_that_is_no_object_is_refused(head: bytes) -> None:
    with pytest.raises(wire.WireError):
        wire.header_from(head)


@pytest.mark.parametrize("lengths", [None, 3, {}, [-1, 2], [True], [1.0], ["1"], [2**70], [6, 5]])
def test_lengths_that_are_none_or_too_long_are_refused(lengths: object) -> None:
    with pytest.raises(wire.WireError):
        wire.lengths_of({"lengths": lengths}, 10)


def test_what_was_extracted() -> None:
    given = extracted_from(Answer({"read": READ}, ["é".encode(), b"png"]), LIMITS)

    assert given.text == "é"
    assert (given.pages, given.without_text, given.pictures[0].mime_type) == (2, 1, "image/png")


@pytest.mark.parametrize(
    ("change", "blobs"),
    [
        ({}, []),
        ({}, [b"text"]),
        ({}, [b"text", b"png", b"more"]),
        ({}, [b"\xff", b"png"]),
        ({}, [b"longer than ten", b"png"]),
        ({"pictures": [[1, "image/png"]] * 2}, [b"text", b"png", b"png"]),
        ({"pictures": [[1]]}, [b"text", b"png"]),
        ({"pictures": [["1", "image/png"]]}, [b"text", b"png"]),
        ({"pictures": [[1, "text/html"]]}, [b"text", b"png"]),
        ({"pictures": [[1, "image/png\n"]]}, [b"text", b"png"]),
        ({"pictures": "1"}, [b"text", b"png"]),
        ({"pictures": [7]}, [b"text", b"png"]),
        ({"pages": "2"}, [b"text", b"png"]),
        ({"pages": True}, [b"text", b"png"]),
        ({"truncated": 1}, [b"text", b"png"]),
        ({"without_text": None}, [b"text", b"png"]),
        ({"encoding": None}, [b"text", b"png"]),
    ],
)
def test_an_extraction_of_another_form_is_refused(change: dict[str, Any], blobs: list[bytes]) -> None:
    with pytest.raises(wire.WireError):
        extracted_from(Answer({"read": READ | change}, blobs), LIMITS)


def test_a_picture_that_stays_and_one_that_was_written() -> None:
    given = {"changed": False, "mime": "image/png", "size": 3, "width": 2, "height": 1}
    path, target = Path("a"), Path("b")

    assert prepared_from(Answer({"picture": given}, []), path, target) == Prepared(path, "image/png", 3, 2, 1)
    assert prepared_from(Answer({"picture": given | {"changed": True}}, []), path, target).path == target
    for wrong in ({"mime": "x"}, {"size": "3"}, {"changed": None}):
        with pytest.raises(wire.WireError):
            prepared_from(Answer({"picture": given | wrong}, []), path, target)


def test_failures() -> None:
    assert failure_from({"read": {}}, "a") is None
    assert failure_from({"breach": "returned str"}, "a") == Breach("returned str")
    assert failure_from({"crash": "KeyError"}, "a") == Crash("KeyError", "")
    assert failure_from({"crash": "a secret!", "module": "../x"}, "a") == Crash("", "")


@pytest.mark.parametrize(
    ("given", "code", "params"),
    [
        ({"code": "file_password", "params": {"pages": 3}}, "file_password", {"pages": 3, "name": "a"}),
        ({"code": "x y", "params": {}}, "file_unreadable", {"name": "a"}),
        ({"code": "", "params": {}}, "file_unreadable", {"name": "a"}),
        ({"code": "file_broken", "params": {"name": "b", "message": "m", "code": "c"}}, "file_broken", {"name": "a"}),
        ({"code": "file_broken", "params": {"a b": 1, "x": [1], "y": float("inf")}}, "file_broken", {"name": "a"}),
    ],
)
def test_a_refusal_has_only_a_code_and_parameters(given: dict[str, Any], code: str, params: dict[str, Any]) -> None:
    error = failure_from(json.loads(json.dumps(given)), "a")

    assert isinstance(error, FileUnreadable)
    assert (error.code, error.params) == (code, params)


@pytest.mark.parametrize("header", [{"code": 7}, {"code": "a", "params": 3}, {"crash": None}, {"breach": []}])
def test_a_failure_of_another_form_is_refused(header: dict[str, Any]) -> None:
    with pytest.raises(wire.WireError):
        failure_from(header, "a")


def test_nothing_in_an_answer_names_code() -> None:
    assert type(extracted_from(Answer({"read": READ | {"pictures": []}}, [b"cos\nsystem"]), LIMITS)) is Extracted
