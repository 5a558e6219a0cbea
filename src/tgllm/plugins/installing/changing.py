"""Changes of the environment: first what would change, beside a tgllm that stays as it is, then the change itself."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from tgllm.api.errors import PluginError
from tgllm.plugins.installing import commands
from tgllm.plugins.installing.commands import Action, Command
from tgllm.plugins.installing.environment import Environment
from tgllm.plugins.installing.installed import CORE, needed_by_core
from tgllm.plugins.installing.process import Ended, run
from tgllm.plugins.installing.resolving import Resolved, conflict_in_words, read_report, read_uv
from tgllm.plugins.installing.wanted import Wanted

__all__ = ["CantChange", "Conflict", "Plan", "carry_out", "plan"]

RESOLVE_SECONDS: Final = 300.0
CHANGE_SECONDS: Final = 900.0

OnLine = Callable[[str], None]
"""Called with each line of an installer's output."""


class Conflict(PluginError):
    """What is wanted doesn't fit beside the running tgllm."""


class CantChange(PluginError):
    """The environment can't be changed from here; the message has the exact command."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A change that has been found to be possible."""

    environment: Environment
    action: Action
    wanted: tuple[Wanted, ...]
    version: str
    """Of tgllm, which stays."""
    before: Mapping[str, str]
    """All installed packages, by normalized name."""
    resolved: Resolved

    @property
    def changes(self) -> Mapping[str, tuple[str | None, str | None]]:
        """The versions before and after, of what changes."""
        if self.action == "uninstall":
            return {each.text: (self.before.get(each.text), None) for each in self.wanted}
        return {name: (self.before.get(name), version) for name, version in sorted(self.resolved.versions.items())}

    @property
    def touched(self) -> tuple[str, ...]:
        """What tgllm itself needs and would get in another version, which tgllm allows."""
        needed = needed_by_core(self.before)
        return tuple(name for name in self.changes if name in needed)


async def plan(
    environment: Environment, action: Action, wanted: Sequence[Wanted], before: Mapping[str, str], on_line: OnLine
) -> Plan:
    """Find out what a change would do; nothing is changed.

    First the packages that tgllm needs are to keep their versions. If that can't be, they may change as far as tgllm
    allows it.

    Raises:
        CantChange: the environment can't be changed from here.
        Conflict: the packages don't fit beside tgllm.
    """
    version = before[CORE]
    with TemporaryDirectory(prefix="tgllm-") as folder:
        place = Path(folder)
        if commands.change(environment, action, wanted, version, place) is None:
            raise CantChange(_cant(environment, action, wanted, version))
        if action == "uninstall":
            return Plan(environment, action, tuple(wanted), version, before, Resolved({}))
        if not (environment.facts.has_pip or environment.facts.uv):
            raise CantChange(_cant(environment, action, wanted, version))
        lines: Sequence[str] = ()
        for fixed in (needed_by_core(before), {CORE: version}):
            constraints = _constraints(place, fixed)
            report = place / "report.json"
            command = commands.check(environment, action, wanted, version, constraints, report)
            ended = await _run(command, RESOLVE_SECONDS, on_line)
            if ended.is_late:
                raise Conflict(
                    f"{command.words[0]} did not find out within {RESOLVE_SECONDS:g} s what it would install"
                )
            if ended.code == 0:
                resolved = read_report(report) if environment.facts.has_pip else read_uv(ended.lines)
                return _sound(Plan(environment, action, tuple(wanted), version, before, resolved))
            lines = ended.lines
    raise Conflict(_conflict(action, wanted, version, lines))


async def carry_out(plan: Plan, on_line: OnLine) -> Ended:
    """Change the environment as planned.

    Raises:
        PluginError: the installer can't be started.
    """
    with TemporaryDirectory(prefix="tgllm-") as folder:
        fixed = {**plan.before, **plan.resolved.versions} if plan.action != "uninstall" else {}
        constraints = _constraints(Path(folder), fixed)
        command = commands.change(plan.environment, plan.action, plan.wanted, plan.version, constraints)
        assert command is not None  # noqa: S101  checked by ``plan``
        return await _run(command, CHANGE_SECONDS, on_line)


async def _run(command: Command, seconds: float, on_line: OnLine) -> Ended:
    try:
        return await run(command, seconds, on_line)
    except OSError as error:
        raise PluginError(f"{command.words[0]} can't be started: {error.strerror or error}") from None


def _constraints(folder: Path, versions: Mapping[str, str]) -> Path:
    path = folder / "constraints.txt"
    path.write_text("".join(f"{name}=={version}\n" for name, version in versions.items()), encoding="utf-8")
    return path


def _sound(plan: Plan) -> Plan:
    other = plan.resolved.versions.get(CORE)
    if other == plan.version:
        raise Conflict(f"this would put another tgllm {other} in the place of this one, and so it is not done")
    if other is not None:
        raise Conflict(
            f"this would change tgllm from {plan.version} to {other}, and so it is not done: upgrade tgllm first "
            "(tgllm upgrade says how)"
        )
    return plan


def _conflict(action: Action, wanted: Sequence[Wanted], version: str, lines: Sequence[str]) -> str:
    names = ", ".join(each.name or each.text for each in wanted)
    verb = "upgraded" if action == "upgrade" else "installed"
    return f"{names} can't be {verb} beside tgllm {version}, and nothing was changed: {conflict_in_words(lines)}"


def _cant(environment: Environment, action: Action, wanted: Sequence[Wanted], version: str) -> str:
    command = commands.by_hand(environment, action, wanted, version)
    match environment.kind:
        case "managed":
            why = environment.facts.managed_note or "its packages are those of the operating system"
            return (
                f"{environment.title} is managed by the operating system ({why.rstrip('.')}). "
                f"Use an environment of its own for the bot, and run tgllm from there: {command}"
            )
        case "image":
            is_line = command.startswith("RUN ")
            how = "Add this line to the Dockerfile, and build it again" if is_line else "Build the image anew"
            return f"{environment.title} can't be changed while it runs. {how}: {command}"
        case "pipx" | "uv-tool" | "uv":
            program = "pipx" if environment.kind == "pipx" else "uv"
            why = (
                "can't be written by you"
                if not environment.facts.is_writable
                else f"needs {program}, which isn't found"
            )
            return f"{environment.title} {why}. Run, as the one who has installed tgllm: {command}"
        case _:
            why = "has neither pip nor uv" if environment.facts.is_writable else "can't be written by you"
            return f"{environment.title} {why}. Run: {command}"
