"""Plugins in folders: what is found out about them, and what becomes of them when they change."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli_support import put
from tgllm.testing.clock import HurriedClock
from tgllm.testing.local.plugins import MOST_LOOKS, LocalPlugins

TEA = """
from pydantic import BaseModel
from tgllm import hookimpl
from tgllm.api import ChatCommand, Finished, ModelInfo, NotConfigured, PluginInfo, Provider, ProviderSpec, TextDelta
from tgllm_tea.words import ANSWER


class Settings(BaseModel):
    key: str = ""
    pot: int = 1


class Tea(Provider):
    async def list_models(self):
        return [ModelInfo("black"), ModelInfo("green")]

    async def generate(self, request):
        yield TextDelta(ANSWER)
        yield Finished()


def create(ctx):
    if not ctx.settings.key:
        raise NotConfigured("set TEA_KEY")
    return Tea()


async def brew(call):
    return ANSWER


@hookimpl
def tgllm_plugin_info():
    return PluginInfo("tea", "Tea", "1.1", settings=Settings, env={"key": "TEA_KEY"})


@hookimpl
def tgllm_providers():
    return [ProviderSpec("tea", "Tea", create)]


@hookimpl
def tgllm_commands():
    return [ChatCommand("brew", "Brew tea", brew)]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Compiled files are part of what has to be kept apart.
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    before, path = dict(sys.modules), sys.path[:]
    folder = tmp_path / "tea"
    point = '[project]\nname = "tgllm-tea"\nversion = "0.1"\n[project.entry-points.tgllm]\ntea = "tgllm_tea.plugin"\n'
    put(folder / "pyproject.toml", point)
    put(folder / "src/tgllm_tea/__init__.py", "")
    put(folder / "src/tgllm_tea/plugin.py", TEA)
    put(folder / "src/tgllm_tea/words.py", "ANSWER = 'one'\n")
    yield folder
    sys.path[:] = path
    for name in sys.modules.keys() - before.keys():
        if name.startswith("tgllm_tea"):
            del sys.modules[name]


def plugins(folder: Path, **variables: str) -> LocalPlugins:
    return LocalPlugins([folder], {}, variables, HurriedClock())


def answer_of(local: LocalPlugins) -> object:
    """The word of the plugin that the bot would load."""
    (found,) = local.found
    return vars(found.load())["ANSWER"]


async def test_what_a_plugin_offers(folder: Path) -> None:
    local = plugins(folder, TEA_KEY="secret", OTHER="no")

    (tried,) = await local.load()

    assert tried.works
    (trial,) = tried.trials
    assert trial.offers == ("provider tea", "command /brew")
    assert trial.commands == {"brew": "Brew tea"}
    assert (trial.model, local.model) == ("tea/black", "tea/black")
    assert local.environ == {"TEA_KEY": "secret"}


async def test_without_a_key_it_works_and_has_no_model(folder: Path) -> None:
    (tried,) = await plugins(folder).load()

    assert tried.works
    assert (tried.trials[0].model, tried.trials[0].why_no_model) == ("", "set TEA_KEY")


async def test_a_change_anywhere_in_the_package_counts(folder: Path) -> None:
    local = plugins(folder)
    await local.load()
    assert answer_of(local) == "one"
    assert await local.changed() == []

    # The same size, and maybe the same second: compiled code must not be taken for it.
    put(folder / "src/tgllm_tea/words.py", "ANSWER = 'two'\n")

    (tried,) = await local.changed()
    assert tried.works
    assert answer_of(local) == "two"
    assert await local.changed() == []


@pytest.mark.parametrize(
    ("file", "text", "reason", "place"),
    [
        ("plugin.py", "def broken(:\n", "SyntaxError: invalid syntax", "plugin.py, line 1: def broken(:"),
        ("words.py", "ANSWER = 'x'\n1 / 0\n", "ZeroDivisionError: division by zero", "words.py, line 2"),
        ("words.py", "", "cannot import name 'ANSWER'", "plugin.py, line 5"),
        ("plugin.py", TEA.replace('"tea", "Tea", "1.1"', '"cup", "Tea", "1.1"'), "they must be the same", ""),
        ("plugin.py", TEA.replace('"1.1"', '"9.9"'), "it needs API 9.9", ""),
        ("plugin.py", TEA.replace('"brew"', '"Brew it"'), "the command name", ""),
        ("plugin.py", TEA.replace('"brew"', '"start"'), "command /start of the plugin tea is taken by the bot", ""),
        ("plugin.py", TEA.replace("pot: int = 1", "pot: int"), "pot", ""),
        ("plugin.py", TEA.replace("import hookimpl", "import no_such"), "no_such", "plugin.py, line 3"),
        (
            "words.py",
            "import no_such_library\n",
            "No module named 'no_such_library'",
            "install what the plugin requires",
        ),
    ],
    ids=range(10),
)
async def test_a_broken_version_is_explained_and_the_last_one_stays(
    folder: Path, file: str, text: str, reason: str, place: str
) -> None:
    local = plugins(folder)
    await local.load()
    running = local.found[0].load()

    put(folder / "src/tgllm_tea" / file, text)
    (tried,) = await local.changed()

    assert not tried.works
    assert reason in tried.trials[0].problem
    assert place in tried.trials[0].problem
    assert local.found[0].load() is running
    assert sys.modules["tgllm_tea.words"].ANSWER == "one"

    put(folder / "src/tgllm_tea/plugin.py", TEA)
    put(folder / "src/tgllm_tea/words.py", "ANSWER = 'mended'\n")
    (tried,) = await local.changed()
    assert tried.works
    assert answer_of(local) == "mended"


async def test_a_broken_declaration_is_explained_and_the_last_version_stays(folder: Path) -> None:
    local = plugins(folder)
    await local.load()

    (folder / "pyproject.toml").write_text("[project", encoding="utf-8")
    (tried,) = await local.changed()

    assert "pyproject.toml can't be read" in tried.problem
    assert answer_of(local) == "one"


async def test_a_plugin_that_is_broken_at_first_is_loaded_once_it_is_mended(folder: Path) -> None:
    put(folder / "src/tgllm_tea/plugin.py", "raise RuntimeError('boom')\n")
    local = plugins(folder)

    (tried,) = await local.load()
    assert "RuntimeError: boom" in tried.trials[0].problem
    assert local.found == ()
    assert [found.id for found in local.named] == ["tea"]

    put(folder / "src/tgllm_tea/plugin.py", TEA)
    (tried,) = await local.changed()
    assert tried.works
    assert len(local.found) == 1


async def test_of_several_plugins_only_the_changed_one_is_loaded_again(folder: Path, tmp_path: Path) -> None:
    other = "from tgllm import hookimpl\nfrom tgllm.api import PluginInfo\n\n@hookimpl\ndef tgllm_plugin_info():\n"
    put(tmp_path / "tgllm_tea_cake.py", f'{other}    return PluginInfo("cake", "Cake", "1.1")\n')
    local = LocalPlugins([folder, tmp_path / "tgllm_tea_cake.py"], clock=HurriedClock())
    await local.load()
    cake = local.found[1].load()

    put(folder / "src/tgllm_tea/words.py", "ANSWER = 'two'\n")
    (tried,) = await local.changed()

    assert tried.path == folder
    assert [found.id for found in local.found] == ["tea", "cake"]
    assert local.found[1].load() is cake


class WritingClock(HurriedClock):
    """A clock during whose waits a log grows."""

    def __init__(self, log: Path) -> None:
        super().__init__()
        self._log = log

    async def sleep(self, seconds: float) -> None:
        put(self._log, "x" * len(self.waits))
        await super().sleep(seconds)


async def test_files_that_never_stand_still_are_not_waited_for(folder: Path) -> None:
    clock = WritingClock(folder / "tea.log")
    local = LocalPlugins([folder], {}, {}, clock)
    await local.load()
    clock.waits.clear()

    put(folder / "src/tgllm_tea/words.py", "ANSWER = 'two'\n")
    (tried,) = await local.changed()

    assert tried.works
    assert answer_of(local) == "two"
    assert len(clock.waits) < 2 * MOST_LOOKS


async def test_what_a_plugin_writes_while_it_is_loaded_does_not_load_it_again(folder: Path) -> None:
    local = plugins(folder)
    await local.load()

    count = "from pathlib import Path\nfile = Path(__file__).with_name('count.txt')\n"
    count += "file.write_text(file.read_text() + 'x' if file.exists() else 'x')\nANSWER = file.read_text()\n"
    put(folder / "src/tgllm_tea/words.py", count)
    assert [tried.works for tried in await local.changed()] == [True]

    assert await local.changed() == []
