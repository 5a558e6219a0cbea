"""Plugins bring texts of their own, and a broken file harms nobody."""

import sys
from pathlib import Path
from typing import Any

import pytest

from plugin_support import LoadHost
from tgllm import hookimpl
from tgllm.api import ChatCommand, PluginInfo, ProviderError, TgllmError, TurnInfo, Unavailable, UserInfo
from tgllm.api.commands import CommandCall
from tgllm.api.people import ChatInfo
from tgllm.i18n import BroughtTexts, Catalogue, PluginTexts, error_text, read_texts
from tgllm.observe.logs import configure_logging
from tgllm.plugins import PluginHost
from tgllm.testing.bot import running_bot
from tgllm.testing.emulator import Emulator
from tgllm.testing.scripted import GivenPlugin, ScriptedProvider


def folder(tmp_path: Path, **files: str) -> Path:
    for language, content in files.items():
        (tmp_path / f"{language}.toml").write_text(content, encoding="utf-8")
    return tmp_path


def texts_of(brought: BroughtTexts, default: str = "en") -> PluginTexts:
    return PluginTexts("my", brought, Catalogue(), default)


async def say(host: PluginHost, language: str, args: str) -> object:
    (owned,) = [command for command in host.commands if command.command.name == "count"]
    user = UserInfo(7, "Ann", "user", language=language)
    return await owned.command.handler(CommandCall("count", args, user, ChatInfo(7, "private"), owned.context))


@pytest.mark.parametrize(
    ("language", "args", "answer"),
    [
        ("en", "1", "One sheep. Sleep well, Ann."),
        ("en-GB", "2", "2 sheep. Sleep well, Ann."),
        ("de-AT", "1", "Ein Schaf. Sleep well, Ann."),
        ("de", "2", "2 Schafe. Sleep well, Ann."),
        ("ru", "2", "2 sheep. Sleep well, Ann."),
        ("xx", "2", "2 sheep. Sleep well, Ann."),
        ("", "2", "2 sheep. Sleep well, Ann."),
    ],
)
async def test_the_nearest_language_is_used(
    site: Any, load_host: LoadHost, language: str, args: str, answer: str
) -> None:
    site.install("good_texts")
    assert await say(await load_host(), language, args) == answer


async def test_the_bots_own_language_is_that_of_people_without_one(site: Any, load_host: LoadHost) -> None:
    site.install("good_texts")
    assert await say(await load_host(language="de"), "fr", "2") == "2 Schafe. Sleep well, Ann."


async def test_a_broken_file_is_a_note_on_a_plugin_that_works(
    site: Any, load_host: LoadHost, logs: Any, record: Any
) -> None:
    site.install("good_texts")
    host = await load_host()
    await host.startup()
    found = record(host, "good_texts")
    assert (found.state, found.reason) == ("active", "")
    assert found.note.startswith("its texts in ru.toml can't be read: ")
    assert ("plugins", "warning", "plugin.note", {"plugin": "good_texts", "note": found.note}) in logs.lines


async def test_a_path_that_is_none_is_told(site: Any, load_host: LoadHost, record: Any) -> None:
    site.write(
        "wrong",
        """
        @hookimpl
        def tgllm_plugin_info():
            return PluginInfo(id="wrong", title="Wrong", api="1.0", texts="texts")
        """,
    )
    found = record(await load_host(), "wrong")
    assert (found.state, found.reason) == ("quarantined", "its texts are a str instead of a pathlib.Path")


class Sleepy:
    """Says no in words of its own, in three places."""

    def __init__(self, texts: Path) -> None:
        self._texts = texts

    @hookimpl
    def tgllm_plugin_info(self) -> PluginInfo:
        return PluginInfo("sleepy", "Sleepy", "1.0", texts=self._texts)

    @hookimpl
    def tgllm_before_request(self, turn: TurnInfo) -> None:
        if turn.text != "ask the model":
            raise TgllmError("it is late", code="sleepy.asleep", until="8:00")

    @hookimpl
    def tgllm_commands(self) -> list[ChatCommand]:
        return [ChatCommand("wake", "Wake it", self._wake)]

    async def _wake(self, call: CommandCall) -> None:
        raise TgllmError("it is late", code="sleepy.asleep", until="nine")


async def test_errors_of_a_plugin_are_told_in_its_own_words(tmp_path: Path, restored_logging: None) -> None:
    # Without this, structlog writes tracebacks with all local variables, which takes half a minute.
    configure_logging("console", "info", sys.stdout)
    texts = tmp_path / "texts"
    texts.mkdir()
    folder(texts, en='asleep = "I sleep until {until}."', de='asleep = "Ich schlafe bis {until}."')
    scripted = ScriptedProvider()
    scripted.answer(ProviderError("it is late", code="sleepy.asleep", until="ten"))
    told: list[str] = []
    async with Emulator() as emulator:
        ann = emulator.add_user(first_name="Ann", language_code="de")
        plugins = [GivenPlugin.of("sleepy", Sleepy(texts))]
        async with running_bot(emulator, tmp_path, admins=[ann.id], plugins=plugins, provider=scripted):
            for text in ("good morning", "/wake", "ask the model"):
                said = await ann.say(text)
                reply = await emulator.wait_for_message(ann.private_chat(), after=said)
                told.append(reply.text)
    assert told == ["Ich schlafe bis 8:00.", "Ich schlafe bis nine.", "Ich schlafe bis ten."]


def test_a_code_that_is_no_key_of_a_plugin_has_the_words_of_its_class(tmp_path: Path) -> None:
    catalogue = Catalogue()
    catalogue.bring("my", PluginTexts("my", read_texts(folder(tmp_path, en='a = "A"')), catalogue))
    for code in ("my.b", "my", "other.a", "ping.ready"):
        assert error_text(catalogue, Unavailable(code=code)) == error_text(catalogue, Unavailable())
    assert error_text(catalogue, Unavailable(code="my.a")) == "A"


async def test_in_a_chat(site: Any, tmp_path: Path) -> None:
    site.install("good_texts")
    async with Emulator() as emulator:
        ann = emulator.add_user(first_name="Ann", language_code="de")
        async with running_bot(emulator, tmp_path, admins=[ann.id], plugins=site.found()):
            said = await ann.say("/count 3")
            reply = await emulator.wait_for_message(ann.private_chat(), after=said)
    assert reply.text == "3 Schafe. Sleep well, Ann."


def test_keys_of_the_bot_are_there_too(tmp_path: Path) -> None:
    texts = texts_of(read_texts(folder(tmp_path, en='ready = "Mine"')))
    assert texts("my.ready") == "Mine"
    assert texts("ping.ready", "ru") == Catalogue()("ping.ready", "ru")
    assert texts("my.nothing") == "my.nothing"


def test_russian_plurals(tmp_path: Path) -> None:
    forms = '[n]\none = "{count} файл"\nfew = "{count} файла"\nmany = "{count} файлов"\nother = "{count} файла"'
    texts = texts_of(read_texts(folder(tmp_path, en='n = "x"', ru=forms)))
    assert [texts("my.n", "ru", count=count) for count in (1, 3, 5, 21)] == ["1 файл", "3 файла", "5 файлов", "21 файл"]


@pytest.mark.parametrize("params", [{}, {"count": "many"}])
def test_without_a_count_it_is_the_general_form(tmp_path: Path, params: dict[str, object]) -> None:
    texts = texts_of(read_texts(folder(tmp_path, en='[n]\none = "one"\nother = "some"')))
    assert texts("my.n", "en", **params) == "some"


@pytest.mark.parametrize("text", ["{name} is missing", "{", "{0}", "{count.x}"])
def test_what_can_not_be_filled_in_is_shown_as_it_stands(tmp_path: Path, text: str) -> None:
    texts = texts_of(read_texts(folder(tmp_path, en=f'a = "{text}"')))
    assert texts("my.a", count=1) == f"my.a: {text}"


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("a = 1", "a in en.toml is no text"),
        ("[a]\nb = [1]", "a.b in en.toml is no text"),
        ('[a]\none = 1\nother = "x"', "a plural form of a in en.toml is no text"),
        ("a = ", "its texts in en.toml can't be read: "),
        ('a = "' + "x" * 1_100_000 + '"', "its texts in en.toml can't be read: is larger"),
        ("a = " + "[" * 100_000, "its texts in en.toml can't be read: "),
    ],
)
def test_what_is_wrong_is_told_and_the_rest_is_used(tmp_path: Path, content: str, problem: str) -> None:
    brought = read_texts(folder(tmp_path, en=content, de='ok = "gut"'))
    assert brought.problems[0].startswith(problem)
    assert texts_of(brought)("my.ok", "de") == "gut"


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    (tmp_path / "en.toml").write_bytes(b'a = "\xff"')
    assert "can't be read" in read_texts(tmp_path).problems[0]


@pytest.mark.parametrize("there", [True, False])
def test_a_folder_without_english_is_told(tmp_path: Path, there: bool) -> None:
    place = folder(tmp_path, de='a = "b"') if there else tmp_path / "gone"
    assert read_texts(place).problems == ("its folder of texts has no en.toml, which stands in for other languages",)
