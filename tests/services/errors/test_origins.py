"""Where errors are to be reported."""

import sys
from pathlib import Path

import pytest

import tgllm
from tgllm.services.errors import origins
from tgllm.services.errors.origins import Origin, Origins, tracker_of


def install(folder: Path, name: str, *headers: str) -> None:
    info = folder / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir()
    lines = ("Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *headers)
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize(
    ("headers", "url"),
    [
        (["Project-URL: Homepage, https://h.example", "Project-URL: Issues, https://i.example"], "https://i.example"),
        (["Project-URL: Bug Tracker, https://b.example"], "https://b.example"),
        (["Project-URL: bug-reports, https://b.example"], "https://b.example"),
        (["Project-URL: Source Code, https://s.example", "Home-page: https://h.example"], "https://s.example"),
        (["Home-page: https://h.example"], "https://h.example"),
        (["Project-URL: Issues, javascript:alert(1)"], ""),
        (["Project-URL: Issues"], ""),
        ([], ""),
    ],
)
def test_the_best_address_of_a_package_is_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, headers: list[str], url: str
) -> None:
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    tracker_of.cache_clear()
    install(tmp_path, "tgllm-sheep", *headers)

    assert tracker_of("tgllm-sheep") == url


def test_a_package_that_is_gone_has_no_address() -> None:
    assert tracker_of("tgllm-gone") == ""


def test_an_error_of_the_program_has_its_version(monkeypatch: pytest.MonkeyPatch) -> None:
    def tracker(_package: str) -> str:
        return "https://t.example"

    monkeypatch.setattr(origins, "tracker_of", tracker)

    assert Origins(dict).of("echo") == Origin("tgllm", tgllm.__version__, "https://t.example")
