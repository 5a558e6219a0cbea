"""Commands that change an environment, by what manages it."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from tgllm.plugins.installing.environment import Environment
from tgllm.plugins.installing.installed import CORE
from tgllm.plugins.installing.receipts import core_of, others_of
from tgllm.plugins.installing.wanted import Wanted

__all__ = ["Action", "Command", "by_hand", "change", "check"]

Action = Literal["install", "upgrade", "uninstall"]

_PIP: Final = ("-m", "pip", "--disable-pip-version-check", "--no-input")


@dataclass(frozen=True, slots=True)
class Command:
    """A command with its environment variables."""

    words: tuple[str, ...]
    variables: Mapping[str, str] = field(default_factory=dict[str, str])
    """Further ones, beside those of the process."""
    commits_at: tuple[str, ...] = ()
    """How lines of its output begin from which on it changes the environment."""

    def __str__(self) -> str:
        return shlex.join(self.words)


def check(
    environment: Environment, action: Action, wanted: Sequence[Wanted], version: str, constraints: Path, report: Path
) -> Command:
    """Return the command that finds out what would be installed, and changes nothing.

    Args:
        environment: the environment.
        action: what is to be done; not ``uninstall``.
        wanted: the packages.
        version: the running version of tgllm, which stays.
        constraints: a file with the versions that stay.
        report: where pip writes what it would install; uv prints it.

    Raises:
        PluginError: neither pip nor uv is there.
    """
    facts = environment.facts
    if facts.has_pip:
        words = (*_pip(environment), "install", "--dry-run", "--report", str(report), *_upgrade(action))
        return Command((*words, *_requirements(wanted, version)), _constrained(constraints))
    return Command(
        (
            *_uv_pip(environment, "install"),
            "--dry-run",
            *_upgrade_packages(action, wanted),
            *_requirements(wanted, version),
        ),
        _constrained(constraints),
    )


def change(
    environment: Environment, action: Action, wanted: Sequence[Wanted], version: str, constraints: Path
) -> Command | None:
    """Return the command that changes the environment; None if no program can.

    Args:
        environment: the environment.
        action: what is to be done.
        wanted: the packages.
        version: the running version of tgllm, which stays.
        constraints: a file with the versions that the check has found.
    """
    if environment.kind == "none" or not environment.facts.is_writable:
        return None
    match environment.kind:
        case "pip":
            words = _of_pip(environment, action, wanted, version)
            return Command(
                words, _constrained(constraints), ("Installing collected packages", "Found existing", "Uninstalling")
            )
        case "uv" if environment.facts.uv:
            return Command(_of_uv(environment, action, wanted, version), _constrained(constraints), ("Prepared",))
        case "pipx" if environment.facts.pipx:
            return Command(_of_pipx(environment, action, wanted), _constrained(constraints) | _pipx_home(environment))
        case "uv-tool" if environment.facts.uv:
            return Command(_of_uv_tool(environment, action, wanted), _uv_tool_folder(environment), ("Prepared",))
        case _:
            return None


def by_hand(environment: Environment, action: Action, wanted: Sequence[Wanted], version: str) -> str:
    """Return the exact command, or the lines of a Dockerfile, for an environment that can't be changed from here."""
    texts = [each.text for each in wanted]
    quoted = shlex.join(texts)
    pinned = [*texts, f"{CORE}=={version}"] if action != "uninstall" else texts
    python = str(environment.facts.python)
    match environment.kind:
        case "image":
            plugins = shlex.quote(" ".join(texts))
            if action == "uninstall":
                return f"docker build --tag tgllm --build-arg PLUGINS='...' .    # without {quoted}"
            if environment.facts.has_pip:
                return f"RUN {shlex.join((python, '-m', 'pip', 'install', *pinned))}"
            return f"docker build --tag tgllm --build-arg PLUGINS={plugins} ."
        case "pipx":
            return shlex.join(_of_pipx(environment, action, wanted))
        case "uv-tool":
            return shlex.join(_of_uv_tool(environment, action, wanted))
        case "managed":
            folder = "~/.venvs/tgllm"
            return f"python3 -m venv {folder} && {folder}/bin/pip install {shlex.join(pinned)}"
        case _ if environment.facts.has_pip:
            return shlex.join(_of_pip(environment, action, wanted, version))
        case _:
            return shlex.join(_of_uv(environment, action, wanted, version))


def _of_pip(environment: Environment, action: Action, wanted: Sequence[Wanted], version: str) -> tuple[str, ...]:
    if action == "uninstall":
        return (*_pip(environment), "uninstall", "--yes", *(each.text for each in wanted))
    return (*_pip(environment), "install", *_upgrade(action), *_requirements(wanted, version))


def _of_uv(environment: Environment, action: Action, wanted: Sequence[Wanted], version: str) -> tuple[str, ...]:
    if action == "uninstall":
        return (*_uv_pip(environment, "uninstall"), *(each.text for each in wanted))
    return (*_uv_pip(environment, "install"), *_upgrade_packages(action, wanted), *_requirements(wanted, version))


def _of_pipx(environment: Environment, action: Action, wanted: Sequence[Wanted]) -> tuple[str, ...]:
    pipx, texts = environment.facts.pipx or "pipx", [each.text for each in wanted]
    if action == "uninstall":
        return (pipx, "uninject", environment.tool, *texts)
    return (pipx, "inject", *(["--force"] if action == "upgrade" else []), environment.tool, *texts)


def _of_uv_tool(environment: Environment, action: Action, wanted: Sequence[Wanted]) -> tuple[str, ...]:
    """Return the command; uv tool knows only what one command names, so it names all earlier packages again."""
    prefix, names = environment.facts.prefix, {each.name for each in wanted}
    others = others_of(prefix)
    kept = [text for name, text in others.items() if action == "upgrade" or name not in names]
    added = [each.text for each in wanted if action == "install" or each.name not in others]
    withs = kept if action == "uninstall" else [*kept, *added]
    upgraded = _upgrade_packages(action, wanted)
    uv = environment.facts.uv or "uv"
    return (uv, "tool", "install", *upgraded, *core_of(prefix), *(word for text in withs for word in ("--with", text)))


def _pip(environment: Environment) -> tuple[str, ...]:
    return (str(environment.facts.python), *_PIP)


def _uv_pip(environment: Environment, action: str) -> tuple[str, ...]:
    return (environment.facts.uv or "uv", "pip", action, "--python", str(environment.facts.python))


def _requirements(wanted: Sequence[Wanted], version: str) -> tuple[str, ...]:
    # With tgllm among them, the resolver looks at what tgllm needs.
    return (*(each.text for each in wanted), f"{CORE}=={version}")


def _upgrade(action: Action) -> tuple[str, ...]:
    return ("--upgrade",) if action == "upgrade" else ()


def _upgrade_packages(action: Action, wanted: Sequence[Wanted]) -> tuple[str, ...]:
    if action != "upgrade":
        return ()
    return tuple(word for each in wanted if each.name for word in ("--upgrade-package", each.name))


def _constrained(constraints: Path) -> dict[str, str]:
    # By variables: pipx and uv tool would keep an option for later, when the file is gone.
    return {"PIP_CONSTRAINT": str(constraints), "UV_CONSTRAINT": str(constraints), "PYTHONUNBUFFERED": "1"}


def _pipx_home(environment: Environment) -> dict[str, str]:
    """Return the variable for the folder that holds the environment, which may be another than the default one."""
    folder = environment.facts.prefix.parent
    return {"PIPX_HOME": str(folder.parent)} if folder.name == "venvs" else {}


def _uv_tool_folder(environment: Environment) -> dict[str, str]:
    return {"UV_TOOL_DIR": str(environment.facts.prefix.parent)}
