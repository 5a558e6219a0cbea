"""``tgllm plugins new`` in an empty folder: what it writes installs, passes its tests, and answers in the demo.

It follows docs/howto/start-a-plugin.md.
"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.packaging

KINDS = ("provider", "openai-compatible", "command", "job", "file-handler")
PROVIDERS = KINDS[:2]
QUESTION = "Dear bot, say this back to me, and let me watch the answer grow word by word."
SECONDS = 300.0


def plugin_id(kind: str) -> str:
    return f"my_{kind.replace('-', '_')}"


@pytest.fixture(scope="module")
def environment(author: Any) -> Any:
    """An author's environment in which the package of each kind was written, by its name, and installed."""
    for done in side_by_side(lambda kind: author.run("tgllm", "plugins", "new", name(kind), "--kind", kind)):
        assert "Its tests" in done.stdout
    pip = ["-m", "pip", "--disable-pip-version-check", "install", "-qq", "--no-deps", "--no-build-isolation"]
    author.run("python", *pip, *(f"./{name(kind)}" for kind in KINDS))
    return author


def name(kind: str) -> str:
    return f"tgllm-my-{kind}"


def side_by_side(do: Callable[[str], Any], kinds: tuple[str, ...] = KINDS) -> list[Any]:
    with ThreadPoolExecutor(2) as threads:
        return list(threads.map(do, kinds))


def test_all_of_them_are_listed(environment: Any) -> None:
    listed = {
        entry["plugin"]: entry for entry in json.loads(environment.run("tgllm", "plugins", "list", "--json").stdout)
    }

    assert {plugin_id(kind): listed[plugin_id(kind)]["state"] for kind in KINDS} == {
        plugin_id(kind): "active" for kind in KINDS
    }
    assert environment.run("python", "-m", "pip", "check").stdout.startswith("No broken requirements")


def test_their_own_tests_pass(environment: Any) -> None:
    def run(kind: str) -> "subprocess.CompletedProcess[str]":
        return environment.run(
            "python", "-m", "pytest", "-q", name(kind), "-c", f"{name(kind)}/pyproject.toml", check=False
        )

    for kind, done in zip(KINDS, side_by_side(run), strict=True):
        assert done.returncode == 0, f"{kind}: {done.stdout[-3000:]}{done.stderr}"
        assert "xfailed" not in done.stdout


def test_type_checkers_find_nothing(environment: Any) -> None:
    config = environment.path / "pyrightconfig.json"
    folders = [f"{name(kind)}/{folder}" for kind in KINDS for folder in ("src", "tests")]
    config.write_text(json.dumps({"include": folders, "typeCheckingMode": "strict"}), encoding="utf-8")
    pyright = [Path(sys.executable).with_name("pyright"), "--pythonpath", environment.path / "bin" / "python"]
    done = subprocess.run(
        pyright, cwd=environment.path, capture_output=True, text=True, check=False, timeout=SECONDS
    )  # fmt: skip

    assert done.returncode == 0, done.stdout
    assert "0 errors, 0 warnings" in done.stdout


def test_they_answer_in_the_demo(environment: Any) -> None:
    shown = dict(zip(KINDS, side_by_side(lambda kind: show(environment, kind)), strict=True))

    for kind in PROVIDERS:
        assert f"The model {plugin_id(kind)}/" in shown[kind]
        assert f"\nBot: {QUESTION}\n" in shown[kind]
    assert "write /my_command" in shown["command"]
    assert shown["command"].endswith("Ann: /my_command\nBot: Write minutes and a text, such as: /my_command 5 tea\n")
    assert "This chat gets a message every day." in shown["job"]
    assert "send a file: .myfilehandler" in shown["file-handler"]


def show(environment: Any, kind: str) -> str:
    """Return what the demo prints with a plugin; one of a provider gets the address and the key of a fake service."""
    model = [] if kind in PROVIDERS else ["--model=echo"]
    with service(environment, kind) as variables:
        command = ["tgllm", "demo", "--once", *model, "--plugin", f"./{name(kind)}"]
        done = environment.run(*command, check=False, **variables)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def service(environment: Any, kind: str) -> Iterator[Mapping[str, str]]:
    """Run the fake service that belongs to a provider, and yield the variables that lead to it."""
    if kind not in PROVIDERS:
        yield {}
        return
    own = [f"{name(kind)}/tests/service.py"]
    arguments = own if kind == "provider" else ["-m", "tgllm.testing.fake_providers", "openai"]
    command = [environment.path / "bin" / "python", "-u", *arguments]
    process = subprocess.Popen(command, cwd=environment.path, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        if kind == "provider":
            lines = [process.stdout.readline() for _ in range(4)]
            exports = (line.split()[1].partition("=") for line in lines if line.strip().startswith("export "))
            yield {variable: value for variable, _, value in exports}
        else:
            fake = json.loads(process.stdout.readline())
            upper = plugin_id(kind).upper()
            yield {f"{upper}_API_KEY": fake["key"], f"TGLLM_PLUGINS__{upper}__BASE_URL": fake["base_url"]}
    finally:
        process.kill()
        process.communicate()
