"""Plugins of the demo that are not installed: loaded, watched, and loaded again."""

import asyncio
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tgllm.api.clock import Clock, SystemClock
from tgllm.api.errors import ConfigError
from tgllm.plugins.discovery import FoundPlugin
from tgllm.testing.local.files import Stamps, stamps_of
from tgllm.testing.local.modules import find_first, forget_compiled, restore, take_out
from tgllm.testing.local.sources import Source, read_source
from tgllm.testing.local.trial import Trial, try_plugin

__all__ = ["MOST_LOOKS", "LocalPlugins", "Tried"]

STILL_SECONDS = 0.2
"""How long no file may change before a plugin is loaded again: editors and version control write several files."""
MOST_LOOKS = 25
"""After so many looks it is loaded although files go on changing, such as a log that the plugin itself writes."""
_SOURCES = frozenset({".py", ".toml"})


@dataclass(frozen=True, slots=True)
class Tried:
    """The plugins of one place after they were loaded, for the first time or again."""

    path: Path
    trials: tuple[Trial, ...] = ()
    problem: str = ""
    """Why the place has no plugin that can be tried."""

    @property
    def works(self) -> bool:
        """Whether all of its plugins load."""
        return not self.problem and all(not trial.problem for trial in self.trials)


@dataclass(slots=True)
class _Place:
    path: Path
    stamps: Stamps
    named: tuple[FoundPlugin, ...]
    source: Source | None = None
    """As it was when it worked last."""
    trials: tuple[Trial, ...] = ()


class LocalPlugins:
    """Plugins in folders and files, by the paths of a command line."""

    def __init__(
        self,
        paths: Sequence[Path],
        environ: Mapping[str, str] | None = None,
        variables: Mapping[str, str] | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Look at each path.

        Args:
            paths: folders and files.
            environ: variables with settings of plugins and of the bot.
            variables: all variables; a plugin gets those of them that it declares.
            clock: the clock of waits.

        Raises:
            ConfigError: there is no plugin in one of them.
        """
        self._environ = environ or {}
        self._variables = variables or {}
        self._clock = clock or SystemClock()
        sources = {path: read_source(path) for path in paths}
        self._places = [_Place(path, stamps_of(source.watched), source.found) for path, source in sources.items()]

    @property
    def found(self) -> tuple[FoundPlugin, ...]:
        """The plugins that work, each in the version that worked last."""
        return tuple(trial.found for trial in self.trials)

    @property
    def named(self) -> tuple[FoundPlugin, ...]:
        """The plugins that the paths declare, also those that do not work."""
        return tuple(plugin for place in self._places for plugin in place.named)

    @property
    def trials(self) -> tuple[Trial, ...]:
        """What was found out about them."""
        return tuple(trial for place in self._places for trial in place.trials)

    @property
    def environ(self) -> Mapping[str, str]:
        """Variables with settings, with those that the plugins declare."""
        names = {name for trial in self.trials for name in trial.variables}
        return {**self._environ, **{name: self._variables[name] for name in names & self._variables.keys()}}

    @property
    def model(self) -> str | None:
        """A reference of a model of the plugins; None if they have none that answers."""
        return next((trial.model for trial in self.trials if trial.model), None)

    async def load(self) -> list[Tried]:
        """Load all plugins for the first time."""
        return [await self._load(place) for place in self._places]

    async def changed(self) -> list[Tried]:
        """Load those plugins again of which a file has changed; the list is empty if there are none.

        A plugin that does not load any more stays as it was.
        """
        tried: list[Tried] = []
        for place in self._places:
            now = await self._stamps(_watched(place))
            if now != place.stamps:
                for _ in range(MOST_LOOKS):
                    before, now = now, await self._stamps(_watched(place), STILL_SECONDS)
                    if now == before:
                        break
                changes = [file for file in now.keys() | place.stamps.keys() if now.get(file) != place.stamps.get(file)]
                forget_compiled(changes)
                tried.append(await self._load(place))
                place.stamps = _with_written(now, await self._stamps(_watched(place)))
        return tried

    async def _stamps(self, place: Path, seconds: float = 0.0) -> Stamps:
        await self._clock.sleep(seconds)
        return await asyncio.to_thread(stamps_of, place)

    async def _load(self, place: _Place) -> Tried:
        try:
            source = read_source(place.path)
        except ConfigError as error:
            return Tried(place.path, problem=str(error))
        place.named = source.found
        find_first(source.root)
        names = [found.module for found in source.found]
        before = take_out(source.root, names)
        trials = tuple([trial async for trial in self._try(source)])
        tried = Tried(place.path, trials)
        if tried.works:
            place.source, place.trials = source, trials
        elif place.source is not None:
            # The bot goes on with the modules that it has.
            restore(source.root, names, before)
        return tried

    async def _try(self, source: Source) -> AsyncIterator[Trial]:
        for found in source.found:
            with tempfile.TemporaryDirectory(prefix="tgllm-trial-") as folder:
                yield await try_plugin(found, self._environ, self._variables, Path(folder), source.root)


def _with_written(before: Stamps, after: Stamps) -> Stamps:
    """Return the stamps before a plugin was loaded, with those of data that it has written meanwhile."""
    sources = {file: stamp for file, stamp in before.items() if file.suffix in _SOURCES}
    return sources | {file: stamp for file, stamp in after.items() if file.suffix not in _SOURCES}


def _watched(place: _Place) -> Path:
    return place.path.absolute() if place.source is None else place.source.watched
