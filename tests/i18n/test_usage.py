"""Every text that the program asks for is there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from tgllm.i18n.catalogue import texts_of

ROOT = Path(__file__).parents[2]
SECTIONS = {key.partition(".")[0] for key in texts_of("en")}
LOG = {"debug", "info", "warning", "error"}


def asked_for(tree: ast.AST) -> Iterator[str]:
    """Keys that stand in a call, outside of log lines."""
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and not (isinstance(call.func, ast.Attribute) and call.func.attr in LOG):
            for node in ast.walk(call.args[0]) if call.args else ():
                if isinstance(node, ast.Constant) and is_key(node.value):
                    yield str(node.value)


def is_key(value: object) -> bool:
    section, dot, rest = value.partition(".") if isinstance(value, str) else ("", "", "")
    return section in SECTIONS and bool(dot) and rest.replace(".", "_").isidentifier()


def sources() -> Iterator[Path]:
    yield from (ROOT / "src").rglob("*.py")
    yield from (ROOT / "plugins").glob("*/src/**/*.py")


CODE = """
texts("ping.ready", "help.c")
log.info("turn.nothing")
say(texts("a" if b else "access.none"))
f("x.y")
texts(f"access.not_{role}")
"""


def test_keys_in_the_code_are_found() -> None:
    assert set(asked_for(ast.parse(CODE))) == {"ping.ready", "access.none", "access.not_"}


def is_there(key: str) -> bool:
    """Whether there is such a text; of a key that is put together, its beginning."""
    return key in texts_of("en") or (key.endswith("_") and any(known.startswith(key) for known in texts_of("en")))


def test_every_key_in_the_code_is_in_the_catalogue() -> None:
    unknown = {
        f"{path.relative_to(ROOT)}: {key}"
        for path in sources()
        for key in asked_for(ast.parse(path.read_text(encoding="utf-8")))
        if not is_there(key)
    }

    assert unknown == set()


PUT_TOGETHER = (
    "access.button_",
    "access.decided_",
    "access.not_",
    "access.state_",
    "access.told_",
    "admin.broadcast.refused_",
    "admin.budget.from_",
    "admin.jobs.state_",
    "admin.plugins.state_",
    "admin.stats.button_",
    "admin.stats.by_",
    "admin.stats.days_",
    "admin.tools.approval_",
    "admin.tools.danger_",
    "admin.tools.field_",
    "admin.user.make_",
    "admin.users.list_",
    "admin.words.role_",
    "admin.words.status_",
    "approval.approved",
    "approval.button_",
    "approval.denied",
    "approval.state_",
    "approval.toast_",
    "approvals.elsewhere",
    "approvals.here",
    "budget.changed_",
    "budget.measure_",
    "budget.period_",
    "budget.whose_",
    "error.",
    "group.about_",
    "group.name_",
    "help.",
    "init.code_",
    "init.search_",
    "kept.kind_",
    "prompt.documents",
    "prompt.tool",
    "question.toast_",
    "reminders.",
    "settings.about_",
    "settings.effort_",
    "settings.name_",
    "settings.rich_",
    "settings.summary_",
    "settings.thoughts_",
    "shell.exposed_",
    "shell.setting_",
    "shell.unit_",
    "shell.user_did_",
    "storage.",
    "stream.tools_",
    "tool.",
    "tools.about_",
    "tools.denied",
    "tools.failed",
    "tools.stopped",
    "tools.unknown",
    "unit.",
)
"""Beginnings of keys whose end comes from a role, an error's code or a command's name."""
OF_ADMIN_COMMANDS = re.compile(r"admin\.\w+\.(about|label)")
"""Keys that hold the name of an admin command; tests/bot/test_admin_cmds.py has a look at them."""


def test_every_text_is_asked_for() -> None:
    asked = {key for path in sources() for key in asked_for(ast.parse(path.read_text(encoding="utf-8")))}
    others = {
        key for key in texts_of("en") if not key.startswith(PUT_TOGETHER) and not OF_ADMIN_COMMANDS.fullmatch(key)
    }

    assert others - asked == set()
