"""The admins learn once which command installs what is missing."""

import json

import pytest

from tgllm.api import FileHandler
from tgllm.db.database import Database
from tgllm.i18n import Catalogue
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.reading.missing import MissingNotice, install_command, missing_commands, missing_modules
from tgllm.services.reading.values import MissingPackage
from tgllm.testing.clock import ManualClock


def test_missing_modules_are_found_without_an_import() -> None:
    assert missing_modules(["json", "no_such_module", "xml.no_such_part", "no.part", "", "a..b"]) == (
        "no_such_module",
        "no.part",
        "",
        "a..b",
    )


@pytest.mark.parametrize(
    ("package", "modules", "command"),
    [
        ("tgllm[files]", ["pypdfium2"], "pip install 'tgllm[files]'"),
        ("tgllm-gpx", ["gpxpy"], "pip install tgllm-gpx"),
        ("", ["gpxpy", "lxml"], "pip install gpxpy lxml"),
        ("a; rm -rf /", [], "pip install 'a; rm -rf /'"),
    ],
)
def test_the_command_is_safe_to_paste(package: str, modules: list[str], command: str) -> None:
    assert install_command(package, modules) == command


def test_missing_modules_are_listed_by_the_command_that_installs_them() -> None:
    def handler(needs: tuple[str, ...], package: str) -> FileHandler:
        return FileHandler("a", frozenset({"a/b"}), print, needs, package)  # type: ignore[arg-type]  not called

    assert missing_commands(
        [
            handler(("no_one", "json"), "tgllm-a"),
            handler(("no_two", "no_one"), "tgllm-a"),
            handler(("no_three", "no_four"), ""),
            handler((), "tgllm-b"),
        ]
    ) == {
        "pip install tgllm-a": ("no_one", "no_two"),
        "pip install no_three": ("no_three",),
        "pip install no_four": ("no_four",),
    }


async def test_each_command_is_sent_once(database: Database, clock: ManualClock) -> None:
    notice = MissingNotice(AdminNotifier(database, clock, -100), Catalogue(strict=True))
    for modules in (("docx",), ("docx",), ("pypdfium2",)):
        await notice.note(MissingPackage("files", "docx", modules, "pip install 'tgllm[files]'"))
    await notice.note(MissingPackage("gpx", "gpx", ("gpxpy",), "pip install tgllm-gpx"))

    rows = await database.read(lambda conn: conn.execute("SELECT payload FROM outbox ORDER BY id").fetchall())
    first, second = [json.loads(row[0])["text"] for row in rows]
    assert "pip install 'tgllm[files]'" in first
    assert "docx" in first
    assert "pip install tgllm-gpx" in second
