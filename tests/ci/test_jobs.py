"""What runs for a change - the workflow, .ci/run, the commit hooks - names things that exist."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import pythons

ROOT = Path(__file__).resolve().parents[2]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
MAKE = re.compile(r"\bmake ((?:[a-z][a-z-]* ?)+)")


@pytest.fixture(scope="module")
def targets() -> set[str]:
    makefile = (ROOT / "Makefile").read_text()
    return set(re.findall(r"^([a-z][a-z-]*):", makefile, re.MULTILINE))


@pytest.fixture(scope="module")
def workflow() -> dict[str, Any]:
    (path,) = WORKFLOWS
    return yaml.safe_load(path.read_text())


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def make(*arguments: str) -> str:
    """What make prints, also when the tests themselves were started by make."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    command = ["make", "--no-print-directory", *arguments]
    return subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True, check=True).stdout


def make_targets(text: str) -> set[str]:
    return {target for words in MAKE.findall(text) for target in words.split()}


def test_every_job_of_the_workflow_calls_make(workflow: dict[str, Any], targets: set[str]) -> None:
    for job in workflow["jobs"].values():
        called = set.union(*(make_targets(step.get("run", "")) for step in job["steps"]))

        assert called
        assert called <= targets


def test_the_workflow_checks_everything(workflow: dict[str, Any]) -> None:
    called = set.union(*(make_targets(step.get("run", "")) for step in steps(workflow)))

    assert {"lint", "coverage", "test-packaging", "test-real-model", "demo"} <= called


def test_the_workflow_pins_actions_by_major_version(workflow: dict[str, Any]) -> None:
    used = [step["uses"] for step in steps(workflow) if "uses" in step]

    assert used
    assert [name for name in used if not re.fullmatch(r"[\w-]+/[\w-]+@v\d+", name)] == []


def test_the_workflow_has_no_more_rights_than_reading(workflow: dict[str, Any]) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert all(job["timeout-minutes"] <= 30 for job in workflow["jobs"].values())


def test_the_same_pythons_are_tested_and_promised_everywhere(workflow: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))

    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == promised == list(pythons.SUPPORTED)


def test_ci_runs_what_check_runs(targets: set[str]) -> None:
    script = ROOT / ".ci" / "run"
    commands = re.sub(r"^#.*", "", script.read_text(), flags=re.MULTILINE)
    check = re.search(r"^check: ([a-z -]+?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE)

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in commands
    assert check is not None
    assert set(check[1].split()) == make_targets(commands) <= targets


def test_a_hook_runs_each_static_check() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    lint = make("--dry-run", "lint")
    tools = {"ruff check", "ruff format", "pyright", "python scripts/check_links.py"}

    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    for tool in tools:
        assert f".venv/bin/{tool}" in lint
        assert [hook for hook in hooks if hook["entry"].startswith(f".venv/bin/{tool}")]


def test_help_lists_every_target_that_has_one(targets: set[str]) -> None:
    told = make("help")

    assert {line.split()[0] for line in told.splitlines()} == targets
