"""What the tests of the plugin host share: plugins put on sys.path as pip would, and hosts that are closed again."""

import importlib
import shutil
import sys
import textwrap
import tomllib
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import pytest

from plugin_support import FindRecord, LoadHost, write_distribution
from tgllm.api import ChatInfo, SystemClock, UserInfo
from tgllm.api.turn import TurnInfo
from tgllm.api.types import ChatMessage, ChatRequest, ModelRef, TextPart
from tgllm.i18n import Catalogue
from tgllm.plugins import FoundPlugin, HostServices, PluginChoice, PluginHost, PluginRecord, discover

PACKAGES = Path(__file__).parent / "packages"


@dataclass
class Logs:
    """Keeps what is logged."""

    lines: list[tuple[str, str, str, dict[str, object]]] = field(default_factory=list)

    def __call__(self, name: str) -> "Logger":
        return Logger(self, name)

    def events(self, level: str) -> list[str]:
        return [event for _, found, event, _ in self.lines if found == level]


@dataclass
class Logger:
    logs: Logs
    name: str

    def debug(self, event: str, **values: object) -> None:
        self.logs.lines.append((self.name, "debug", event, values))

    def info(self, event: str, **values: object) -> None:
        self.logs.lines.append((self.name, "info", event, values))

    def warning(self, event: str, **values: object) -> None:
        self.logs.lines.append((self.name, "warning", event, values))

    def error(self, event: str, **values: object) -> None:
        self.logs.lines.append((self.name, "error", event, values))


@dataclass
class Site:
    """A folder on sys.path with the metadata that pip writes."""

    folder: Path
    packages: set[str] = field(default_factory=set)

    def add(self, name: str, version: str, points: Mapping[str, str], modules: Mapping[str, str]) -> None:
        write_distribution(self.folder, name, {"tgllm": points}, modules, version=version)
        self.packages.add(name)
        importlib.invalidate_caches()

    def install(self, *names: str) -> None:
        """Put packages of tests/plugins/packages there."""
        for name in names:
            project = tomllib.loads((PACKAGES / name / "pyproject.toml").read_text(encoding="utf-8"))["project"]
            modules = {path.stem: path.read_text(encoding="utf-8") for path in (PACKAGES / name).glob("*.py")}
            self.add(project["name"], project["version"], project["entry-points"]["tgllm"], modules)
            for package in (PACKAGES / name).glob("*/__init__.py"):
                shutil.copytree(package.parent, self.folder / package.parent.name)

    def write(self, plugin_id: str, source: str, *, package: str = "", version: str = "1.0") -> None:
        """Put a plugin of one module there; what every plugin imports is there already."""
        package = package or f"tgllm-{plugin_id}"
        module = f"{package.replace('-', '_')}_module"
        prelude = "from tgllm import hookimpl\nfrom tgllm.api import *\n"
        self.add(package, version, {plugin_id: module}, {module: prelude + textwrap.dedent(source)})

    def found(self) -> list[FoundPlugin]:
        return [plugin for plugin in discover() if plugin.package in self.packages]


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    # An import that a test gave up may have come to its module after the test's end.
    forget(lambda name, _path: name.startswith("tgllm_test_"))
    yield Site(folder)
    forget(lambda _name, path: path.startswith(str(folder)))


def forget(is_one: Callable[[str, str], bool]) -> None:
    """Take modules, by name and path, out of those that are imported; other threads may still import some."""
    for name, module in sys.modules.copy().items():
        if is_one(name, str(getattr(module, "__file__", None) or "")):
            sys.modules.pop(name, None)


@pytest.fixture
def logs() -> Logs:
    return Logs()


def taken(arguments: dict[str, Any], value: type[HostServices | PluginChoice]) -> dict[str, Any]:
    """Those that are fields of a value; the others stay."""
    return {each.name: arguments.pop(each.name) for each in fields(value) if each.name in arguments}


@pytest.fixture
async def load_host(site: Site, logs: Logs, tmp_path: Path) -> AsyncIterator[LoadHost]:
    """Load the plugins of ``site``; arguments are those of ``PluginHost.load``, and the fields of its values."""
    hosts: list[PluginHost] = []

    async def load(**changes: Any) -> PluginHost:
        services = HostServices(None, tmp_path / "data", SystemClock(), Catalogue(), logs)
        services = replace(services, **taken(changes, HostServices))
        choice = PluginChoice(**taken(changes, PluginChoice))
        found = changes.pop("found", None)
        host = await PluginHost.load(site.found() if found is None else found, services, choice=choice, **changes)
        hosts.append(host)
        return host

    yield load
    for host in hosts:
        await host.aclose()


@pytest.fixture
def record() -> FindRecord:
    def find(host: PluginHost, plugin_id: str) -> PluginRecord:
        (found,) = [one for one in host.records if one.id == plugin_id]
        return found

    return find


@pytest.fixture
def owner() -> UserInfo:
    return UserInfo(1, "Olga", "owner")


@pytest.fixture
def user() -> UserInfo:
    return UserInfo(2, "Uwe", "user")


@pytest.fixture
def chat() -> ChatInfo:
    return ChatInfo(2, "private")


@pytest.fixture
def turn(user: UserInfo, chat: ChatInfo) -> TurnInfo:
    return TurnInfo("t1", user, chat, ModelRef("echo", "echo"), "hello")


@pytest.fixture
def request_() -> ChatRequest:
    return ChatRequest("echo", (ChatMessage("user", (TextPart("hello"),)),))
