"""XML and SVG."""

import xml.etree.ElementTree as ET

import pytest

from handler_support import read
from tgllm.plugins.builtin.files.texts import xml_source


def test_xml_is_shown_as_source() -> None:
    root = ET.Element("feed")
    ET.SubElement(root, "title").text = "Hi & bye"

    assert read(xml_source, ET.tostring(root)).text == "```xml\n<feed><title>Hi &amp; bye</title></feed>\n```"


@pytest.mark.parametrize("encoding", ["windows-1251", "koi8-r", "utf-8", "utf-16"])
def test_the_declared_encoding_counts(encoding: str) -> None:
    found = read(xml_source, f'<?xml version="1.0" encoding="{encoding}"?><a>Съешь ещё</a>'.encode(encoding))

    assert "<a>Съешь ещё</a>" in found.text
    assert found.encoding == ""


@pytest.mark.parametrize("declared", ["no-such", "hex", "idna"])
def test_a_wrong_declaration_is_ignored(declared: str) -> None:
    found = read(xml_source, f'<?xml version="1.0" encoding="{declared}"?><a>Съешь ещё мягких</a>'.encode("cp1251"))

    assert "<a>Съешь ещё мягких</a>" in found.text


def test_entities_are_not_expanded() -> None:
    lines = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 10))
    bomb = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">{lines}<!ENTITY f SYSTEM "file:///etc/passwd">]><a>&l9;&f;</a>'

    found = read(xml_source, bomb)

    assert "&l9;&f;" in found.text
    assert len(found.text) < 2000


def test_xml_without_lines_gets_some() -> None:
    found = read(xml_source, "<a>" + "<b><c>1</c></b>" * 1000 + "</a>", max_chars=1000)

    assert found.truncated
    assert found.text.split("\n")[2:4] == ["<b>", "<c>1</c></b>"]


def test_an_svg_shows_its_words_and_not_its_data() -> None:
    path, picture = "M0 1 L2 3 " * 100, "A" * 1000
    found = read(
        xml_source,
        f'<svg><path d="{path}"/><text>Sales</text><image href="data:image/png;base64,{picture}"/></svg>',
    )

    assert found.text.startswith("```svg\n<svg>")
    assert "<text>Sales</text>" in found.text
    assert len(found.text) < 500
