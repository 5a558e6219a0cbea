"""Packages that must be installed to read files and recordings, and the notice about them to the admins."""

from collections.abc import Iterable
from importlib.util import find_spec

from tgllm.api.files import FileHandler
from tgllm.i18n import Catalogue
from tgllm.observe import installation
from tgllm.services.messaging.admins import AdminNotifier
from tgllm.services.reading.values import MissingPackage

__all__ = ["FILES", "PILLOW", "MissingNotice", "install_command", "missing_commands", "missing_modules"]

PILLOW = "PIL"
"""Module that prepares pictures."""
FILES = "tgllm[files]"
"""Requirement that installs it."""


def missing_modules(needs: Iterable[str]) -> tuple[str, ...]:
    """Return the modules that are not installed; none is imported, so only the first part of a name is looked up."""
    return tuple(name for name in needs if not _is_installed(name.partition(".")[0]))


def install_command(package: str, modules: Iterable[str]) -> str:
    """Return the shell command that installs a requirement, or else the modules, whose packages have the same names."""
    return installation.install_command(*([package] if package else modules))


def missing_commands(handlers: Iterable[FileHandler]) -> dict[str, tuple[str, ...]]:
    """Return the commands that install what file handlers and pictures need, each with the missing modules."""
    found: dict[str, list[str]] = {}
    needed = [(FILES, (PILLOW,)), *((handler.package, handler.needs) for handler in handlers)]
    for package, needs in needed:
        for module in missing_modules(needs):
            names = found.setdefault(install_command(package, (module,)), [])
            names += [] if module in names else [module]
    return {command: tuple(modules) for command, modules in found.items()}


class MissingNotice:
    """Notice to the admins, once for each command in a run of the bot."""

    def __init__(self, notifier: AdminNotifier, texts: Catalogue) -> None:
        """Send notices through ``notifier``, in the bot's language."""
        self._notifier = notifier
        self._texts = texts
        self._noted: set[str] = set()

    async def note(self, missing: MissingPackage) -> None:
        """Send a notice, unless it was sent before.

        Raises:
            DatabaseError: it can't be stored.
        """
        modules = ", ".join(missing.modules)
        text = self._texts("admin.file_needs", plugin=missing.plugin_id, modules=modules, command=missing.command)
        await self._send(missing.command, text)

    async def note_no_transcriber(self, command: str) -> None:
        """Send a notice that no plugin transcribes recordings, unless it was sent before.

        Raises:
            DatabaseError: it can't be stored.
        """
        await self._send(command, self._texts("admin.no_transcriber", command=command))

    async def _send(self, command: str, text: str) -> None:
        if command in self._noted:
            return
        self._noted.add(command)
        try:
            await self._notifier.bot_notify_admin(text)
        except BaseException:
            self._noted.discard(command)
            raise


def _is_installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False
