"""OpenDocument texts, spreadsheets and presentations, and those that can't be read."""

from typing import Any

import pytest

from made_files.zip_support import archive
from tgllm.api.files import ExtractionLimits
from tgllm.plugins.builtin.files import odf

EXTRACT = odf.extract
SMALL = ExtractionLimits(max_chars=100_000, seconds=60, memory_bytes=64 * 2**20)
SPACES = " ".join(
    f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for name in ("office", "text", "table", "draw", "style", "presentation", "manifest")
)
ENTITIES = '<!DOCTYPE x [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;">]>'


def made(kind: str, body: str, styles: str = "", doctype: str = "", **more: str) -> bytes:
    content = (
        f'{doctype}<office:document-content {SPACES} xmlns:xlink="http://www.w3.org/1999/xlink">'
        f"<office:automatic-styles>{styles}</office:automatic-styles>"
        f"<office:body><office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    return archive({"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, **more})


def sheet(*rows: str, name: str = "Stock", entries: str = "") -> str:
    content = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    return f'<table:table table:name="{name}"{entries}>{content}</table:table>'


def cell(text: str, entries: str = 'office:value-type="string"') -> str:
    return f"\n <table:table-cell {entries}><text:p>{text}</text:p></table:table-cell>\n"


class TestTexts:
    def test_headings_paragraphs_and_links(self, read: Any) -> None:
        body = (
            '<text:h text:outline-level="1">Report</text:h><text:p>It <text:span>rose</text:span> by'
            '<text:s text:c="2"/>3<text:tab/>%.</text:p><text:h text:outline-level="2">Details</text:h>'
            '<text:p>See <text:a xlink:href="https://example.org/">our page</text:a>.</text:p>'
        )

        assert read(made("text", body)).text == (
            "# Report\n\nIt rose by  3\t%.\n\n## Details\n\nSee [our page](https://example.org/)."
        )

    def test_lists(self, read: Any) -> None:
        styles = (
            '<text:list-style style:name="L1"><text:list-level-style-number text:level="1" style:num-format="1"/>'
            '<text:list-level-style-bullet text:level="2"/></text:list-style>'
        )
        inner = "<text:list><text:list-item><text:p>inner</text:p></text:list-item></text:list>"
        body = (
            '<text:list text:style-name="L1">'
            f"<text:list-item><text:p>one</text:p>{inner}</text:list-item>"
            "<text:list-item><text:p>two</text:p></text:list-item></text:list>"
        )

        assert read(made("text", body, styles)).text == "1. one\n  - inner\n2. two"

    def test_tables_notes_and_boxes(self, read: Any) -> None:
        table = sheet(cell("fruit") + cell("price"), cell("apple") + cell("1|2"))
        body = (
            "<text:p>Sales rose<text:note><text:note-citation>1</text:note-citation><text:note-body>"
            "<text:p>In euros.</text:p></text:note-body></text:note>.</text:p>"
            f"{table}<text:p><draw:frame><draw:text-box><text:p>In the box</text:p></draw:text-box></draw:frame>"
            "</text:p>"
            '<text:p><draw:frame><draw:image xlink:href="a.png"/></draw:frame></text:p>'
        )

        assert read(made("text", body)).text == (
            "Sales rose[^1].\n\n| fruit | price |\n| --- | --- |\n| apple | 1\\|2 |\n\nIn the box\n\n"
            "[^1]: In euros.\n\n(Pictures in the document, which were not read: 1.)"
        )

    def test_what_was_deleted_is_left_out(self, read: Any) -> None:
        body = (
            "<text:tracked-changes><text:changed-region><text:deletion><text:p>old price</text:p></text:deletion>"
            "</text:changed-region></text:tracked-changes><text:p>new price</text:p>"
        )

        assert read(made("text", body)).text == "new price"


class TestSpreadsheets:
    @pytest.mark.parametrize(
        ("entries", "shown", "text"),
        [
            ('office:value-type="float" office:value="1234.5"', "1.234,50", "1234.5"),
            ('office:value-type="percentage" office:value="0.155"', "15,50 %", "15.5%"),
            ('office:value-type="currency" office:value="3"', "3,00 €", "3,00 €"),
            ('office:value-type="date" office:date-value="2026-11-30"', "30.11.26", "2026-11-30"),
            ('office:value-type="date" office:date-value="2026-11-30T14:30:00"', "x", "2026-11-30 14:30"),
            ('office:value-type="time" office:time-value="PT09H05M00S"', "09:05 AM", "09:05"),
            ('office:value-type="boolean" office:boolean-value="true"', "WAHR", "TRUE"),
            ('office:value-type="string"', "a <text:span>b</text:span>", "a b"),
        ],
    )
    def test_values(self, read: Any, entries: str, shown: str, text: str) -> None:
        content = made("spreadsheet", sheet(cell("name") + cell("value"), cell("it") + cell(shown, entries)))

        assert read(content).text == f"[sheet Stock]\n| name | value |\n| --- | --- |\n| it | {text} |"

    def test_repeated_cells_and_rows(self, read: Any) -> None:
        rows = (
            cell("a", 'office:value-type="string" table:number-columns-repeated="2"') + cell("b"),
            '<table:table-cell table:number-columns-repeated="16384"/>',
        )
        content = made("spreadsheet", sheet(*rows) + sheet(name="Nothing"))

        assert read(content).text == "[sheet Stock]\n| a | a | b |\n| --- | --- | --- |\n\n[sheet Nothing]\n(empty)"

    def test_a_sheet_that_repeats_without_end_is_cut(self, read: Any) -> None:
        row = cell("value", 'office:value-type="string" table:number-columns-repeated="16384"')
        table = (
            '<table:table table:name="X"><table:table-row table:number-rows-repeated="1048576">'
            f"{row}</table:table-row></table:table>"
        )

        found = read(made("spreadsheet", table))

        assert found.truncated
        assert found.text.endswith(" of 1,048,576.)")
        assert len(found.text) <= 100_000

    def test_hidden_sheets_are_marked(self, read: Any) -> None:
        styles = '<style:style style:name="ta2"><style:table-properties table:display="false"/></style:style>'
        content = made("spreadsheet", sheet(cell("x"), entries=' table:style-name="ta2"'), styles)

        assert read(content).text.startswith("[sheet Stock (hidden)]\n| x |")


class TestPresentations:
    def test_slides(self, read: Any) -> None:
        body = (
            "<draw:page><draw:frame><draw:text-box><text:p>Content</text:p></draw:text-box></draw:frame>"
            '<draw:frame presentation:class="title"><draw:text-box><text:p>Plan</text:p></draw:text-box></draw:frame>'
            '<presentation:notes><draw:frame presentation:class="notes"><draw:text-box><text:p>Speak slowly.</text:p>'
            "</draw:text-box></draw:frame></presentation:notes></draw:page>"
            '<draw:page><draw:frame><draw:image xlink:href="a.png"/></draw:frame></draw:page>'
        )

        found = read(made("presentation", body))

        assert found.text == (
            "[slide 1]\n# Plan\n\nContent\n\nNotes: Speak slowly.\n\n"
            "(Pictures in the document, which were not read: 1.)"
        )
        assert (found.pages, found.without_text) == (2, 1)


class TestUnreadable:
    def test_empty(self, refused: Any) -> None:
        assert refused(b"") == "file_empty"
        assert refused(made("text", "<text:p/>")) == "file_empty"
        assert refused(made("spreadsheet", sheet())) == "file_empty"

    def test_only_pictures(self, refused: Any) -> None:
        assert refused(made("text", '<text:p><draw:frame><draw:image xlink:href="a"/></draw:frame></text:p>')) == (
            "file_no_text"
        )

    @pytest.mark.parametrize(
        "content", [b"hello", archive({"word/document.xml": "<x/>"}), archive({"content.xml": "no"})]
    )
    def test_of_another_kind(self, refused: Any, content: bytes) -> None:
        assert refused(content) == "file_broken"

    @pytest.mark.parametrize("kind", ["text", "spreadsheet"])
    def test_damaged(self, refused: Any, kind: str) -> None:
        assert refused(archive({"mimetype": f"application/vnd.oasis.opendocument.{kind}"})) == "file_broken"
        content = made(kind, "<text:p>words</text:p>" * 200)
        assert refused(content[: len(content) // 2]) == "file_broken"

    def test_a_password(self, refused: Any) -> None:
        manifest = f"<manifest:manifest {SPACES}><manifest:encryption-data/></manifest:manifest>"

        assert refused(made("text", "", **{"META-INF/manifest.xml": manifest})) == "file_password"

    @pytest.mark.parametrize("kind", ["text", "spreadsheet"])
    def test_bombs(self, refused: Any, kind: str) -> None:
        assert refused(made(kind, "<text:p>a</text:p>" * 10**6), SMALL) == "file_too_large_to_read"

    def test_entities_are_not_expanded(self, read: Any) -> None:
        assert "lol" not in read(made("text", "<text:p>before &c; after</text:p>", doctype=ENTITIES)).text
        rows = sheet(cell("before &c;") + cell("after"))
        assert "lol" not in read(made("spreadsheet", rows, doctype=ENTITIES)).text

    def test_nesting_ends(self, read: Any) -> None:
        deep = "<text:section>" * 200 + "<text:p>deep</text:p>" + "</text:section>" * 200

        assert read(made("text", deep + "<text:p>end</text:p>")).text == "end"
