"""The pages on plugins say what the code says."""

import inspect
import re
from collections.abc import Callable

import pytest

import tgllm.api
from docs_support import read_page
from tgllm import hookspecs
from tgllm.bot.replies import chats, checks
from tgllm.plugins.checks.forms import FORMS
from tgllm.plugins.loading import planner
from tgllm.plugins.loading.clashes import CORE_COMMANDS
from tgllm.services.files import handlers

HOOKS_PAGE = read_page("reference/hooks.md")
API_PAGE = read_page("reference/plugin-api.md")

HOOKS = {name: spec for name, spec in vars(hookspecs).items() if name.startswith("tgllm_")}


def signature(spec: Callable[..., object]) -> str:
    source = inspect.getsource(spec)
    head = source[source.index("def ") : source.index('    """')]
    return re.sub(r"\s*# type: ignore.*", "", head).strip()


def section(name: str, spec: Callable[..., object]) -> str:
    """What the page must say of a hook: its signature, and its docstring with the rules as a list."""
    text = (inspect.getdoc(spec) or "").replace("``", "`")
    about, combines, failure, since = re.split(r"\s+(?:Combines:|Failure:?|Since)\s+", text, maxsplit=3)
    rules = {"Combines": combines, "Failure": failure, "Since": f"API {since.rstrip('.')}"}
    lines = [f"- {rule}: {' '.join(words.split())}" for rule, words in rules.items()]
    paragraphs = [" ".join(paragraph.split()) for paragraph in about.split("\n\n")]
    return "\n\n".join((f"### {name}", f"```python\n{signature(spec)}\n```", *paragraphs, "\n".join(lines)))


@pytest.mark.parametrize("name", HOOKS)
def test_the_page_on_hooks_has_each_with_its_signature_and_rules(name: str) -> None:
    assert section(name, HOOKS[name]) in HOOKS_PAGE


def test_the_page_on_hooks_has_no_other_hook() -> None:
    assert re.findall(r"^### (\w+)$", HOOKS_PAGE, re.MULTILINE) == list(HOOKS)


def test_the_page_on_the_api_has_every_public_name_once() -> None:
    listed = re.findall(r"^\| `(\w+)` \|", API_PAGE, re.MULTILINE)

    assert sorted(listed) == sorted(tgllm.api.__all__)


def test_the_page_on_the_api_has_the_rule_of_each_name() -> None:
    missing = [form.words for form in FORMS if f"| {form.words} |" not in API_PAGE]

    assert missing == []


def test_the_page_on_the_api_has_the_limits_of_names_without_a_form() -> None:
    for longest, whose in (
        (planner.LONGEST_ID, "ids of one-shot jobs"),
        (checks.MOST_ID, "`Button.id`"),
        (chats.MOST_KEY, "`key` of `ctx.chats.send`"),
    ):
        assert f"| {whose} | 1 to {longest} characters of any kind |" in API_PAGE


def test_the_page_on_the_api_has_every_command_of_the_bot_itself() -> None:
    said = re.search(r"are the bot's own:(.*?)\. Others", API_PAGE, re.DOTALL)

    assert said is not None
    assert re.findall(r"`/(\w+)`", said[1]) == sorted(CORE_COMMANDS)


def test_the_page_on_the_api_has_the_kinds_of_files_that_say_little() -> None:
    said = re.search(r"where the content says little:(.*?), handlers with", API_PAGE, re.DOTALL)

    assert said is not None
    assert re.findall(r"`([^`]+)`", said[1]) == sorted(handlers.GENERAL)
