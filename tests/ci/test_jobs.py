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
def workflows() -> dict[str, dict[str, Any]]:
    """The workflows by name."""
    return {path.stem: yaml.safe_load(path.read_text()) for path in WORKFLOWS}


@pytest.fixture(scope="module")
def workflow(workflows: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The one that runs for each change."""
    return workflows["ci"]


def steps(workflow: dict[str, Any]) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def triggers(workflow: dict[str, Any]) -> dict[str, Any]:
    # YAML 1.1 reads the key "on" as true.
    return workflow[True]


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

    tests = {"coverage", "test-lowest", "test-packaging", "test-postgres", "test-deploy", "test-real-model"}
    assert {"lint", "docs", "demo", *tests} <= called


def test_every_workflow_calls_make_targets_and_scripts_that_exist(
    workflows: dict[str, dict[str, Any]], targets: set[str]
) -> None:
    runs = [step["run"] for workflow in workflows.values() for step in steps(workflow) if "run" in step]

    assert set.union(*map(make_targets, runs)) <= targets
    scripts = set(re.findall(r"scripts/\w+\.py", "\n".join(runs)))
    assert scripts
    assert all((ROOT / script).is_file() for script in scripts)


def test_actions_are_pinned_by_hash_with_their_version() -> None:
    lines = [line.strip() for path in WORKFLOWS for line in path.read_text().splitlines() if "uses:" in line]
    pinned = re.compile(r"(- )?uses: ([\w-]+/[\w-]+)@([0-9a-f]{40}) # v\d+\.\d+\.\d+")
    found = [pinned.fullmatch(line) for line in lines]

    assert lines
    assert [line for line, match in zip(lines, found, strict=True) if match is None] == []
    # One version of each action everywhere.
    pairs = {(match[2], match[3]) for match in found if match}
    assert len(pairs) == len({name for name, _ in pairs})


def test_each_job_has_the_rights_that_it_needs_and_a_time_limit(workflows: dict[str, dict[str, Any]]) -> None:
    granted: dict[str, dict[str, str]] = {}
    for name, workflow in workflows.items():
        assert workflow["permissions"] == {}
        for job, settings in workflow["jobs"].items():
            assert settings["timeout-minutes"] <= 60
            granted[f"{name}/{job}"] = settings["permissions"]
    more = {job: rights for job, rights in granted.items() if rights != {"contents": "read"}}
    assert more == {
        "image/image": {"contents": "read", "packages": "write"},
        "release/publish": {"id-token": "write"},
    }


def test_no_checkout_keeps_the_token(workflows: dict[str, dict[str, Any]]) -> None:
    checkouts = [
        step
        for workflow in workflows.values()
        for step in steps(workflow)
        if step.get("uses", "").startswith("actions/checkout@")
    ]
    assert checkouts
    assert all(step["with"] == {"persist-credentials": False} for step in checkouts)


def test_no_shell_line_contains_an_expression(workflows: dict[str, dict[str, Any]]) -> None:
    # GitHub puts the value of ${{ }} into the script as text: a tag or branch name would be run.
    runs = [step["run"] for workflow in workflows.values() for step in steps(workflow) if "run" in step]
    assert [run for run in runs if "${{" in run] == []


def test_only_tags_of_releases_publish(workflows: dict[str, dict[str, Any]]) -> None:
    assert triggers(workflows["release"]) == {"push": {"tags": ["tgllm-v*", "tgllm-*-v*"]}}
    assert triggers(workflows["image"]) == {"push": {"tags": ["tgllm-v*"]}}
    for name in ("release", "image"):
        runs = [step.get("run", "") for step in steps(workflows[name])]
        assert any("scripts/release.py" in run for run in runs)
    publish = workflows["release"]["jobs"]["publish"]
    # An environment for each package; nothing of the repository is run where the identity token is.
    assert publish["environment"] == "${{ needs.build.outputs.package }}"
    assert [step for step in publish["steps"] if "run" in step] == []


def test_only_a_final_version_becomes_the_latest_image(workflows: dict[str, dict[str, Any]]) -> None:
    pushed = [step["with"]["tags"] for step in steps(workflows["image"]) if "tags" in step.get("with", {})]
    latest = [line for tags in pushed for line in tags.splitlines() if "latest" in line]
    assert latest == [
        "${{ steps.release.outputs.final == 'true' && format('{0}:latest', steps.release.outputs.image) || '' }}"
    ]


def test_dependabot_knows_every_ecosystem() -> None:
    config = yaml.safe_load((ROOT / ".github" / "dependabot.yml").read_text())
    assert {update["package-ecosystem"] for update in config["updates"]} >= {"github-actions", "pip"}


def test_the_same_pythons_are_tested_and_promised_everywhere(workflow: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    promised = re.findall(r"Python :: (3\.\d+)", "\n".join(project["classifiers"]))

    assert workflow["jobs"]["test"]["strategy"]["matrix"]["python"] == promised == list(pythons.SUPPORTED)
    for path in ROOT.glob("plugins/*/pyproject.toml"):
        assert re.findall(r"Python :: (3\.\d+)", path.read_text()) == promised, path


def test_ci_runs_what_check_runs(targets: set[str]) -> None:
    script = ROOT / ".ci" / "run"
    commands = re.sub(r"^#.*", "", script.read_text(), flags=re.MULTILINE)
    parts = dict(re.findall(r"^(check|test): ([a-z -]+?) ##", (ROOT / "Makefile").read_text(), re.MULTILINE))
    check = {*parts["check"].split(), *parts["test"].split()} - {"test"}

    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in commands
    assert check == make_targets(commands) <= targets


def test_a_hook_runs_each_static_check() -> None:
    config = yaml.safe_load((ROOT / ".pre-commit-config.yaml").read_text())
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    lint = make("--dry-run", "lint")
    tools = {"ruff check", "ruff format", "pyright", "python scripts/check_links.py", "zizmor"}

    assert {repo["repo"] for repo in config["repos"]} == {"local"}
    for tool in tools:
        assert f".venv/bin/{tool}" in lint
        assert [hook for hook in hooks if hook["entry"].startswith(f".venv/bin/{tool}")]


def test_help_lists_every_target_that_has_one(targets: set[str]) -> None:
    told = make("help")

    assert {line.split()[0] for line in told.splitlines()} == targets
