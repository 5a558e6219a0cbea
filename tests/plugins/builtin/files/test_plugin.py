"""The built-in file handlers, as the host has them."""

import subprocess
import sys

from plugin_support import LoadHost
from tgllm.plugins.builtin.files import plugin


async def test_the_host_has_them(load_host: LoadHost) -> None:
    host = await load_host()
    ids = [owned.handler.id for owned in host.file_handlers if owned.plugin_id == "files"]

    assert ids == [handler.id for handler in plugin._HANDLERS]
    assert len(set(ids)) == len(ids)
    assert ids[-1] == "text"


def test_each_names_what_it_imports() -> None:
    for handler in plugin._HANDLERS:
        assert bool(handler.needs) == (handler.package == "tgllm[files]")


def test_listing_them_imports_no_library() -> None:
    code = (
        "import sys; import tgllm.plugins.builtin.files.plugin;"
        "heavy = {'selectolax', 'charset_normalizer', 'pypdfium2', 'docx', 'lxml', 'PIL', 'python_calamine'};"
        "print(sorted(heavy & set(sys.modules)))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert run.stdout.strip() == "[]"


def test_texts_and_data_are_read_without_any_package() -> None:
    free = {handler.id for handler in plugin._HANDLERS if not handler.needs}
    assert free >= {"text", "csv", "json", "xml", "subtitles", "calendar", "rtf"}
