"""The pages on plugins say what the code says."""

import inspect
import re
from collections.abc import Callable

import pytest

import tgllm.api
from docs_support import read_page
from tgllm import hookspecs

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
