"""The list of models, made in a process of its own, so that a bot that asks no model of llm does not load it."""

import asyncio
import json
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

from tgllm.api.errors import ProviderError

__all__ = ["Listed", "listed_elsewhere"]

_SECONDS: Final = 120.0
"""Time for the process; plugins may ask services."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A model in the list."""

    id: str
    aliases: tuple[str, ...] = ()
    mime_types: tuple[str, ...] = ()
    reasoning: bool = False
    needs_key: str = ""
    """Name of its key; empty if it takes none."""
    variable: str = ""
    """Environment variable of its key."""
    has_key: bool = True
    """Whether llm has the key."""


async def listed_elsewhere(patterns: Sequence[str]) -> Sequence[Listed]:
    """Return the models, read in another process.

    Raises:
        ProviderError: they can't be read.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tgllm_llm.print_models", *patterns,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_SECONDS):
            printed, said = await process.communicate()
    except TimeoutError:
        raise ProviderError(f"the plugins of llm have not listed their models within {_SECONDS:g} s") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    # A plugin may have printed something before.
    lines = printed.decode(errors="replace").splitlines()
    with suppress(ValueError, TypeError, IndexError):
        return [_read(each) for each in json.loads(lines[-1])]
    last = said.decode(errors="replace").strip().splitlines()[-1:]
    raise ProviderError(f"the plugins of llm can't be loaded: {''.join(last)[:300]}; `llm models` shows why")


def _read(each: Mapping[str, Any]) -> Listed:
    lists: dict[str, Any] = {name: tuple(cast("list[str]", each[name])) for name in ("aliases", "mime_types")}
    return Listed(**{**each, **lists})
