"""Models that the plugins of llm have registered."""

import json
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from importlib.metadata import entry_points
from typing import Any, cast

import llm
from llm.models import ModelWithAliases
from llm.plugins import load_plugins, pm

from tgllm.api.context import Log
from tgllm.api.errors import ProviderError
from tgllm_llm.listing import Listed
from tgllm_llm.options import can_reason

__all__ = ["Entry", "Library", "stored_key"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A model in its forms, of which there is at least one."""

    sync: Any
    """An ``llm.Model``; None if there is only the asynchronous form."""
    asynchronous: Any
    """An ``llm.AsyncModel``; None if there is only the other form."""
    aliases: tuple[str, ...] = ()

    @property
    def model(self) -> Any:  # noqa: ANN401  of llm's classes, which have no common public one
        """The form to use."""
        return self.asynchronous or self.sync

    @property
    def id(self) -> str:
        """The name of the model in llm."""
        return str(self.model.model_id)

    def listed(self) -> Listed:
        """Return what the list says about it."""
        model = self.model
        return Listed(
            self.id,
            self.aliases,
            tuple(sorted(kind for kind in model.attachment_types if "/" in kind)),
            can_reason(model),
            model.needs_key or "",
            model.key_env_var or "",
            bool(not model.needs_key or stored_key(model)),
        )


def stored_key(model: Any) -> str:  # noqa: ANN401  llm's models
    """Return the key that llm uses for a model; empty if it takes none, or has none."""
    try:
        return str(model.get_key() or "")
    except llm.ModelError:
        return ""


@dataclass(slots=True)
class Library:
    """Models by name. A plugin of llm that fails does not keep those of others away."""

    log: Log
    patterns: Sequence[str] = ()
    _entries: Mapping[str, Entry] = field(default_factory=dict[str, Entry])
    """By id and alias."""
    _problems: list[str] = field(default_factory=list[str])
    _of_plugins: dict[str, Sequence[ModelWithAliases]] = field(default_factory=dict[str, Sequence[ModelWithAliases]])
    """What each plugin has registered last."""

    def load(self) -> None:
        """Import all plugins. Blocks, for seconds."""
        self._problems = list(_load(self.log))

    def find(self, name: str) -> Entry | None:
        """Return a model by its id or alias, as last read."""
        return self._entries.get(name)

    def read(self) -> Sequence[Entry]:
        """Ask all plugins for their models. Blocks: some plugins ask a service.

        Raises:
            ProviderError: no plugin has a model, and at least one has failed.
        """
        problems = [*self._problems]
        registered: list[ModelWithAliases] = []
        for implementation in reversed(pm.hook.register_models.get_hookimpls()):
            name = str(implementation.plugin_name)
            given: list[ModelWithAliases] = []
            try:
                _ask(implementation, registered, given)
            except Exception as error:  # noqa: BLE001  whatever another package raises
                self.log.warning("llm.plugin_failed", plugin=name, error=f"{type(error).__name__}: {error}")
                problems.append(f"{name}: {error}")
                # A service that can't be reached now keeps its models.
                given = [*self._of_plugins.get(name, ())]
            self._of_plugins[name] = given
            registered += given
        found = {entry.id: entry for entry in _entries(registered, _own_aliases()) if _is_name(entry.id)}
        if not found and problems:
            raise ProviderError(f"no plugin of llm has a model: {'; '.join(problems)}")
        chosen = [entry for entry in found.values() if self._is_chosen(entry)]
        self._entries = {name: entry for entry in chosen for name in (*entry.aliases, entry.id)}
        return _with_unique_aliases(chosen)

    def _is_chosen(self, entry: Entry) -> bool:
        wanted = [pattern for pattern in self.patterns if not pattern.startswith("!")]
        unwanted = [pattern[1:] for pattern in self.patterns if pattern.startswith("!")]
        return (not wanted or _fits(entry.id, wanted)) and not _fits(entry.id, unwanted)


def _fits(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _load(log: Log) -> Iterable[str]:
    """Load the plugins one by one, since llm itself loads none after one that fails; yield the problems."""
    if "LLM_LOAD_PLUGINS" not in os.environ:
        for point in entry_points(group="llm"):
            if pm.has_plugin(point.name) or pm.is_blocked(point.name):
                continue
            try:
                pm.register(point.load(), name=point.name)
            except Exception as error:  # noqa: BLE001  whatever another package raises
                log.warning("llm.plugin_failed", plugin=point.name, error=f"{type(error).__name__}: {error}")
                pm.set_blocked(point.name)
                yield f"{point.name}: {error}"
    load_plugins()


def _ask(
    implementation: Any,  # noqa: ANN401  pluggy's HookImpl
    registered: Sequence[ModelWithAliases],
    given: list[ModelWithAliases],
) -> None:
    """Call one plugin, as ``llm.get_models_with_aliases`` calls all of them."""

    def register(model: Any, async_model: Any = None, aliases: Iterable[str] | None = None) -> None:  # noqa: ANN401  llm's own signature
        given.append(ModelWithAliases(model, async_model, set(aliases or ())))

    arguments = {"register": register, "model_aliases": [*registered]}
    call: Callable[..., object] = implementation.function
    call(**{name: value for name, value in arguments.items() if name in implementation.argnames})


def _entries(registered: Iterable[ModelWithAliases], own: Mapping[str, Sequence[str]]) -> Iterable[Entry]:
    for each in registered:
        forms: tuple[Any, Any] = (each.model, each.async_model)
        if forms != (None, None):
            entry = Entry(*forms)
            yield Entry(*forms, (*sorted(each.aliases), *own.get(entry.id, ())))


def _own_aliases() -> Mapping[str, Sequence[str]]:
    """Return the aliases that the operator has given by ``llm aliases set``, by model."""
    path = llm.user_dir() / "aliases.json"
    try:
        stored: Any = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    found: dict[str, list[str]] = {}
    for alias, model in cast("dict[str, object]", stored).items() if isinstance(stored, dict) else ():
        found.setdefault(str(model), []).append(alias)
    return found


def _with_unique_aliases(entries: Sequence[Entry]) -> Sequence[Entry]:
    taken = {entry.id for entry in entries}
    unique: list[Entry] = []
    for entry in entries:
        free = [name for name in dict.fromkeys(entry.aliases) if _is_name(name) and name not in taken]
        taken.update(free)
        unique.append(Entry(entry.sync, entry.asynchronous, tuple(free)))
    return unique


def _is_name(name: str) -> bool:
    return bool(name) and name.isprintable() and not any(sign.isspace() for sign in name)
