"""The tree keeps the rules of its layout, and each rule is seen to catch a tree that breaks it."""

import json
import os
import subprocess
import sys
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import ClassVar

import pytest
from aiogram import methods

import architecture
import rooms
from imports import Import, Module, read_imports, read_modules
from tgllm.api.clock import SystemClock, milliseconds
from tgllm.db.engine.sqlite import connect
from tgllm.db.file.schema import prepare
from tgllm.db.tables import audit, groups, invites, models, usage, users
from tgllm.services.common.calendar import Days

ROOT = Path(__file__).resolve().parents[1]
PLUGINS = sorted(ROOT.glob("plugins/tgllm_*/src"))
EXAMPLES = sorted(ROOT.glob("examples/*/src"))
ROOMS = rooms.read_rooms((ROOT / "CONTEXT.md").read_text(encoding="utf-8"))
HEAVY = {
    "aiogram",
    "aiohttp",
    "aiosqlite",
    "anthropic",
    "apscheduler",
    "google",
    "httpx",
    "llm",
    "mcp",
    "mistralai",
    "openai",
    "tomlkit",
}

Breaches = list[str]


@cache
def methods_of_the_bot_api() -> set[str]:
    """Their names; to load them all takes half a second, which collecting the tests shall not take."""
    found = (name for name in methods.__all__ if issubclass(getattr(methods, name), methods.TelegramMethod))
    return {name[0].lower() + name[1:] for name in found}


@pytest.fixture(scope="module")
def modules() -> dict[str, Module]:
    found = read_modules(ROOT / "src")
    for source in (*PLUGINS, *EXAMPLES):
        found |= read_modules(source)
    return found


@pytest.fixture(scope="module")
def imports(modules: dict[str, Module]) -> list[Import]:
    return read_imports(modules)


class TestThisTree:
    def test_all_of_it_is_looked_at(self, modules: dict[str, Module]) -> None:
        assert {
            "tgllm",
            "tgllm.hookspecs",
            "tgllm_anthropic",
            "tgllm_dipseek",
            "tgllm_gemini",
            "tgllm_llm",
            "tgllm_local",
            "tgllm_mcp",
            "tgllm_mistral",
            "tgllm_openai",
            "tgllm_remind",
            "tgllm_web",
            "tgllm_whisper",
        } <= modules.keys()

    def test_imports_point_down(self, imports: list[Import]) -> None:
        assert architecture.floor_breaches(imports) == []

    def test_imports_point_down_the_rooms(self, imports: list[Import]) -> None:
        assert rooms.room_breaches(imports, ROOMS) == []

    def test_every_room_has_its_place(self, modules: dict[str, Module]) -> None:
        assert {"bot", "cli", "config", "db", "plugins", "services"} == ROOMS.keys()
        assert rooms.room_table_breaches(modules.values(), ROOMS) == []

    def test_every_room_says_what_lives_there(self, modules: dict[str, Module]) -> None:
        assert rooms.room_front_breaches(modules.values(), ROOMS) == []

    def test_no_folder_is_too_full(self) -> None:
        roots = [ROOT / "src", ROOT / "tests", ROOT / "scripts", ROOT / "benchmarks", *PLUGINS]

        assert [breach for root in roots for breach in rooms.folder_breaches(root)] == []

    def test_the_tests_mirror_the_rooms(self) -> None:
        assert rooms.mirror_breaches(ROOT / "tests", ROOT / "src" / "tgllm") == []

    def test_one_room_of_the_services_names_methods_of_the_bot_api(self, modules: dict[str, Module]) -> None:
        assert rooms.method_breaches(modules.values(), methods_of_the_bot_api()) == []

    def test_plugins_use_the_contract_only(self, imports: list[Import]) -> None:
        assert architecture.plugin_breaches(imports) == []

    def test_libraries_stay_at_home(self, imports: list[Import]) -> None:
        assert architecture.home_breaches(imports) == []

    def test_only_the_database_part_writes_sql(self, modules: dict[str, Module]) -> None:
        assert architecture.sql_breaches(modules.values()) == []

    def test_the_contract_needs_the_standard_library_only(self, imports: list[Import]) -> None:
        assert architecture.contract_breaches(imports) == []

    def test_one_module_touches_the_clock(self, modules: dict[str, Module]) -> None:
        assert architecture.clock_breaches(modules.values()) == []

    def test_nothing_runs_while_a_missing_package_is_handled(self, modules: dict[str, Module]) -> None:
        assert architecture.import_error_breaches(modules.values()) == []

    def test_no_modules_import_each_other(self, imports: list[Import]) -> None:
        assert architecture.cycles(imports) == []

    def test_modules_are_small(self, modules: dict[str, Module]) -> None:
        assert architecture.size_breaches(modules.values()) == []

    def test_every_silenced_check_has_a_reason(self, modules: dict[str, Module]) -> None:
        assert architecture.silence_breaches(modules.values()) == []

    def test_every_silenced_check_outside_of_the_package_has_one_too(self) -> None:
        files = [
            path
            for folder in ("benchmarks", "examples", "plugins", "scripts", "tests")
            for path in (ROOT / folder).rglob("*.py")
        ]
        texts = {path: path.read_text(encoding="utf-8") for path in files}

        assert {
            path: found for path, text in texts.items() if (found := [*architecture.silences_without_reason(text)])
        } == {}

    def test_every_function_is_annotated(self, modules: dict[str, Module]) -> None:
        assert architecture.annotation_breaches(modules.values()) == []


class TestLoading:
    def test_the_package_itself_needs_nothing(self) -> None:
        assert libraries_loaded_by("tgllm") == {"tgllm"}

    def test_the_command_line_starts_without_telegram_http_or_providers(self) -> None:
        loaded = libraries_loaded_by("tgllm.cli.main")

        assert "typer" in loaded
        assert not HEAVY & loaded

    @pytest.mark.parametrize(
        "command",
        [("users", "list"), ("users", "approve", "42"), ("users", "budget", "42"), ("usage",), ("audit",)],
        ids=" ".join,
    )
    def test_commands_about_people_load_neither_telegram_nor_providers(
        self, tmp_path: Path, command: tuple[str, ...]
    ) -> None:
        prepare(tmp_path / "tgllm.db", 1)

        loaded = libraries_loaded_by("tgllm.cli.main", f"main(['--data-dir', {str(tmp_path)!r}, *{command!r}])")

        assert "typer" in loaded
        # The database is what they are about.
        assert not (HEAVY - {"aiosqlite"}) & loaded

    @pytest.mark.parametrize("command", [("users", "list"), ("audit",)], ids=" ".join)
    def test_lists_answer_at_once(self, tmp_path: Path, command: tuple[str, ...]) -> None:
        prepare(tmp_path / "tgllm.db", 1)

        loaded = libraries_loaded_by("tgllm.cli.main", f"main(['--data-dir', {str(tmp_path)!r}, *{command!r}])")

        assert not {"pydantic", "rich", "structlog"} & loaded

    @pytest.mark.parametrize(
        ("command", "most"),
        [
            ("users list", 46),
            ("groups list", 45),
            ("audit", 49),
            ("invites list", 47),
            ("usage", 54),
            ("models list", 39),
        ],
    )
    def test_a_command_that_shows_a_table_loads_little_more(self, filled: Path, command: str, most: int) -> None:
        loaded = modules_loaded_by(filled, *command.split())

        assert not {"asyncio", "concurrent", "dotenv", "logging", "pydantic", "rich", "structlog", "tomllib"} & loaded
        assert not {"tgllm.i18n.catalogue", "tgllm.config.model", "tgllm.db.database", "tgllm.plugins"} & loaded
        assert len(own(loaded)) <= most

    @pytest.mark.parametrize(
        ("command", "most"), [("plugins list", 167), ("models sync", 198), ("models default", 193), ("ping", 199)]
    )
    def test_a_command_that_opens_plugins_loads_no_bot(self, filled: Path, command: str, most: int) -> None:
        loaded = modules_loaded_by(filled, *command.split())

        assert not HEAVY & loaded
        assert not {"rich", "structlog"} & loaded
        assert not {"tgllm.bot", "tgllm.scheduler", "tgllm.services.bot_core"} & loaded
        assert rooms_of_services(loaded) <= {"chats", "common", "core", "messaging", "models"}
        assert len(own(loaded)) <= most

    def test_a_chat_in_the_shell_loads_no_bot_and_in_a_pipe_no_renderer(self, filled: Path) -> None:
        loaded = modules_loaded_by(filled, "chat", "hi")

        assert not HEAVY & loaded
        assert not {"rich", "pygments", "markdown_it"} & loaded
        assert not {"tgllm.bot", "tgllm.scheduler", "tgllm.services.bot_core"} & loaded

    def test_the_list_of_plugins_loads_no_service(self, filled: Path) -> None:
        assert rooms_of_services(modules_loaded_by(filled, "plugins", "list")) == set()

    def test_times_of_the_refresh_are_looked_at_where_they_are_set(self, filled: Path) -> None:
        assert "apscheduler" in modules_loaded_by(filled, "ping", TGLLM_REFRESH_CRON="0 3 * * *")

    def test_a_probe_sees_what_a_command_loads(self, filled: Path) -> None:
        loaded = modules_loaded_by(filled, "config", "show")

        assert {"pydantic", "tgllm.config.model"} <= loaded
        assert len(own(loaded)) > 40

    @pytest.mark.parametrize("command", ["config path", "config show"])
    def test_a_command_that_reads_the_config_loads_no_editor(self, filled: Path, command: str) -> None:
        assert "tomlkit" not in modules_loaded_by(filled, *command.split())

    @pytest.mark.parametrize("plugin", [source.parent.name for source in PLUGINS])
    def test_a_plugin_loads_no_sdk(self, plugin: str) -> None:
        assert not HEAVY & libraries_loaded_by(f"{plugin}.plugin")

    def test_a_probe_sees_what_a_module_loads(self) -> None:
        assert "aiogram" in libraries_loaded_by("aiogram")


@pytest.fixture
def filled(tmp_path: Path) -> Path:
    """A data folder with something to show for each list."""
    path, now = tmp_path / "tgllm.db", milliseconds(SystemClock())
    prepare(path, now)
    with closing(connect(path)) as conn:
        ann = users.upsert_seen(conn, users.SeenUser(7, "ann", "Ann"), now)
        groups.request(conn, -7, "Friends", now, by=ann.id)
        invites.create(conn, "0" * 64, 1, now + 3_600_000, now, created_by=ann.id)
        audit.add(conn, audit.NewEntry(actor_id=ann.id, source="shell", action="user.approve", target="-7"), now)
        spent = usage.Spent(input_tokens=1, output_tokens=1, cost_micros=1)
        usage.add(conn, ann.id, Days().day(now), "echo", "echo", spent)
        models.upsert(conn, [models.NewModel(provider="echo", model="echo", title="Echo")], now)
    return tmp_path


def test_the_probe_fails_for_a_module_that_is_not_there() -> None:
    with pytest.raises(subprocess.CalledProcessError):
        libraries_loaded_by("tgllm.no_such_module")


class TestFloors:
    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("db/tables/inbox.py", "from tgllm.services.turns.runner import run"),
            ("db/tables/inbox.py", "from tgllm import services"),
            ("db/tables/inbox.py", "import tgllm.services"),
            ("db/tables/inbox.py", "import tgllm.config"),
            ("bot/intake/poller.py", "import tgllm.scheduler"),
            ("api/types.py", "if True:\n    import tgllm.hookspecs"),
            ("api/types.py", "def late() -> None:\n    import tgllm.cli"),
            (
                "services/conversations/turn.py",
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tgllm.bot",
            ),
            ("app.py", "import tgllm.testing"),
            ("app.py", "def late() -> None:\n    import tgllm.testing"),
            ("cli/commands/demo.py", "import tgllm.testing"),
            ("cli/commands/run.py", "def late() -> None:\n    import tgllm.testing"),
            ("rogue/part.py", "import tgllm.api"),
            ("cli/commands/run.py", "import tgllm.rogue"),
        ],
    )
    def test_an_import_that_points_up_is_told(self, tmp_path: Path, path: str, line: str) -> None:
        assert len(architecture.floor_breaches(imports_in(tmp_path, {path: line}))) == 1

    @pytest.mark.parametrize(
        ("path", "line"),
        [
            ("services/conversations/turn.py", "from tgllm.db.tables.inbox import claim"),
            ("services/conversations/turn.py", "from tgllm.services import budgets"),
            ("plugins/builtin/echo.py", "from tgllm import hookimpl"),
            ("cli/commands/demo.py", "def late() -> None:\n    import tgllm.testing.emulator"),
            ("testing/bot.py", "import tgllm.app"),
            ("__main__.py", "from tgllm.cli.main import run"),
            ("api/types.py", "import asyncio"),
        ],
    )
    def test_an_import_that_points_down_is_left_alone(self, tmp_path: Path, path: str, line: str) -> None:
        assert architecture.floor_breaches(imports_in(tmp_path, {path: line})) == []


class TestRooms:
    order: ClassVar = {"db": ["engine", "tables", "database"], "services": ["common", "turns"]}

    @pytest.mark.parametrize(
        ("path", "line", "count"),
        [
            ("db/engine/writer.py", "from tgllm.db.tables.inbox import claim", 1),
            ("db/engine/writer.py", "from tgllm.db.tables import inbox", 1),
            ("db/engine/writer.py", "def late() -> None:\n    import tgllm.db.database", 1),
            (
                "db/engine/writer.py",
                "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tgllm.db.database",
                1,
            ),
            ("db/attic/old.py", "import tgllm.db.engine.unit", 1),
            ("db/database.py", "import tgllm.db.attic.old", 1),
            ("db/tables/inbox.py", "import tgllm.db.engine.unit", 0),
            ("db/tables/inbox.py", "import tgllm.db.tables.outbox", 0),
            ("db/database.py", "from tgllm.db.tables import inbox", 0),
            ("services/common/text.py", "import tgllm.db.database", 0),
            ("bot/scope.py", "import tgllm.bot.runtime", 0),
        ],
    )
    def test_an_import_up_the_rooms_is_told(self, tmp_path: Path, path: str, line: str, count: int) -> None:
        files = ("db/engine/unit.py", "db/tables/inbox.py", "db/tables/outbox.py", "db/database.py", "db/attic/old.py")

        found = imports_in(tmp_path, dict.fromkeys(files, "") | {path: line})

        assert len(rooms.room_breaches(found, self.order)) == count

    def test_a_room_without_a_place_is_told(self, tmp_path: Path) -> None:
        files = {"db/engine/unit.py", "db/attic/old.py", "db/database.py", "services/common/text.py", "bot/scope.py"}
        write(tmp_path, {f"tgllm/{name}": "" for name in files})

        assert rooms.room_table_breaches(read_modules(tmp_path).values(), self.order) == [
            "db/attic has no place in the table of rooms",
            "the table of rooms has db/tables, which is not there",
            "the table of rooms has services/turns, which is not there",
        ]

    def test_the_table_is_read_from_its_section_only(self) -> None:
        text = "| `bot` | `no` |\n\n## Rooms\n\n| `db` | `engine` `tables` |\n\n## Other\n\n| `cli` | `no` |\n"

        assert rooms.read_rooms(text) == {"db": ["engine", "tables"]}

    @pytest.mark.parametrize(
        ("front", "count"),
        [
            ("", 1),
            ('"""Tables."""\n\nfrom tgllm.db.tables.inbox import claim\n', 1),
            ('"""Tables. One module each."""\n', 1),
            ('"""Tables"""\n', 1),
            ('"""Tables, one module each."""\n', 0),
            ('"""Tables,\none module each.\n"""\n', 0),
        ],
    )
    def test_the_front_of_a_room_is_one_sentence(self, tmp_path: Path, front: str, count: int) -> None:
        write(tmp_path, {"tgllm/db/tables/__init__.py": front, "tgllm/db/tables/inbox.py": "X = 1"})

        assert len(rooms.room_front_breaches(read_modules(tmp_path).values(), self.order)) == count

    def test_a_folder_that_is_too_full_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, {f"full/a{number}.py": "" for number in range(rooms.FULLEST_FOLDER + 1)})
        write(tmp_path, {f"part/a{number}.py": "" for number in range(rooms.FULLEST_FOLDER)})

        limit = rooms.FULLEST_FOLDER

        assert rooms.folder_breaches(tmp_path) == [f"{tmp_path.name}/full holds {limit + 1} files, more than {limit}"]

    def test_tests_that_mirror_nothing_are_told(self, tmp_path: Path) -> None:
        names = ("db/tables/inbox.py", "db/tables/outbox.py", "bot/ui/inbox.py")
        write(tmp_path / "package", dict.fromkeys(names, ""))
        tests = ("db/tables/test_inbox.py", "bot/ui/test_inbox.py", "db/attic/test_old.py", "docs/deep/test_page.py")
        write(tmp_path / "tests", dict.fromkeys(tests, ""))

        assert rooms.mirror_breaches(tmp_path / "tests", tmp_path / "package") == ["tests/db/attic mirrors nothing"]

    def test_one_name_for_two_subjects_is_told(self, tmp_path: Path) -> None:
        write(tmp_path / "package", {"db/inbox.py": "", "bot/outbox.py": ""})
        write(tmp_path / "tests", {"db/test_inbox.py": "", "bot/test_access.py": "", "db/test_access.py": ""})

        assert rooms.mirror_breaches(tmp_path / "tests", tmp_path / "package") == ["2 files are called test_access.py"]

    @pytest.mark.parametrize(
        ("path", "line", "count"),
        [
            ("services/access/cards.py", "METHOD = 'sendMessage'", 1),
            ("db/tables/outbox.py", "def f(method: str) -> bool:\n    return method == 'editMessageText'", 1),
            ("services/access/cards.py", "def f() -> None:\n    'Bot API: sendMessage'", 0),
            ("services/messaging/rows.py", "METHOD = 'sendMessage'", 0),
            ("bot/delivery/rows.py", "METHOD = 'sendMessage'", 0),
        ],
    )
    def test_a_method_of_the_bot_api_outside_its_room_is_told(
        self, tmp_path: Path, path: str, line: str, count: int
    ) -> None:
        write(tmp_path, {f"tgllm/{path}": line})

        assert len(rooms.method_breaches(read_modules(tmp_path).values(), methods_of_the_bot_api())) == count


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("from tgllm.services import budgets", 1),
        ("import tgllm.db", 1),
        ("from tgllm_other.plugin import helper", 1),
        ("from tgllm import hookimpl", 0),
        ("from tgllm.api.types import ChatRequest", 0),
        ("from tgllm.providers import http", 0),
        ("from tgllm_mine.settings import Settings", 0),
        ("import pydantic", 0),
    ],
)
def test_a_plugin_that_reaches_past_the_contract_is_told(tmp_path: Path, line: str, count: int) -> None:
    write(tmp_path, {"tgllm/db/__init__.py": "", "tgllm/services/budgets.py": "", "tgllm_mine/plugin.py": line})

    assert len(architecture.plugin_breaches(read_imports(read_modules(tmp_path)))) == count


@pytest.mark.parametrize(
    ("path", "line", "count"),
    [
        ("services/conversations/turn.py", "import aiogram", 1),
        ("services/conversations/turn.py", "from aiogram.types import Message", 1),
        ("bot/intake/poller.py", "import aiosqlite", 1),
        ("providers/openai_chat.py", "import httpx", 1),
        ("web/routes.py", "def late() -> None:\n    import typer", 1),
        ("bot/intake/poller.py", "import aiogram", 0),
        ("providers/http.py", "import httpx", 0),
        ("providers/transport.py", "import aiohttp", 0),
        ("providers/openai_chat.py", "import aiohttp", 1),
        ("db/engine/writer.py", "import sqlite3", 0),
        ("cli/commands/init.py", "def late() -> None:\n    import tomlkit", 1),
        ("config/edit.py", "def late() -> None:\n    import tomlkit", 0),
    ],
)
def test_a_library_outside_its_home_is_told(tmp_path: Path, path: str, line: str, count: int) -> None:
    assert len(architecture.home_breaches(imports_in(tmp_path, {path: line}))) == count


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("import pydantic", 1),
        ("import pluggy", 1),
        ("def late() -> None:\n    import pydantic", 1),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import pydantic", 0),
        ("from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    pass\nelse:\n    import pydantic", 1),
        ("import asyncio\nfrom tgllm.api.events import TextDelta", 0),
    ],
)
def test_a_contract_that_needs_a_library_is_told(tmp_path: Path, line: str, count: int) -> None:
    assert len(architecture.contract_breaches(imports_in(tmp_path, {"api/types.py": line}))) == count


@pytest.mark.parametrize(("part", "count"), [("services", 1), ("bot", 1), ("db", 0)])
def test_sql_outside_the_database_part_is_told(tmp_path: Path, part: str, count: int) -> None:
    write(tmp_path, {f"tgllm/{part}/a.py": "def f(conn: object) -> None:\n    conn.execute('DELETE FROM users')"})

    assert len(architecture.sql_breaches(read_modules(tmp_path).values())) == count


@pytest.mark.parametrize(
    ("path", "line", "count"),
    [
        ("bot/intake/poller.py", "import asyncio\nasync def wait() -> None:\n    await asyncio.sleep(1)", 1),
        ("db/tables/inbox.py", "import time\nNOW = time.time()", 1),
        ("db/tables/inbox.py", "import datetime\nNOW = datetime.datetime.now()", 1),
        ("db/tables/inbox.py", "from datetime import datetime\nNOW = datetime.now()", 1),
        ("db/tables/inbox.py", "from time import monotonic", 1),
        ("db/tables/inbox.py", "def late(clock: object) -> None:\n    clock.sleep(clock.time())", 0),
        ("api/clock.py", "import time\nNOW = time.time()", 0),
    ],
)
def test_a_module_that_looks_at_the_clock_is_told(tmp_path: Path, path: str, line: str, count: int) -> None:
    write(tmp_path, {f"tgllm/{path}": line})

    assert len(architecture.clock_breaches(read_modules(tmp_path).values())) == count


@pytest.mark.parametrize(
    ("handler", "count"),
    [
        ("except ImportError:\n    main()", 1),
        ("except (OSError, ModuleNotFoundError):\n    with run() as loop:\n        loop.go()", 1),
        ("except builtins.ImportError as error:\n    raise RuntimeError('no') from error", 1),
        ("except ImportError:\n    import asyncio\n    asyncio.run(main)", 1),
        ("except ImportError:\n    raise RuntimeError('no') from None", 0),
        ("except ImportError:\n    uvloop = None", 0),
        ("except OSError:\n    main()", 0),
    ],
)
def test_work_while_a_missing_package_is_handled_is_a_breach(tmp_path: Path, handler: str, count: int) -> None:
    write(tmp_path, {"tgllm/app.py": f"try:\n    import uvloop\n{handler}"})

    assert len(architecture.import_error_breaches(read_modules(tmp_path).values())) == count


class TestCycles:
    def test_a_circle_is_told_once(self, tmp_path: Path) -> None:
        files = {"db/a.py": "import tgllm.db.b", "db/b.py": "import tgllm.db.c", "db/c.py": "from tgllm.db import a"}

        assert architecture.cycles(imports_in(tmp_path, files)) == [
            "tgllm.db.a -> tgllm.db.b -> tgllm.db.c -> tgllm.db.a"
        ]

    def test_a_lazy_import_closes_a_circle_too(self, tmp_path: Path) -> None:
        files = {"db/a.py": "import tgllm.db.b", "db/b.py": "def late() -> None:\n    import tgllm.db.a"}

        assert len(architecture.cycles(imports_in(tmp_path, files))) == 1

    def test_a_circle_of_types_is_none(self, tmp_path: Path) -> None:
        types_only = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import tgllm.db.a"

        assert architecture.cycles(imports_in(tmp_path, {"db/a.py": "import tgllm.db.b", "db/b.py": types_only})) == []

    def test_a_tree_is_none(self, tmp_path: Path) -> None:
        files = {"db/a.py": "import tgllm.db.b\nimport tgllm.db.c", "db/b.py": "import tgllm.db.c", "db/c.py": ""}

        assert architecture.cycles(imports_in(tmp_path, files)) == []


class TestSize:
    def test_a_long_module_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, {"tgllm/long.py": "\n" * 501, "tgllm/short.py": "\n", "tgllm/other.py": "\n"})

        assert architecture.size_breaches(read_modules(tmp_path).values()) == [
            "tgllm.long has 501 lines, more than 500"
        ]

    def test_a_large_median_is_told(self, tmp_path: Path) -> None:
        write(tmp_path, {"tgllm/a.py": "\n" * 151, "tgllm/b.py": "\n" * 151, "tgllm/c.py": "\n"})

        assert architecture.size_breaches(read_modules(tmp_path).values()) == [
            "the median module has 151 lines, more than 150"
        ]


@pytest.mark.parametrize(
    ("comment", "count"),
    [
        ("noqa", 1),
        ("noqa: F401, E402", 1),
        ("type: ignore[attr-defined]", 1),
        ("pyright: ignore", 1),
        ("noqa: F401  # pyright: ignore[reportUnusedImport]", 1),
        ("noqa: F401  see above", 1),
        ("type: ignore[attr-defined]  the same", 1),
        ("noqa: F401  for its effect", 0),
        ("type: ignore[attr-defined]  made at run time", 0),
        ("noqa: F401  # pyright: ignore[reportUnusedImport]  for its effect", 0),
    ],
)
def test_a_silenced_check_without_a_reason_is_told(tmp_path: Path, comment: str, count: int) -> None:
    write(tmp_path, {"tgllm/a.py": f"import os  # {comment}\n"})

    assert len(architecture.silence_breaches(read_modules(tmp_path).values())) == count


@pytest.mark.parametrize(
    ("line", "missing"),
    [
        ("def f(a) -> None: ...", ["a"]),
        ("def f(a: int): ...", ["its result"]),
        ("async def f(*args, **kwargs) -> None: ...", ["args", "kwargs"]),
        ("def f(a, /, b, *, c) -> None: ...", ["a", "b", "c"]),
        ("class C:\n    def m(self) -> None:\n        def inner(x): ...", ["x", "its result"]),
        ("class C:\n    def m(self, a: int) -> int: ...\n    @classmethod\n    def n(cls) -> None: ...", []),
    ],
)
def test_a_function_without_types_is_told(tmp_path: Path, line: str, missing: list[str]) -> None:
    write(tmp_path, {"tgllm/a.py": line})

    breaches = architecture.annotation_breaches(read_modules(tmp_path).values())

    assert [breach.rpartition("no type for ")[2] for breach in breaches] == missing


def write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def imports_in(root: Path, files: dict[str, str]) -> list[Import]:
    """The imports of a made-up package, in which the parts that its files name exist."""
    parts = ("api", "bot", "cli", "config", "db", "rogue", "scheduler", "services", "testing")
    write(root, {f"tgllm/{part}/__init__.py": "" for part in parts})
    write(root, {f"tgllm/{name}": text for name, text in files.items()})
    return read_imports(read_modules(root))


def libraries_loaded_by(module: str, call: str = "") -> set[str]:
    """The top-level packages, apart from the standard library's, that a fresh Python loads for a module.

    Args:
        module: what is imported.
        call: of a function of the module, which is carried out too.
    """
    program = (
        "import contextlib, importlib, io, json, sys\n"
        "before = set(sys.modules)\n"
        f"found = importlib.import_module({module!r})\n"
        "with contextlib.redirect_stdout(io.StringIO()):\n"
        f"    {f'found.{call}' if call else 'pass'}\n"
        "print(json.dumps(sorted({name.split('.')[0] for name in set(sys.modules) - before})))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    return set(json.loads(done.stdout)) - sys.stdlib_module_names


def modules_loaded_by(data_dir: Path, *command: str, **environ: str) -> set[str]:
    """All modules that a fresh Python has loaded at the end of a command, in a home without settings."""
    program = (
        "import contextlib, io, json, sys\n"
        "from tgllm.cli.main import main\n"
        "with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.redirect_stderr(io.StringIO()):\n"
        "    code = main(sys.argv[1:])\n"
        "print(json.dumps([code, len(shown.getvalue().splitlines()), sorted(sys.modules)]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--data-dir", str(data_dir), *command],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        cwd=data_dir,
        env={"HOME": str(data_dir), "PATH": os.environ["PATH"], **environ},
    )
    code, lines, loaded = json.loads(done.stdout)
    assert code == 0
    assert lines
    return set(loaded)


def own(loaded: set[str]) -> set[str]:
    """Those of tgllm, whichever plugins are installed."""
    return {name for name in loaded if name.split(".")[0] == "tgllm"}


def rooms_of_services(loaded: set[str]) -> set[str]:
    """The rooms of the services that modules are in."""
    return {name.split(".")[2] for name in loaded if name.startswith("tgllm.services.")}
